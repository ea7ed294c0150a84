"""Events of GETs are no inferences, whatever their responses contain."""

from collections.abc import AsyncIterator

import pytest
from aiohttp import ClientSession

from driftgauge.inference.payload import OVERFLOW, ModelKey
from tests.support.listening_receiver import ListeningReceiver, headers
from tests.support.models import WINE

BODY = b"{}"
PAGE = b'{"name":"wine","ready":true}'


@pytest.fixture
async def post() -> AsyncIterator[ListeningReceiver]:
    """A receiver that listens on a port chosen by the system."""
    post = ListeningReceiver()
    port = await post.receiver.start("127.0.0.1", 0)
    post.url = f"http://127.0.0.1:{port}/"
    yield post
    await post.receiver.close()


async def send(post: ListeningReceiver, kind: str, body: bytes, id_: str = "a", *, typed: bool = True) -> None:
    """Post one event of WINE."""
    fields = headers(kind, more={"Ce-Id": id_})
    if not typed:
        del fields["Content-Type"]
    async with (
        ClientSession(skip_auto_headers=("Content-Type",)) as client,
        client.post(post.url, data=body, headers=fields) as response,
    ):
        assert response.status == 200


def offered(post: ListeningReceiver) -> list[tuple[str, bytes]]:
    """Kind and body of each payload that was offered."""
    return [(payload.kind.value, payload.body) for payload in post.payloads]


def empty(post: ListeningReceiver, model: ModelKey = WINE) -> list[float | None]:
    """How many requests and responses of a model were no inferences."""
    return [post.rejected("empty", model, kind) for kind in ("request", "response")]


@pytest.mark.parametrize("typed", [True, False])
async def test_the_response_to_a_request_without_a_body_is_no_inference(post: ListeningReceiver, typed: bool) -> None:  # noqa: FBT001 - a parameter of pytest
    """Such a response adds no bytes, is not offered, waits for no other half, and proves no model."""
    await send(post, "request", b"", typed=typed)
    await send(post, "response", PAGE, typed=typed)

    assert [1, 1] == empty(post, OVERFLOW)
    assert 0 == post.value("driftgauge_response_bytes_total", OVERFLOW)
    assert [] == offered(post)
    assert [] == post.observations
    assert WINE not in post.models


async def test_a_response_without_a_type_that_comes_first_is_no_inference(post: ListeningReceiver) -> None:
    """Events come in any order: a response whose request is unknown has its request's type, which a GET lacks."""
    await send(post, "response", PAGE, typed=False)
    await send(post, "request", b"", typed=False)

    assert [1, 1] == empty(post, OVERFLOW)
    assert [] == offered(post)


@pytest.mark.parametrize("typed", [True, False])
async def test_the_response_to_a_request_with_a_body_is_an_inference(post: ListeningReceiver, typed: bool) -> None:  # noqa: FBT001 - a parameter of pytest
    """A client may send no content type: its inferences are known by their request."""
    await send(post, "request", BODY, typed=typed)
    await send(post, "response", PAGE, typed=typed)

    assert [("request", BODY), ("response", PAGE)] == offered(post)
    assert len(PAGE) == post.value("driftgauge_response_bytes_total")


async def test_a_response_with_a_type_whose_request_is_unknown_is_an_inference(post: ListeningReceiver) -> None:
    """With `mode: response`, no request is ever known."""
    await send(post, "response", PAGE)

    assert [("response", PAGE)] == offered(post)


async def test_an_id_that_is_used_again_is_judged_by_its_newest_request(post: ListeningReceiver) -> None:
    """A client may send one id with its health checks and with its inferences."""
    await send(post, "request", b"")
    await send(post, "request", BODY)
    await send(post, "response", PAGE)

    assert [("request", BODY), ("response", PAGE)] == offered(post)


async def test_ids_of_other_requests_decide_nothing(post: ListeningReceiver) -> None:
    """A GET with one id says nothing about the response to a request with another id."""
    await send(post, "request", b"", "a")
    await send(post, "response", PAGE, "b")

    assert [("response", PAGE)] == offered(post)
