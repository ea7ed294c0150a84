"""A pipeline of limited speed under load, with the real ratio and simulated time."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import NamedTuple

from driftgauge.inference.payload import Kind
from driftgauge.ingest.sampling import SampleSettings, Sampling
from driftgauge.metrics.registry import Metrics
from tests.support.clock import ManualClock
from tests.support.models import WINE

RESPONSE_BYTES = 100
"""Length of the body of each response."""

TURN_SECONDS = 0.005
"""A turn of the event loop: requests come, inferences end, and the pipeline works."""

SETTINGS = SampleSettings(
    sample_ratio=1.0, max_rows_per_second=10_000_000, queue_payloads=4096, queue_bytes=64 * 2**20, queue_seconds=30
)


@dataclass(frozen=True, slots=True)
class Body:
    """A kind of request.

    Args:
        size_bytes: Length of its body.
        rows: Rows of the request, and of its response.
        share: Share of the requests that are of this kind.
    """

    size_bytes: int
    rows: int = 1
    share: float = 1.0


@dataclass(slots=True)
class Counts:
    """What became of the inferences of one kind of request."""

    kept: int = 0
    left_out: int = 0
    dropped: int = 0

    @property
    def total(self) -> int:
        """All of them."""
        return self.kept + self.left_out + self.dropped


class _Waiting(NamedTuple):
    """A payload in the queue."""

    kind: Kind
    size_bytes: int
    body: int
    came: float


class Overloaded:
    """Requests, a queue, and a pipeline that takes some time for each body.

    Args:
        bodies: The kinds of requests.
        payload_seconds: What a payload costs the pipeline.
        byte_seconds: What a byte of it costs.
        flight_seconds: How long the model takes.
        settings: The limits.
        seed: Of the order of the requests.

    Attributes:
        counts: What became of the inferences of each kind.
        rows: Rows of requests that were read.
    """

    def __init__(
        self,
        *bodies: Body,
        payload_seconds: float = 0.0,
        byte_seconds: float = 0.0,
        flight_seconds: float = 0.0,
        settings: SampleSettings = SETTINGS,
        seed: int = 1,
    ) -> None:
        self._bodies = bodies
        self._payload_seconds = payload_seconds
        self._byte_seconds = byte_seconds
        self._flight_seconds = flight_seconds
        self._settings = settings
        self._seed = seed
        self._clock = ManualClock()
        self._random = Random(seed)  # noqa: S311 - the order of simulated requests
        metrics = Metrics("200", settings.sample_ratio)
        self._sampling = Sampling(settings, metrics, self._clock)
        self._sample = metrics.model(WINE).sample
        self._exchanges = metrics.model(WINE).exchanges
        self._queue: deque[_Waiting] = deque()
        self._queued_bytes = 0
        self._flying: deque[tuple[float, str, int]] = deque()
        self._number = 0
        self._due = self._spare = 0.0
        self.counts = [Counts() for _ in bodies]
        self.rows = 0

    @property
    def ratio(self) -> float:
        """The ratio that is shown."""
        return self._sample.ratio

    @property
    def shares(self) -> list[float]:
        """Which share of each kind of request was kept."""
        return [one.kept / one.total for one in self.counts]

    @property
    def kept_share(self) -> float:
        """Which share of all was kept."""
        return sum(one.kept for one in self.counts) / sum(one.total for one in self.counts)

    @property
    def dropped_share(self) -> float:
        """Which share of all was dropped."""
        return sum(one.dropped for one in self.counts) / sum(one.total for one in self.counts)

    def forget_counts(self) -> None:
        """Count from now on."""
        self.counts = [Counts() for _ in self._bodies]
        self.rows = 0

    def run(self, requests_per_second: float, seconds: float, watch: Callable[[], None] = lambda: None) -> None:
        """Send requests at a rate, and call `watch` after each turn."""
        for _ in range(round(seconds / TURN_SECONDS)):
            self._clock.now += TURN_SECONDS
            self._due += requests_per_second * TURN_SECONDS
            while self._due >= 1:
                self._due -= 1
                self._begin()
            while self._flying and self._flying[0][0] <= self._clock.now:
                _, id_, index = self._flying.popleft()
                self._end(id_, index)
            self._work()
            watch()

    def _begin(self) -> None:
        self._number += 1
        id_ = f"{self._seed}/{self._number}"
        index = self._random.choices(range(len(self._bodies)), [one.share for one in self._bodies])[0]
        self._exchanges.in_flight += 1
        if self._sample.takes_request(id_):
            self._flying.append((self._clock.now + self._flight_seconds, id_, index))
        else:
            self._flying.append((self._clock.now + self._flight_seconds, "", index))

    def _end(self, id_: str, index: int) -> None:
        self._exchanges.in_flight -= 1
        if not id_:
            self.counts[index].left_out += 1
            return
        counts, body = self.counts[index], self._bodies[index]
        if self._sample.is_thinned_at_end and not self._sample.keeps(id_):
            counts.left_out += 1
            return
        size_bytes = body.size_bytes + RESPONSE_BYTES
        if len(self._queue) + 2 > self._settings.queue_payloads or (
            self._queued_bytes + size_bytes > self._settings.queue_bytes
        ):
            counts.dropped += 1
            return
        counts.kept += 1
        self._queued_bytes += size_bytes
        self._queue.append(_Waiting(Kind.REQUEST, body.size_bytes, index, self._clock.now))
        self._queue.append(_Waiting(Kind.RESPONSE, RESPONSE_BYTES, index, self._clock.now))
        self._note_queue()

    def _work(self) -> None:
        """Decode for a turn; what a body takes longer is taken from the next turns."""
        self._spare = min(self._spare, 0.0) + TURN_SECONDS
        while self._queue and self._spare > 0:
            one = self._queue.popleft()
            self._queued_bytes -= one.size_bytes
            if self._clock.now - one.came > self._settings.queue_seconds:
                if one.kind is Kind.REQUEST:
                    self.counts[one.body].kept -= 1
                    self.counts[one.body].dropped += 1
                continue
            seconds = self._payload_seconds + one.size_bytes * self._byte_seconds
            self._spare -= seconds
            rows = self._bodies[one.body].rows
            self._sampling.note_rows(WINE, one.kind, 1, rows)
            self.rows += rows if one.kind is Kind.REQUEST else 0
            if self._queue:
                self._sampling.note_work(1, one.size_bytes, seconds)
        self._note_queue()
        self._sampling.advance(self._clock.now)

    def _note_queue(self) -> None:
        self._sampling.note_queue(len(self._queue), self._queued_bytes)
