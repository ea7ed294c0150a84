"""Whether all went as it must: the demo is also a test."""

from collections.abc import Iterator

from examples.demo.gauges import Gauges


def faults(before: Gauges, after: Gauges, rows: int, requests: int) -> list[str]:
    """One sentence for each thing that went wrong.

    Args:
        before: The gauges when all red wines had been evaluated.
        after: The gauges when the window had become white.
        rows: Wines that were sent altogether.
        requests: Requests that were sent altogether.
    """
    return [*_verdicts(before, after), *_counts(after, rows, requests)]


def _verdicts(before: Gauges, after: Gauges) -> Iterator[str]:
    if before.drift is not False:
        names = ", ".join(feature.name for feature in before.features if feature.drift)
        yield f"Red wines against red wines must not be called drift, but were ({names or 'no verdict'})."
    if after.drift is not True:
        yield "White wines against red wines must be called drift, but were not."


def _counts(after: Gauges, rows: int, requests: int) -> Iterator[str]:
    if after.rows != rows:
        yield f"{rows} rows were sent, but {after.rows} were counted."
    if after.requests != requests:
        yield f"{requests} requests were sent, but {after.requests} were counted."
    if after.errors:
        yield f"No request failed, but {after.errors} were counted as failed."
    if after.lost:
        yield f"{after.lost} payloads were dropped or rejected, but each of them was good."
