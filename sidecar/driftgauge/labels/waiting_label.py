"""A label that waits in the process until it meets its response."""

from collections.abc import Callable, Container, Sequence
from typing import Final, NamedTuple, final

from driftgauge.drift.profile import FeatureKind
from driftgauge.inference.label_target import LabelTarget
from driftgauge.inference.payload import ModelKey
from driftgauge.protocol.category import code
from driftgauge.protocol.label_values import Label
from driftgauge.storage.labels import LabelLayout, LabelOutcome, StoredLabel
from driftgauge.storage.ring import id_digests

FIRST_PAUSE_SECONDS: Final = 5.0
"""Time to the second try of a label that came before its response; each further one waits twice as long."""

_LABELS_A_PAUSE: Final = 32
"""Labels between two pauses: 0.1 ms."""


class Found(NamedTuple):
    """What models say of a label.

    Args:
        outcome: What became of it, if no other model says more.
        model: Which one says so.
        rank: How much that is.
        may_come: Whether its id may be a further one of a response that may come.
    """

    outcome: LabelOutcome
    model: ModelKey
    rank: int
    may_come: bool


@final
class WaitingLabel:
    """A label, the models that it may be of, and how far the search has come. Some 250 bytes.

    Args:
        label: The label.
        digest: The digest of its id.
        models: The models that it may be of, at least one; they are asked in this order.
        now: Monotonic time in seconds.
        target: The names by which these were found.
        found: What is known so far, if another label has the same; it is never changed.

    Attributes:
        digest: The digest of its id.
        models: As given, until more are found.
        target: As given.
        place: Index of the model that is asked next.
        found: What is known so far.
        offered: When it came.
        due: When it is tried again.
        pause: Seconds to the try after that.
    """

    __slots__ = (
        *("_code", "_number", "_output", "_row", "_time"),
        *("digest", "due", "found", "models", "offered", "pause", "place", "target"),
    )

    def __init__(
        self,
        label: Label,
        digest: int,
        models: tuple[ModelKey, ...],
        now: float,
        target: LabelTarget | None = None,
        found: Found | None = None,
    ) -> None:
        self._row, self._output, self._time = label.row, label.output, label.time
        self._number = label.number
        self._code = code(label.text)
        self.digest = digest
        self.models = models
        self.target = target
        self.place = 0
        self.found = found or _start(models)
        self.offered = self.due = now
        self.pause = FIRST_PAUSE_SECONDS

    @property
    def model(self) -> ModelKey:
        """The model that is asked next."""
        return self.models[self.place]

    @property
    def is_at_last(self) -> bool:
        """Whether the model that is asked next is the last one."""
        return self.place + 1 == len(self.models)

    def as_stored(self, layout: LabelLayout) -> StoredLabel | None:
        """The label as the store takes it.

        Returns:
            `None` if the model has no such output, or several and the label names none, or its labels are numbers.
        """
        outputs = layout.outputs
        if not outputs or (self._output is not None and self._output not in outputs):
            return None
        if self._output is None and len(outputs) > 1:
            return None
        output = 0 if self._output is None else outputs.index(self._output)
        value = self._number if layout.output_kinds[output] is FeatureKind.NUMERIC else self._code
        return None if value is None else StoredLabel(self.digest, self._row, output, value, self._time)

    @property
    def may_be_met(self) -> bool:
        """Whether its response may still come, after all models were asked."""
        outcome, _, rank, may_come = self.found
        if outcome is LabelOutcome.NOT_KEPT:
            return may_come or rank == _NO_TRAFFIC
        return outcome is LabelOutcome.UNKNOWN

    def note(self, outcome: LabelOutcome, model: ModelKey, *, may_come: bool, has_traffic: bool) -> None:
        """Note what a model says of it: that it is malformed or not kept is more than unknown.

        That a model knows nothing of it that never had a response is the least.
        """
        rank = _RANKS[outcome] if has_traffic else _NO_TRAFFIC
        may_come = may_come or self.found.may_come
        found = Found(outcome, model, rank, may_come)
        self.found = found if rank > self.found.rank else self.found._replace(may_come=may_come)

    def leave_out_beyond(self, sample_ratio: float) -> None:
        """Note that an unknown one is not kept if its id is beyond the share of the inferences that were read.

        The share may have been larger when its response passed, so an id that never existed may count as not kept.
        """
        if self.found.outcome is LabelOutcome.UNKNOWN and self.digest >= sample_ratio * 2**64:
            self.found = self.found._replace(outcome=LabelOutcome.NOT_KEPT)

    def put_off(self, failing: Container[ModelKey]) -> None:
        """Ask models that fail after the others, of those that were not asked yet."""
        self.models = (*self.models[: self.place], *sorted(self.models[self.place :], key=failing.__contains__))

    def start_again(self, models: tuple[ModelKey, ...] = ()) -> None:
        """Ask all models again, or those that are given if there are any."""
        self.models = models or self.models
        self.place, self.found = 0, _start(self.models)


_NO_TRAFFIC: Final = 0
_RANKS: Final = {LabelOutcome.UNKNOWN: 1, LabelOutcome.NOT_KEPT: 2, LabelOutcome.MALFORMED: 3}


def waiting_labels(
    labels: Sequence[Label],
    models: tuple[ModelKey, ...],
    now: float,
    target: LabelTarget | None = None,
    pause: Callable[[], None] = lambda: None,
) -> list[WaitingLabel]:
    """Labels of one body, with the digests of their ids; takes some 2 microseconds each, in any thread.

    Args:
        labels: The labels.
        models: The models that they may be of.
        now: Monotonic time in seconds.
        target: The names by which these were found.
        pause: Called again and again meanwhile.
    """
    waiting: list[WaitingLabel] = []
    start = _start(models)
    for first in range(0, len(labels), _LABELS_A_PAUSE):
        part = labels[first : first + _LABELS_A_PAUSE]
        digests = id_digests(label.id for label in part).tolist()
        waiting += [
            WaitingLabel(label, digest, models, now, target, start) for label, digest in zip(part, digests, strict=True)
        ]
        pause()
    return waiting


def _start(models: tuple[ModelKey, ...]) -> Found:
    """What is known of a label before any model was asked."""
    return Found(LabelOutcome.UNKNOWN, models[0], -1, may_come=False)
