"""`make` where it cannot create the virtual environment."""

import subprocess
from pathlib import Path

import pytest

from tests.support.parts import program

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("python", ["/nowhere/python3.11", "no-such-python"])
def test_a_missing_interpreter_is_named(python: str, tmp_path: Path) -> None:
    """One sentence says which program there is not, and what to do; the shell's own message does not appear."""
    argv = [program("make"), "-C", str(ROOT), f"VENV={tmp_path / 'environment'}", f"PYTHON={python}", "demo"]
    done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=60)
    sentence = f"There is no program {python}: driftgauge needs Python 3.11 or newer; name one with make PYTHON=..."

    assert 0 != done.returncode
    assert sentence == done.stderr.splitlines()[0]
    assert "Creating" not in done.stdout
    assert not (tmp_path / "environment").exists()
