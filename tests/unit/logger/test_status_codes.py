"""An event that carries a status code is counted by it, and an event of a failure contributes no rows."""

from collections.abc import AsyncIterator

import pytest
from aiohttp import ClientSession

from driftgauge.inference.payload import OVERFLOW
from tests.support.listening_receiver import ListeningReceiver, headers
from tests.support.models import WINE


@pytest.fixture
async def post() -> AsyncIterator[ListeningReceiver]:
    """A receiver that listens on a port chosen by the system."""
    post = ListeningReceiver()
    port = await post.receiver.start("127.0.0.1", 0)
    post.url = f"http://127.0.0.1:{port}/"
    yield post
    await post.receiver.close()


async def send(post: ListeningReceiver, kind: str, status: str | None = None) -> None:
    """Post one event of WINE."""
    more = {} if status is None else {"Ce-Statuscode": status}
    async with (
        ClientSession() as client,
        client.post(post.url, data=b"{}", headers=headers(kind, more=more)) as response,
    ):
        assert response.status == 200


@pytest.mark.parametrize("code", ["400", "401", "422", "500", "503", "599"])
async def test_a_failed_response_is_an_error_without_rows(post: ListeningReceiver, code: str) -> None:
    """A response with status code 400 or above counts as an error of that code, and is not offered."""
    await send(post, "request")
    await send(post, "response", code)

    assert post.value("request_error_count", code=code) == 1
    assert post.value("request_count", code="") == 1
    assert post.value("request_count", code=code) is None
    assert post.rejected("failed", WINE, "response") == 1
    assert ["request"] == [payload.kind for payload in post.payloads]
    assert ["request", "response"] == [observation.kind for observation in post.observations]


@pytest.mark.parametrize("code", ["200", "201", "399"])
async def test_a_response_of_a_success_is_offered(post: ListeningReceiver, code: str) -> None:
    """A response with a status code below 400 is offered with it, and is no error."""
    await send(post, "response", code)

    assert [int(code)] == [payload.status for payload in post.payloads]
    assert 0 == post.value("request_error_count", code="500")


@pytest.mark.parametrize(
    "text", ["", " ", "99", "600", "20x", "-200", "4000", "5e2", "\u0665\u0660\u0660", "%35%30%30x"]
)
async def test_what_is_no_status_code_is_ignored(post: ListeningReceiver, text: str) -> None:
    """An attribute that is no status code is as if it were left out."""
    await send(post, "response", text)

    assert [None] == [payload.status for payload in post.payloads]


async def test_a_request_with_a_status_code_counts_by_it(post: ListeningReceiver) -> None:
    """A request event that carries a status code counts by that code; a failed one is not offered."""
    await send(post, "request", "200")
    await send(post, "request", "500")

    assert (1, 1) == (post.value("request_count", code="200"), post.value("request_count", code="500"))
    assert post.value("request_error_count", code="500") == 1
    assert post.rejected("failed", WINE) == 1
    assert [200] == [payload.status for payload in post.payloads]


async def test_a_failure_proves_no_model(post: ListeningReceiver) -> None:
    """A failed response of an unknown model counts for the overflow key, since the model may not exist."""
    await send(post, "response", "404")

    assert post.rejected("failed", OVERFLOW, "response") == 1
    assert post.value("request_error_count", OVERFLOW, code="404") == 1
