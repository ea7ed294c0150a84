"""Some requests are sent once more on a new connection, and others are not."""

import pytest

from driftgauge.proxy.failures import ExchangeError
from driftgauge.proxy.resending import ResendOutcome
from tests.support.recording_peers import GET, OK, POST, Scene, UpstreamConnection


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


def test_safe_request_is_sent_once_more_though_it_was_read() -> None:
    """A safe request may be done twice, so it does not matter that bytes of it were acknowledged."""
    scene = Scene(GET, _read(UpstreamConnection(used=True)))
    scene.ask()
    scene.exchange.on_upstream_error(ConnectionResetError())

    assert ["request_connection"] == scene.notes


def _read(link: UpstreamConnection) -> UpstreamConnection:
    link.is_acknowledged = True
    return link


def _heard(link: UpstreamConnection) -> UpstreamConnection:
    link.is_silent = False
    return link


NOT_AGAIN = {
    "POST": (POST, UpstreamConnection(used=True), ConnectionResetError()),
    "new connection": (GET, UpstreamConnection(), ConnectionResetError()),
    "something came": (GET, _heard(UpstreamConnection(used=True)), ConnectionResetError()),
    "silence": (GET, UpstreamConnection(used=True), TimeoutError()),
}


def test_an_inference_that_was_read_is_not_sent_again() -> None:
    """An inference of which bytes were acknowledged may be the reason why the connection ended."""
    scene = Scene(POST, _read(UpstreamConnection(used=True)), is_inference=True)
    scene.ask(b"abc")
    scene.exchange.on_upstream_error(ConnectionResetError())

    assert ([], [502]) == (scene.notes, scene.codes)


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


def _sent_again() -> Scene:
    """The scene of a request that is sent again, before there is a connection for it."""
    scene = Scene(GET, UpstreamConnection(used=True))
    scene.ask()
    scene.exchange.on_upstream_error(ConnectionResetError())
    return scene


def test_second_try_gets_a_response() -> None:
    """A second try is counted as `responded` when the head of a response comes, whatever follows."""
    scene = _sent_again()
    scene.exchange.on_connected(UpstreamConnection())
    scene.response(OK, b"{}", whole=False)
    scene.exchange.on_upstream_error(ConnectionResetError())

    assert [ResendOutcome.RESPONDED] == scene.outcomes


@pytest.mark.parametrize("error", [ConnectionResetError(), TimeoutError()], ids=["reset", "silence"])
def test_second_try_fails(error: Exception) -> None:
    """A second try is counted as failed if the new connection ends or is silent too."""
    scene = _sent_again()
    scene.exchange.on_connected(UpstreamConnection())
    scene.exchange.on_upstream_error(error)

    assert [ResendOutcome.FAILED] == scene.outcomes


def test_second_try_meets_no_model_server() -> None:
    """A second try without a connection is counted as unreachable: nothing was executed twice."""
    scene = _sent_again()
    scene.exchange.on_upstream_error(ExchangeError(502, "Away."))

    assert ([ResendOutcome.UNREACHABLE], [502]) == (scene.outcomes, scene.codes)


def test_second_try_is_abandoned() -> None:
    """A second try whose client leaves is counted as abandoned."""
    scene = _sent_again()
    scene.exchange.on_client_lost()

    assert [ResendOutcome.ABANDONED] == scene.outcomes
