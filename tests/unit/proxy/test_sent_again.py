"""Some requests are sent once more on a new connection, and others are not."""

import pytest

from tests.support.recording_peers import GET, POST, Scene, UpstreamConnection


def test_safe_request_is_sent_once_more() -> None:
    """A safe request is sent again if its pooled connection closed without a byte (RFC 9110 section 9.2.2)."""
    scene = Scene(GET, UpstreamConnection(used=True))
    scene.ask()
    scene.exchange.on_upstream_error(ConnectionResetError())

    assert (["request_connection"], []) == (scene.notes, scene.client.written)

    link = UpstreamConnection()
    scene.exchange.on_connected(link)
    scene.exchange.on_upstream_error(ConnectionResetError())

    assert ([GET], [502]) == (link.written, scene.codes)


def test_inference_is_sent_once_more() -> None:
    """An inference is sent again though it is a POST, since it has no side effect."""
    scene = Scene(POST, UpstreamConnection(used=True), is_inference=True)
    scene.ask(b"abc")
    scene.exchange.on_upstream_error(ConnectionResetError())
    link = UpstreamConnection()
    scene.exchange.on_connected(link)
    scene.exchange.on_upstream_error(ConnectionResetError())

    assert (["request_connection"], [POST + b"abc"], [502]) == (scene.notes, link.written, scene.codes)


def _heard(link: UpstreamConnection) -> UpstreamConnection:
    link.is_silent = False
    return link


NOT_AGAIN = {
    "POST": (POST, UpstreamConnection(used=True), ConnectionResetError()),
    "new connection": (GET, UpstreamConnection(), ConnectionResetError()),
    "something came": (GET, _heard(UpstreamConnection(used=True)), ConnectionResetError()),
    "silence": (GET, UpstreamConnection(used=True), TimeoutError()),
}


@pytest.mark.parametrize(("request_head", "link", "error"), NOT_AGAIN.values(), ids=NOT_AGAIN)
def test_what_is_not_sent_again(request_head: bytes, link: UpstreamConnection, error: Exception) -> None:
    """A request that may have had an effect, or would fail again, is not sent again."""
    scene = Scene(request_head, link)
    scene.ask()
    scene.exchange.on_upstream_error(error)

    assert ([], 1) == (scene.notes, len(scene.codes))


def test_a_body_that_came_in_parts_is_not_sent_again() -> None:
    """A request whose body came in parts is not sent again, since its body is not kept."""
    scene = Scene(POST.replace(b"POST", b"OPTIONS"), UpstreamConnection(used=True))
    scene.exchange.flush()
    scene.ask(b"abc")
    scene.exchange.on_upstream_error(ConnectionResetError())

    assert ([], [502]) == (scene.notes, scene.codes)
