"""A real Prometheus that starts with the synthetic history and scrapes nothing."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.alerting import AlertingPrometheus
from tests.support.history import openmetrics
from tests.support.parts import program


@contextmanager
def backfilled(end: float, directory: Path) -> Iterator[AlertingPrometheus]:
    """Start Prometheus with the history, and wait until it is ready.

    Args:
        end: When the history ends, in seconds since the epoch.
        directory: For its data.
    """
    text = directory / "history.om"
    text.write_text(openmetrics(end))
    subprocess.run(
        [program("promtool"), "tsdb", "create-blocks-from", "openmetrics", text, directory / "data"],
        check=True,
        capture_output=True,
        timeout=120,
    )
    flags = ("--storage.tsdb.retention.time=100y",)
    with AlertingPrometheus({}, directory, flags=flags) as prometheus:
        prometheus.await_response(f"{prometheus.url}/-/ready")
        yield prometheus
