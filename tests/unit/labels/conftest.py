"""A labels port over stores in memory, and a client."""

from collections.abc import AsyncIterator

import pytest
from aiohttp import ClientSession

from tests.support.labels_port import LabelsPort


@pytest.fixture
async def port() -> AsyncIterator[LabelsPort]:
    """A port that takes labels of the model of wine."""
    port = LabelsPort()
    await port.open()
    yield port
    await port.close()


@pytest.fixture
async def client() -> AsyncIterator[ClientSession]:
    """A client that closes its connections."""
    async with ClientSession() as client:
        yield client
