"""A store of responses that wait for labels as plain dictionaries, which the real ones must equal."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from driftgauge.storage.labels import SLICES, LabelOutcome, Put, StoredLabel, WaitingResponse


@dataclass
class DictLabels:
    """What the contract says, without bounds of bytes, for one model and one layout of two outputs.

    Args:
        length: Seconds of a slice.
        most: Responses of a slice.
        maturity: Seconds.
    """

    length: float
    most: int
    maturity: float
    waiting: dict[tuple[int, int], WaitingResponse] = field(default_factory=dict)
    labels: dict[tuple[tuple[int, int], int, int], tuple[float, bool]] = field(default_factory=dict)
    aliases: dict[tuple[int, int], tuple[int, int]] = field(default_factory=dict)
    thresholds: dict[int, int] = field(default_factory=dict)
    rows: list[tuple[int, int, int, float]] = field(default_factory=list)

    def put(self, responses: Sequence[WaitingResponse], now: float) -> Put:
        """Keep the responses with the smallest digests of each slice."""
        results = [self._put(one, now) for one in responses]
        return Put(*(sum(numbers) for numbers in zip(*results, strict=True))) if results else Put(0, 0, 0)

    def match(self, label: StoredLabel, now: float) -> LabelOutcome:
        """What becomes of a label without a time."""
        numbers = sorted({number for number, _ in self.waiting if self._is_alive(number, now)}, reverse=True)
        found = next(filter(None, (self._newest(number, label.id) for number in numbers)), None)
        if found is None:
            limits = [limit for number, limit in self.thresholds.items() if self._is_alive(number, now)]
            return LabelOutcome.NOT_KEPT if label.id >= min(limits, default=2**64) else LabelOutcome.UNKNOWN
        if label.row >= len(self.waiting[found].rows):
            return LabelOutcome.MALFORMED
        unit = (found, label.row, label.output)
        if unit in self.labels:
            value, is_judged = self.labels[unit]
            if value == label.value:
                return LabelOutcome.DUPLICATE
            if is_judged:
                return LabelOutcome.TOO_LATE
            self.labels[unit] = label.value, False
            return LabelOutcome.CORRECTED
        is_mature = now - self.waiting[found].time >= self.maturity
        self.labels[unit] = label.value, is_mature
        if is_mature:
            self.rows.append((found[1], label.row, label.output, label.value))
        return LabelOutcome.MATCHED

    def mature(self, now: float) -> tuple[int, int]:
        """Judge what is mature, and count the rows without a label of slices that ended."""
        ready = [
            unit
            for unit, (_, is_judged) in self.labels.items()
            if not is_judged and self.waiting[unit[0]].time <= now - self.maturity
        ]
        for unit in sorted(ready, key=self._order):
            (_, digest), row, output = unit
            self.labels[unit] = self.labels[unit][0], True
            self.rows.append((digest, row, output, self.labels[unit][0]))
        ended = [place for place in self.waiting if not self._is_alive(place[0], now)]
        unlabelled = sum(len(self.waiting[place].rows) - len(self.labelled_rows(place)) for place in ended)
        for place in ended:
            self._drop(place)
        return len(ready), unlabelled

    def labelled_rows(self, place: tuple[int, int]) -> set[int]:
        """The rows of a response that have a label."""
        return {row for known, row, _ in self.labels if known == place}

    def _newest(self, number: int, id_: int) -> tuple[int, int] | None:
        """The newest response of a slice with this id, be it its first or a further one."""
        places = ((number, id_), self.aliases.get((number, id_)))
        known = [place for place in places if place in self.waiting]
        return max(known, key=lambda place: self.waiting[place].time, default=None)

    def _put(self, response: WaitingResponse, now: float) -> Put:
        number, digest = int(min(response.time, now) // self.length), response.ids[0]
        if not self._is_alive(number, now) or digest >= self.thresholds.get(number, 2**64):
            return Put(0, 1, 0)
        known = [place for place in self.waiting if place[1] == digest and self._is_alive(place[0], now)]
        if known and known[0][0] == number and same(self.waiting[known[0]], response):
            return Put(1, 0, 0)
        for place in known:
            self._drop(place)
        self.waiting[number, digest] = response
        self.aliases |= {(number, alias): (number, digest) for alias in response.ids[1:]}
        own = sorted(place for place in self.waiting if place[0] == number)
        if len(own) <= self.most:
            return Put(1, 0, len(known))
        self.thresholds[number] = own[-1][1]
        self._drop(own[-1])
        return Put(int(own[-1][1] != digest), 1, len(known))

    def _is_alive(self, number: int, now: float) -> bool:
        return now // self.length - number < SLICES

    def _order(self, unit: tuple[tuple[int, int], int, int]) -> tuple[float, bytes, int, int]:
        """In which order labels are judged."""
        place, row, output = unit
        return self.waiting[place].time, place[1].to_bytes(8, "little"), row, output

    def _drop(self, place: tuple[int, int]) -> None:
        del self.waiting[place]
        self.aliases = {alias: known for alias, known in self.aliases.items() if known != place}
        self.labels = {unit: label for unit, label in self.labels.items() if unit[0] != place}


def same(one: WaitingResponse, other: WaitingResponse) -> bool:
    """Whether two responses are equal."""
    return one[:2] == other[:2] and one.rows.tobytes() == other.rows.tobytes()
