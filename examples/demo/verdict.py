"""Checks that everything went as expected: the demo is also a test."""

from collections.abc import Iterator
from dataclasses import dataclass

from examples.demo.gauges import Gauges
from examples.demo.outage import Outage


@dataclass(frozen=True, slots=True)
class Verdicts:
    """The gauges after each part of the demo.

    Args:
        red: After all red wines were evaluated.
        batch: After the request of wines that are alike was evaluated.
        white: When the window had only white wines.
        graded: After the late grades of red wines were evaluated.
        changed: After the grades of tasters who changed their minds were.
    """

    red: Gauges
    batch: Gauges
    white: Gauges
    graded: Gauges
    changed: Gauges


@dataclass(frozen=True, slots=True)
class Sent:
    """What was sent.

    Args:
        rows: Number of wines.
        requests: Number of requests.
        lost: Wines of requests that are counted as lost.
    """

    rows: int
    requests: int
    lost: int = 0


def faults(verdicts: Verdicts, sent: Sent, outage: Outage | None = None) -> list[str]:
    """One sentence for each thing that went wrong.

    Args:
        verdicts: The gauges after each part.
        sent: What was sent.
        outage: What happened when Redis was killed; `None` if it was not.
    """
    outcomes = _outcomes(verdicts.graded, verdicts.changed)
    return [*_verdicts(verdicts), *outcomes, *_counts(verdicts.white, sent), *_losses(verdicts.white, outage)]


def _verdicts(verdicts: Verdicts) -> Iterator[str]:
    for name, gauges in (("Red wines", verdicts.red), ("A batch of wines that are alike", verdicts.batch)):
        if gauges.drift is not False:
            drifted = [one.name for one in (*gauges.features, *gauges.predictions) if one.drift]
            yield f"{name} must not be reported as drift, but got: {', '.join(drifted) or 'no verdict'}."
    if verdicts.white.drift is not True:
        yield "White wines must be reported as drift, but were not."
    if not verdicts.white.predictions:
        yield "The predictions must be tested, but were not."


def _outcomes(graded: Gauges, changed: Gauges) -> Iterator[str]:
    before, after = ({one.name for one in (*now.features, *now.predictions) if one.drift} for now in (graded, changed))
    if after - before:  # alarms on white wines may not have ended yet
        names = ", ".join(sorted(after - before))
        yield f"Red wines after the taste changed must not be reported as drift of data, but got: {names}."
    states = (graded.outcomes.performance, graded.outcomes.concept)
    if states != ("ok", "ok"):
        yield f"Grades of the same tasters must be no drift, but performance and concept are: {', '.join(states)}."
    states = (changed.outcomes.performance, changed.outcomes.concept)
    if states != ("drift", "drift"):
        yield f"Grades of another taste must be drift, but performance and concept are: {', '.join(states)}."


def _counts(after: Gauges, sent: Sent) -> Iterator[str]:
    if after.rows + sent.lost != sent.rows:
        lost = f", and {sent.lost} as lost" if sent.lost else ""
        yield f"{sent.rows} rows were sent, but {after.rows} were counted{lost}."
    if after.requests != sent.requests:
        yield f"{sent.requests} requests were sent, but {after.requests} were counted."
    if after.errors:
        yield f"No request failed, but {after.errors} were counted as failed."


def _losses(after: Gauges, outage: Outage | None) -> Iterator[str]:
    if outage is None and after.lost:
        yield f"{after.lost} payloads were dropped or rejected, but all of them were valid."
    if outage is not None and not outage.drift:
        yield "White wines must be reported as drift after Redis was lost, but were not."
