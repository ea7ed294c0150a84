"""Which requests are sent once more, on a new connection, and which are not."""

import pytest

from tests.support.recording_peers import GET, POST, Scene, UpstreamConnection


def test_safe_request_is_sent_once_more() -> None:
    """On a new connection, if the one from the pool was closed and nothing came on it (RFC 9110 section 9.2.2)."""
    scene = Scene(GET, UpstreamConnection(used=True))
    scene.ask()
    scene.exchange.on_upstream_error(ConnectionResetError())

    assert (["request_connection"], []) == (scene.notes, scene.client.written)

    link = UpstreamConnection()
    scene.exchange.on_connected(link)
    scene.exchange.on_upstream_error(ConnectionResetError())

    assert ([GET], [502]) == (link.written, scene.codes)


def test_inference_is_sent_once_more() -> None:
    """It changes nothing where it is done, so it may be done twice, though it is a POST."""
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
    """What may have been done, or would fail again."""
    scene = Scene(request_head, link)
    scene.ask()
    scene.exchange.on_upstream_error(error)

    assert ([], 1) == (scene.notes, len(scene.codes))


def test_a_body_that_came_in_parts_is_not_sent_again() -> None:
    """It is not kept."""
    scene = Scene(POST.replace(b"POST", b"OPTIONS"), UpstreamConnection(used=True))
    scene.exchange.flush()
    scene.ask(b"abc")
    scene.exchange.on_upstream_error(ConnectionResetError())

    assert ([], [502]) == (scene.notes, scene.codes)
