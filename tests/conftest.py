"""Fixtures that every folder shares, and the rule that a complete machine skips nothing."""

import os
from collections.abc import Generator

import hypothesis
import pytest

pytest_plugins = ["tests.support.redis_fixtures"]

# A change is judged by the same examples every time; people's own runs look for new ones.
hypothesis.settings.register_profile("judged", derandomize=True)
if os.environ.get("CI"):
    hypothesis.settings.load_profile("judged")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Turn a skip into a failure where `NO_SKIP=1` says that every part is there."""
    report = yield
    if report.skipped and os.environ.get("NO_SKIP") == "1":
        report.outcome = "failed"
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        report.longrepr = f"{item.nodeid} may not skip on this machine, but did: {reason}"
    return report
