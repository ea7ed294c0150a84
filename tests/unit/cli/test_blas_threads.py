"""The program computes small products of matrices in one thread."""

import os
import subprocess
import sys

import pytest

PROGRAM = "import driftgauge.__main__, os; print(os.environ['OPENBLAS_NUM_THREADS'])"


@pytest.mark.parametrize("given", [None, "3"])
def test_threads_of_openblas(given: str | None) -> None:
    """It is one, as far as nothing else is set."""
    env = {name: value for name, value in os.environ.items() if name != "OPENBLAS_NUM_THREADS"}
    env |= {} if given is None else {"OPENBLAS_NUM_THREADS": given}
    printed = subprocess.run([sys.executable, "-c", PROGRAM], env=env, check=True, capture_output=True, text=True)

    assert (given or "1") == printed.stdout.split()[0]
