"""Checks that everything went as expected: the demo is also a test."""

from collections.abc import Iterator
from dataclasses import dataclass

from examples.demo.gauges import Gauges


@dataclass(frozen=True, slots=True)
class Verdicts:
    """The gauges after each part of the demo.

    Args:
        red: After all red wines were evaluated.
        batch: After the request of wines that are alike was evaluated.
        white: When the window had only white wines.
    """

    red: Gauges
    batch: Gauges
    white: Gauges


def faults(verdicts: Verdicts, rows: int, requests: int) -> list[str]:
    """One sentence for each thing that went wrong.

    Args:
        verdicts: The gauges after each part.
        rows: Number of wines sent.
        requests: Number of requests sent.
    """
    return [*_verdicts(verdicts), *_counts(verdicts.white, rows, requests)]


def _verdicts(verdicts: Verdicts) -> Iterator[str]:
    for name, gauges in (("Red wines", verdicts.red), ("A batch of wines that are alike", verdicts.batch)):
        if gauges.drift is not False:
            drifted = [one.name for one in (*gauges.features, *gauges.predictions) if one.drift]
            yield f"{name} must not be reported as drift, but got: {', '.join(drifted) or 'no verdict'}."
    if verdicts.white.drift is not True:
        yield "White wines must be reported as drift, but were not."
    if not verdicts.white.predictions:
        yield "The predictions must be tested, but were not."


def _counts(after: Gauges, rows: int, requests: int) -> Iterator[str]:
    if after.rows != rows:
        yield f"{rows} rows were sent, but {after.rows} were counted."
    if after.requests != requests:
        yield f"{requests} requests were sent, but {after.requests} were counted."
    if after.errors:
        yield f"No request failed, but {after.errors} were counted as failed."
    if after.lost:
        yield f"{after.lost} payloads were dropped or rejected, but all of them were valid."
