"""A process imports only what it uses."""

import subprocess
import sys

import pytest

import driftgauge

HEAVY = ("cloudevents", "pyarrow", "redis", "rich", "scipy.stats", "sklearn")
"""Some 6, 60, 6, 3, 48 and 80 MB. Of scipy, the serving process uses `scipy.special` alone."""


@pytest.mark.parametrize("ingress", ["driftgauge.proxy", "driftgauge.logger.receiver"])
@pytest.mark.long
def test_an_ingress_imports_only_what_it_needs(ingress: str) -> None:
    """Not Redis without an address, not the SDK without a sender that needs it, and nothing that only commands use."""
    code = f"import sys, driftgauge.cli.main, driftgauge.app.serve, {ingress}; print(*sys.modules)"
    modules = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()

    assert [] == sorted(set(HEAVY).intersection(modules))


@pytest.mark.long
def test_a_check_of_arrays_needs_no_other_library() -> None:
    """Neither a DataFrame library nor what only the running process and the command line use."""
    code = "import sys, driftgauge; driftgauge.check({'a': [1, 2]}, {'a': [1, 2]}); print(*sys.modules)"
    modules = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()

    assert [] == sorted({"aiohttp", "pandas", "polars", "pyarrow", "pydantic", "redis", "rich"}.intersection(modules))


@pytest.mark.parametrize("name", sorted(set(driftgauge.__all__) - {"__version__"}))
def test_public_names_can_be_imported(name: str) -> None:
    """Each is imported by its name, and has a docstring."""
    namespace: dict[str, object] = {}
    exec(f"from driftgauge import {name}", namespace)  # noqa: S102 - as a user writes it

    assert namespace[name] is getattr(driftgauge, name)
    assert getattr(driftgauge, name).__doc__
