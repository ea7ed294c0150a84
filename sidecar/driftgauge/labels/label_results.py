"""What becomes of a label once models were asked: it is counted, asked of the next model, or waits for its response."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Final, NamedTuple, Protocol, final

from driftgauge.inference.label_target import LabelTarget
from driftgauge.inference.payload import ModelKey
from driftgauge.labels.early_labels import EarlyLabels
from driftgauge.labels.label_queue import QUEUE_LABELS, LabelQueue
from driftgauge.labels.waiting_label import WaitingLabel
from driftgauge.metrics.loss_log import LossLog
from driftgauge.storage.labels import LabelOutcome, Match

_PENDING = frozenset({LabelOutcome.UNKNOWN, LabelOutcome.NOT_KEPT})
"""What another model may say more about."""


_MALFORMED: Final = (
    "the response has no such row or output, or the output is a number and the label is none up to 1e100"
)
"""What is wrong with a label that could be read and fits no response."""


Candidates = Callable[[LabelTarget], tuple[ModelKey, ...]]
"""The models that names fit; empty if none is known."""


class LabelCounter(Protocol):
    """Where the matcher counts."""

    def count(self, model: ModelKey, outcome: str, number: int = 1) -> None:
        """Count what became of labels."""

    def observe_delays(self, model: ModelKey, seconds: Iterable[float]) -> None:
        """Count times from responses to their labels."""

    def count_rows(self, model: ModelKey, *, labelled: int, unlabelled: int = 0) -> None:
        """Count rows that were judged, and rows that no label came for in time."""


def _all(_: Iterable[ModelKey]) -> float:
    return 1.0


class MatcherLimits(NamedTuple):
    """The limits of a matcher.

    Args:
        early_seconds: How long a label waits for its response, and for a store that fails.
        lowest_ratio: Returns the lowest share of the inferences of some models that was read while a response of them
            may have waited: responses beyond it need not have.
        queue_labels: Most labels that are queued for models whose calls do not fail, and most for the others.
    """

    early_seconds: float
    lowest_ratio: Callable[[Iterable[ModelKey]], float] = _all
    queue_labels: int = QUEUE_LABELS


@final
class LabelResults:
    """Takes what models say of labels. Nothing here waits, so that no label is in two places or in none.

    Args:
        queue: Where labels wait for the next model.
        counts: Where outcomes are counted.
        limits: The limits.
        clock: Monotonic time in seconds.
        candidates: The models that names fit now.
    """

    def __init__(
        self,
        queue: LabelQueue,
        counts: LabelCounter,
        limits: MatcherLimits,
        clock: Callable[[], float],
        candidates: Candidates,
    ) -> None:
        self._queue = queue
        self._counts = counts
        self._limits = limits
        self._clock = clock
        self._candidates = candidates
        self._early = EarlyLabels()
        self._losses = LossLog(clock)

    @property
    def early(self) -> int:
        """How many labels wait for their response."""
        return len(self._early)

    def count_early(self, model: ModelKey) -> int:
        """How many labels wait for their response that may be of a model."""
        return self._early.count(model)

    def settle(self, model: ModelKey, labels: Sequence[tuple[WaitingLabel, Match]]) -> list[tuple[WaitingLabel, Match]]:
        """Count the labels of a call that a model knows. Returns the others, which are to `go_on`.

        They are counted together: one by one that takes as long as to match them.
        """
        settled = [(label, match) for label, match in labels if match.outcome not in _PENDING]
        for outcome, number in Counter(match.outcome for _, match in settled).items():
            self._counts.count(model, outcome, number)
        for label, match in settled:
            if match.outcome is LabelOutcome.MALFORMED:
                self._log_malformed(label, model)
        self._counts.observe_delays(model, [one.delay_seconds for _, one in settled if one.delay_seconds is not None])
        judged = sum(match.is_judged for _, match in settled)
        if judged:  # `mature` counts the others
            self._counts.count_rows(model, labelled=judged)
        return [(label, match) for label, match in labels if match.outcome in _PENDING]

    def go_on(
        self, label: WaitingLabel, model: ModelKey, outcome: LabelOutcome, *, may_come: bool, has_traffic: bool = True
    ) -> None:
        """Ask the next model; after the last one count the label, or let it wait for its response.

        Args:
            label: The label.
            model: The model that was asked.
            outcome: What is known of the label if no other model says more.
            may_come: As of `Match`.
            has_traffic: Whether a response of the model ever waited. A label that no model has is counted for one that
                does, so that it starts no series of another.
        """
        label.note(outcome, model, may_come=may_come, has_traffic=has_traffic)
        label.place += 1
        if label.place < len(label.models):
            self._queue.put(label)
            return
        if label.found.outcome is LabelOutcome.UNKNOWN:
            label.leave_out_beyond(self._limits.lowest_ratio(label.models))
        now = self._clock()
        if not label.may_be_met or now - label.offered >= self._limits.early_seconds:
            self._count(label, label.found.model, label.found.outcome)
            return
        label.due = min(now + label.pause, label.offered + self._limits.early_seconds)
        label.pause *= 2
        displaced = self._early.put(label)
        if displaced is not None:
            self._count(displaced, displaced.found.model, displaced.found.outcome)

    def queue_due(self) -> None:
        """Queue the early labels that are due, for the models of now: a revision may have come with their responses."""
        found: dict[LabelTarget, tuple[ModelKey, ...]] = {}
        for label in self._early.take_due(self._clock()):
            target = label.target
            if target is not None and target not in found:
                found[target] = self._candidates(target)
            label.start_again(() if target is None else found[target])
            self._queue.put(label)

    def drop(self, model: ModelKey, number: int) -> None:
        """Count labels that could not be matched."""
        if number:
            self._counts.count(model, LabelOutcome.DROPPED, number)

    def close(self) -> int:
        """Count the labels that wait for their response: no other process knows them. Returns how many."""
        labels = self._early.take_all()
        for label in labels:
            self._count(label, label.found.model, label.found.outcome)
        return len(labels)

    def _count(self, label: WaitingLabel, model: ModelKey, outcome: LabelOutcome) -> None:
        """Count what became of a label; of one that was accepted and is malformed the log has a line now and then."""
        self._counts.count(model, outcome)
        if outcome is LabelOutcome.MALFORMED:
            self._log_malformed(label, model)

    def _log_malformed(self, label: WaitingLabel, model: ModelKey) -> None:
        whose = f"of {model}, id digest {label.digest:016x}"
        self._losses.add("labels were malformed after they were accepted", f"{whose}: {_MALFORMED}")
