"""Events that cannot be used leave one line in the log for each reason and interval."""

import io
from collections.abc import AsyncIterator

import pytest
from aiohttp import ClientSession

from driftgauge.app.log_format import TextFormatter
from tests.support.listening_receiver import LIMIT, ListeningReceiver, headers


@pytest.fixture
async def post() -> AsyncIterator[ListeningReceiver]:
    """A receiver that listens on a port chosen by the system."""
    post = ListeningReceiver()
    port = await post.receiver.start("127.0.0.1", 0)
    post.url = f"http://127.0.0.1:{port}/"
    yield post
    await post.receiver.close()


UNSUPPORTED = "The CloudEvent's type ends neither in .request nor in .response."


async def send(post: ListeningReceiver, body: bytes = b"{}", **more: str) -> None:
    """Post one event of WINE with other headers."""
    fields = headers(more={f"Ce-{name.capitalize()}": value for name, value in more.items()})
    async with ClientSession() as client, client.post(post.url, data=io.BytesIO(body), headers=fields):
        pass


async def test_each_reason_has_one_line_with_the_first_sentence(
    post: ListeningReceiver, caplog: pytest.LogCaptureFixture
) -> None:
    """Twelve events that cannot be used leave three lines, and what each of the first lacked."""
    for _ in range(4):
        await send(post, id="")
        await send(post, type="other")
        await send(post, b" " * (LIMIT + 1))

    assert [
        "an event was rejected as malformed: The CloudEvent lacks id.",
        "an event was rejected as unsupported: " + UNSUPPORTED,
        "an event was rejected as too_large: the event's body is too long (cellar/wine/predictor/wine)",
    ] == caplog.messages
    assert (4, 4, 4) == tuple(post.rejected(reason) for reason in ("malformed", "unsupported", "too_large"))


async def test_a_name_cannot_forge_a_line(post: ListeningReceiver, caplog: pytest.LogCaptureFixture) -> None:
    """Control characters of a name are escaped in the line."""
    await send(post, b" " * (LIMIT + 1), inferenceservicename="x%0A2026-03-01 ERROR", id="%41")
    (record,) = caplog.records

    assert "\n" in record.getMessage()
    assert r"cellar/x\n2026-03-01 ERROR" in TextFormatter().format(record)
    assert 1 == len(TextFormatter().format(record).splitlines())
