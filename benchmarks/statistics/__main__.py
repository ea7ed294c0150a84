"""`python -m benchmarks.statistics [--quick] [--only NAME ...] [--write FILE]`: measure, print, write the tables."""

import argparse
import platform
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from benchmarks.statistics import (
    bursts,
    canary,
    daily,
    delay,
    estimate,
    false_alarms,
    flights,
    outcome_delays,
    outcome_labels,
    outcomes,
    peers_table,
    references,
    requests,
    speed,
    wine,
)
from benchmarks.statistics.tables import fill
from benchmarks.statistics.work import SEED, Effort

SECTIONS = {
    "speed": speed.run,
    "false-alarms": false_alarms.run,
    "references": references.run,
    "requests": requests.run,
    "bursts": bursts.run,
    "daily": daily.run,
    "delay": delay.run,
    "estimate": estimate.run,
    "peers": peers_table.run,
    "wine": wine.run,
    "flights": flights.run,
    "outcome-alarms": outcomes.run,
    "outcome-delay": outcome_delays.run,
    "outcome-labels": outcome_labels.run,
    "canary": canary.run,
}
"""The functions that make the tables, by the names of their marks in the document."""


def main() -> None:
    """Measure, print and write the requested tables."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.statistics", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a small run that only shows that everything works")
    parser.add_argument("--only", nargs="+", choices=SECTIONS, default=list(SECTIONS), help="these tables")
    parser.add_argument("--write", type=Path, help="put the tables between the marks of this document")
    asked = parser.parse_args()
    effort = Effort(asked.quick)
    for name in asked.only:
        start = time.perf_counter()
        body = f"{SECTIONS[name](effort)}\n\n{_origin(name, effort, time.perf_counter() - start)}"
        sys.stdout.write(f"{body}\n\n")
        sys.stdout.flush()
        if asked.write:
            asked.write.write_text(fill(asked.write.read_text(), name, body))


def _origin(name: str, effort: Effort, seconds: float) -> str:
    quick = " --quick" if effort.quick else ""
    return (
        f"`python -m benchmarks.statistics{quick} --only {name}`, {datetime.now(UTC).date()}, seed {SEED}, "
        f"{seconds:.0f} s on {effort.workers} cores, Python {platform.python_version()}, numpy {np.__version__}."
    )


if __name__ == "__main__":
    main()
