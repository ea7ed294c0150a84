"""The verdicts on one model at one look: what a change is a change of."""

from collections.abc import Callable, Iterator, Mapping
from enum import StrEnum
from typing import Any, Final, NamedTuple

from driftgauge.drift.result import VerdictState
from driftgauge.events.event_facts import drift_facts, no_reference_facts, outcome_facts, reference_facts
from driftgauge.inference.payload import PAYLOAD_KINDS, Kind, ModelKey
from driftgauge.results.latest import LatestEvaluations
from driftgauge.results.latest_outcomes import LatestOutcomes


class Verdict(StrEnum):
    """What an event is about, as it stands in the event's type."""

    DRIFT = "drift"
    PERFORMANCE = "performance"
    CONCEPT = "concept"
    REFERENCE = "reference"


PARTS: Final = {Kind.REQUEST: "inputs", Kind.RESPONSE: "predictions"}
"""The name of a stream of rows in events."""


class VerdictKey(NamedTuple):
    """One series of verdicts on a model.

    Args:
        verdict: What it is about.
        part: `inputs` or `predictions` of drift, the output of performance and concept; empty of the reference.
    """

    verdict: Verdict
    part: str = ""


class Seen(NamedTuple):
    """A verdict at one look.

    Args:
        state: Its `VerdictState`; of the reference its digest.
        since: When the state began, seconds since the epoch; `None` if only the look knows it.
        facts: Makes what an event says of it, as plain values; called only if there is an event.
    """

    state: str
    since: float | None
    facts: Callable[[], dict[str, Any]]


def verdicts_of(
    model: ModelKey, latest: LatestEvaluations, outcomes: LatestOutcomes | None
) -> Mapping[VerdictKey, Seen]:
    """The verdicts on a model; what was not evaluated has none, so that an outage changes nothing.

    Args:
        model: The model.
        latest: The newest evaluations.
        outcomes: The newest results on labelled predictions; `None` in a process that takes no labels.
    """
    found = dict(_drift(model, latest))
    facts = latest.reference(model, Kind.REQUEST)
    if facts is not None and facts.digest:
        found[VerdictKey(Verdict.REFERENCE)] = Seen(facts.digest, facts.loaded_at, lambda: reference_facts(facts))
    if outcomes is not None:
        found.update(_outcomes(model, outcomes))
    return found


def _drift(model: ModelKey, latest: LatestEvaluations) -> Iterator[tuple[VerdictKey, Seen]]:
    """The drift of inputs and of predictions."""
    for kind in PAYLOAD_KINDS:
        key, reference = VerdictKey(Verdict.DRIFT, PARTS[kind]), latest.reference(model, kind)
        evaluation = latest.evaluation(model, kind)
        if evaluation is not None:
            begun = [one.since for one in evaluation.report.features if one.drift and one.since is not None]

            def facts(one: Any = evaluation, of: Any = reference) -> dict[str, Any]:  # noqa: ANN401 - bound here
                """What an event says."""
                return drift_facts(one, of)

            yield key, Seen(evaluation.report.state, min(begun, default=None), facts)
        elif kind is Kind.REQUEST and latest.knows(model, kind) and reference is None:
            yield key, Seen(VerdictState.CANNOT_TELL, None, no_reference_facts)


def _outcomes(model: ModelKey, outcomes: LatestOutcomes) -> Iterator[tuple[VerdictKey, Seen]]:
    """Performance and concept of each output with labels."""
    result = outcomes.result(model)
    if result is None or result.report is None:
        return
    reference = outcomes.reference(model)
    for output in result.report.outputs:
        for test in output.tests:

            def facts(one: Any = output, tested: Any = test) -> dict[str, Any]:  # noqa: ANN401 - bound here
                """What an event says."""
                return outcome_facts(result, one, tested, reference)

            yield VerdictKey(Verdict(test.test), output.output), Seen(test.state, test.since, facts)
