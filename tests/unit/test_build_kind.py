"""The build that is tested is the one that was asked for."""

import os

from driftgauge.build_kind import build_kind
from tests.support.processes import Driftgauge

BUILD = os.environ.get("TESTED_BUILD", "pure")
"""`make test-compiled` sets it."""


def test_this_process_has_the_build_that_is_tested() -> None:
    """Its modules come from where they should."""
    assert BUILD == build_kind()


def test_started_processes_have_the_build_that_is_tested() -> None:
    """Their metrics say so."""
    with Driftgauge("logger", "--drain-delay-seconds=0") as logger:
        assert 1 == logger.metrics().total("driftgauge_build_info", build=BUILD)
