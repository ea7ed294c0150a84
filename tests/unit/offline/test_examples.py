"""The examples in the docstrings of the Python functions."""

import doctest
import importlib

import pytest


@pytest.mark.parametrize("name", ["api", "column_loop", "ks_2samp"])
def test_the_examples_of_a_module_are_right(name: str) -> None:
    """Each prints what its docstring says, and there is at least one."""
    result = doctest.testmod(importlib.import_module(f"driftgauge.offline.{name}"))

    assert 0 == result.failed
    assert result.attempted > 0
