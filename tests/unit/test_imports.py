"""A process has in memory what it runs, and no more."""

import subprocess
import sys

import pytest

HEAVY = ("cloudevents", "pyarrow", "redis", "rich", "scipy", "sklearn")
"""Some 6, 60, 6, 3, 75 and 80 MB."""


@pytest.mark.parametrize("ingress", ["driftgauge.proxy", "driftgauge.logger.receiver"])
def test_a_door_brings_nothing_that_it_does_not_need(ingress: str) -> None:
    """Neither Redis without an address, nor the SDK without a sender that needs it, nor what only commands use."""
    names = "print(*{name.partition('.')[0] for name in sys.modules})"
    code = f"import sys, driftgauge.cli.main, driftgauge.app.serve, {ingress}; {names}"
    reported = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert [] == sorted(set(HEAVY).intersection(reported.stdout.split()))
