"""Events that cannot be used are counted for the model that their head names."""

import asyncio
import io
from collections.abc import AsyncIterator

import pytest
from aiohttp import ClientSession

from tests.support.listening_receiver import LIMIT, ListeningReceiver, headers
from tests.support.models import WINE
from tests.support.waiting import until


@pytest.fixture
async def post() -> AsyncIterator[ListeningReceiver]:
    """A receiver that listens on a port chosen by the system."""
    post = ListeningReceiver()
    port = await post.receiver.start("127.0.0.1", 0)
    post.url = f"http://127.0.0.1:{port}/"
    yield post
    await post.receiver.close()


@pytest.fixture
async def client() -> AsyncIterator[ClientSession]:
    """A client that adds no headers of its own."""
    async with ClientSession(skip_auto_headers=("Content-Type",), max_field_size=2**20) as session:
        yield session


@pytest.mark.parametrize("odd", [{}, {"Ce-Team": "fraud"}, {"Ce-Inferenceservicename": "win%65"}])
@pytest.mark.parametrize("kind", ["request", "response"])
async def test_an_event_that_is_too_long_counts_for_its_model(
    post: ListeningReceiver, client: ClientSession, kind: str, odd: dict[str, str]
) -> None:
    """An event beyond the limit is counted for the known model and the kind that its head names."""
    async with client.post(post.url, data=b"{}", headers=headers()):
        pass
    too_long = io.BytesIO(b" " * (LIMIT + 1))
    async with client.post(post.url, data=too_long, headers=headers(kind, more=odd)) as response:
        assert response.status == 413

    assert post.rejected("too_large", WINE, kind) == 1


@pytest.mark.parametrize(
    "broken",
    [
        {"Ce-Id": ""},
        {"Ce-Type": "other"},
        {"Ce-Inferenceservicename": ""},
        {"Ce-Inferenceservicename": "x" * 300},
        {"Ce-Time": "yesterday"},
    ],
)
async def test_a_long_body_under_an_invalid_head_counts_for_no_model(
    post: ListeningReceiver, client: ClientSession, broken: dict[str, str]
) -> None:
    """A body beyond the limit whose head is not that of a valid event counts for the overflow key."""
    async with client.post(post.url, data=io.BytesIO(b" " * (LIMIT + 1)), headers=headers(more=broken)) as response:
        assert response.status == 413

    assert post.rejected("too_large") == 1


async def test_an_incomplete_event_counts_for_a_known_model(post: ListeningReceiver, client: ClientSession) -> None:
    """An event whose body ends early counts for its model if other events have proven the model."""
    async with client.post(post.url, data=b"{}", headers=headers()):
        pass
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers("response").items())
    _, writer = await asyncio.open_connection("127.0.0.1", int(post.url.split(":")[2].strip("/")))
    writer.write(f"POST / HTTP/1.1\r\nHost: x\r\n{lines}Content-Length: 10\r\n\r\n{{}}".encode())
    await writer.drain()
    writer.close()
    await writer.wait_closed()
    await until(lambda: post.rejected("incomplete", WINE, "response") == 1)
