"""A raw model server and a proxy in front of it, new for each test."""

from collections.abc import AsyncIterator

import pytest

from tests.support.proxied import Proxied
from tests.support.upstream import RawUpstream


@pytest.fixture
async def upstream() -> AsyncIterator[RawUpstream]:
    """A model server that responds with `{}` until a test gives it another script."""
    async with RawUpstream() as server:
        yield server


@pytest.fixture
async def proxy(upstream: RawUpstream) -> AsyncIterator[Proxied]:
    """A started proxy in front of that model server."""
    async with Proxied(upstream.port) as started:
        yield started
