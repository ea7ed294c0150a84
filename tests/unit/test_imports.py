"""A process imports only what it uses."""

import subprocess
import sys

import pytest

HEAVY = ("cloudevents", "pyarrow", "redis", "rich", "scipy.stats", "sklearn")
"""Some 6, 60, 6, 3, 48 and 80 MB. Of scipy, the serving process uses `scipy.special` alone."""


@pytest.mark.parametrize("ingress", ["driftgauge.proxy", "driftgauge.logger.receiver"])
def test_an_ingress_imports_only_what_it_needs(ingress: str) -> None:
    """Not Redis without an address, not the SDK without a sender that needs it, and nothing that only commands use."""
    code = f"import sys, driftgauge.cli.main, driftgauge.app.serve, {ingress}; print(*sys.modules)"
    modules = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()

    assert [] == sorted(set(HEAVY).intersection(modules))
