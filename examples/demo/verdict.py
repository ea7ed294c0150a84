"""Checks that everything went as expected: the demo is also a test."""

from collections.abc import Iterator

from examples.demo.gauges import Gauges


def faults(before: Gauges, after: Gauges, rows: int, requests: int) -> list[str]:
    """One sentence for each thing that went wrong.

    Args:
        before: The gauges after all red wines were evaluated.
        after: The gauges when the window had only white wines.
        rows: Number of wines sent.
        requests: Number of requests sent.
    """
    return [*_verdicts(before, after), *_counts(after, rows, requests)]


def _verdicts(before: Gauges, after: Gauges) -> Iterator[str]:
    if before.drift is not False:
        names = ", ".join(feature.name for feature in before.features if feature.drift)
        yield f"Red wines must not be reported as drift, but were ({names or 'no verdict'})."
    if after.drift is not True:
        yield "White wines must be reported as drift, but were not."


def _counts(after: Gauges, rows: int, requests: int) -> Iterator[str]:
    if after.rows != rows:
        yield f"{rows} rows were sent, but {after.rows} were counted."
    if after.requests != requests:
        yield f"{requests} requests were sent, but {after.requests} were counted."
    if after.errors:
        yield f"No request failed, but {after.errors} were counted as failed."
    if after.lost:
        yield f"{after.lost} payloads were dropped or rejected, but all of them were valid."
