"""Servers of the admin port, and a client."""

from collections.abc import AsyncIterator

import pytest
from aiohttp import ClientSession

from tests.support.admin import AdminFixture


@pytest.fixture
async def fixture() -> AsyncIterator[AdminFixture]:
    """A server that hands out no windows."""
    fixture = AdminFixture()
    await fixture.open()
    yield fixture
    await fixture.admin.close()


@pytest.fixture
async def capturing() -> AsyncIterator[AdminFixture]:
    """A server that hands out windows."""
    fixture = AdminFixture(captures=True)
    await fixture.open()
    yield fixture
    await fixture.admin.close()


@pytest.fixture
async def client() -> AsyncIterator[ClientSession]:
    """An HTTP client."""
    async with ClientSession() as session:
        yield session
