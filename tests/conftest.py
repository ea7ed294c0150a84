"""Fixtures for all tests, and the rule that with `NO_SKIP=1` a skipped test fails."""

import asyncio
import os
from collections.abc import Callable, Generator, Mapping

import hypothesis
import pytest
import uvloop

pytest_plugins = ["tests.support.redis_fixtures"]

# CI uses the same examples every time; local runs search for new ones, and `make fuzz` for as many as FUZZ_EXAMPLES.
hypothesis.settings.register_profile("ci", derandomize=True)
if os.environ.get("FUZZ_EXAMPLES"):
    examples = int(os.environ["FUZZ_EXAMPLES"])
    hypothesis.settings.register_profile("fuzz", max_examples=examples, deadline=None, print_blob=True)
    hypothesis.settings.load_profile("fuzz")
elif os.environ.get("CI"):
    hypothesis.settings.load_profile("ci")


def pytest_asyncio_loop_factories() -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    """Run the tests on the event loop of the product."""
    return {"uvloop": uvloop.new_event_loop}


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Turn a skip into a failure if `NO_SKIP=1` is set."""
    report = yield
    if report.skipped and os.environ.get("NO_SKIP") == "1":
        report.outcome = "failed"
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        report.longrepr = f"{item.nodeid} may not skip on this machine, but did: {reason}"
    return report
