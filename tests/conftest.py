"""Fixtures that every folder shares, and the rule that a complete machine skips nothing."""

import asyncio
import os
from collections.abc import Callable, Generator, Mapping

import hypothesis
import pytest
import uvloop

pytest_plugins = ["tests.support.redis_fixtures"]

# A change is judged by the same examples every time; people's own runs look for new ones.
hypothesis.settings.register_profile("judged", derandomize=True)
if os.environ.get("CI"):
    hypothesis.settings.load_profile("judged")


def pytest_asyncio_loop_factories() -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    """Tests run on the loop that the product runs on."""
    return {"uvloop": uvloop.new_event_loop}


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Turn a skip into a failure where `NO_SKIP=1` says that every part is there."""
    report = yield
    if report.skipped and os.environ.get("NO_SKIP") == "1":
        report.outcome = "failed"
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        report.longrepr = f"{item.nodeid} may not skip on this machine, but did: {reason}"
    return report
