"""Fixtures and settings for all tests."""

import asyncio
import os
from collections.abc import Callable, Mapping

import hypothesis
import uvloop

pytest_plugins = ["tests.support.redis_fixtures", "tests.support.skips", "tests.support.groups"]

# CI uses the same examples every time; local runs search for new ones, and `make fuzz` for as many as FUZZ_EXAMPLES.
# No example has a time limit: the machine may be busy.
hypothesis.settings.register_profile("ci", derandomize=True, deadline=None)
hypothesis.settings.register_profile("local", deadline=None)
hypothesis.settings.register_profile(
    "fuzz", max_examples=int(os.environ.get("FUZZ_EXAMPLES") or 1), deadline=None, print_blob=True
)
hypothesis.settings.load_profile(
    "fuzz" if os.environ.get("FUZZ_EXAMPLES") else "ci" if os.environ.get("CI") else "local"
)


def pytest_asyncio_loop_factories() -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    """Run the tests on the event loop of the product."""
    return {"uvloop": uvloop.new_event_loop}
