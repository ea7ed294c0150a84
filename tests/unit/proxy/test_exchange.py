"""What an exchange does at each event, as recorded by its peers."""

import json
from collections.abc import Callable

import pytest

from driftgauge.http1.grammar import READ_BYTES, BadResponseError
from driftgauge.http1.head_parser import read_request, read_response
from driftgauge.proxy.exchange import Exchange
from driftgauge.proxy.failures import ExchangeError
from driftgauge.proxy.interfaces import ExchangeContext
from tests.support.recording_peers import GET, OK, POST, UNENDING, CodeRecorder, Scene, UpstreamConnection


def _status(said: bytes) -> int:
    return int(said.split()[1])


def _error(said: bytes) -> str:
    text: str = json.loads(said.partition(b"\r\n\r\n")[2])["error"]
    return text


def test_one_write_each_way() -> None:
    """Head, body and end that come together are written together, in both directions."""
    link = UpstreamConnection(used=True)
    scene = Scene(POST, link)
    scene.ask(b"abc")

    assert [POST + b"abc"] == link.written
    assert 7.0 == link.silence

    scene.response(OK, b"{}")

    assert [OK + b"{}"] == scene.client.written
    assert (["release"], ["kept"], [200]) == (scene.notes, scene.client.notes, scene.codes)


def test_pieces_go_on_as_they_come() -> None:
    """Each piece is forwarded at once, and the upstream timeout does not run while the client sends its body."""
    link = UpstreamConnection()
    scene = Scene(POST, link)
    scene.exchange.flush()

    assert ([POST], None) == (link.written, link.silence)

    scene.exchange.on_body(b"ab")
    scene.exchange.flush()
    scene.exchange.flush()
    scene.ask(b"c")

    assert ([POST, b"ab", b"c"], 7.0) == (link.written, link.silence)

    scene.response(OK, b"{", whole=False)
    scene.exchange.flush_response()
    scene.exchange.on_response_body(b"}")
    scene.exchange.on_response_end(())

    assert [OK + b"{", b"}"] == scene.client.written


def test_what_comes_before_the_connection_waits_for_it() -> None:
    """Until there is an upstream connection, body bytes are kept up to a limit, then the client is paused."""
    scene = Scene(POST.replace(b"3", b"99999999"))
    for _ in range(3):
        scene.exchange.on_body(bytes(READ_BYTES))
        scene.exchange.flush()

    assert (["request_connection"], ["pause", "pause"]) == (scene.notes, scene.client.notes)

    link = UpstreamConnection()
    scene.exchange.on_connected(link)

    assert 3 * READ_BYTES < len(link.written[0])
    assert "resume" == scene.client.notes[-1]


def test_a_small_body_may_wait() -> None:
    """Pieces within the limit that wait for a connection do not pause the client."""
    scene = Scene(POST)
    for piece in (b"a", b"b"):
        scene.exchange.on_body(piece)
        scene.exchange.flush()

    assert (["request_connection"], []) == (scene.notes, scene.client.notes)


def test_no_connection() -> None:
    """A failed connection attempt is a 502 with the reason, and the client's connection is kept."""
    scene = Scene()
    scene.ask()
    scene.exchange.on_upstream_error(ExchangeError(502, "Away."))

    assert (502, "Away.") == (_status(scene.client.written[0]), _error(scene.client.written[0]))
    assert (["kept"], [502], 1) == (scene.client.notes, scene.codes, len(scene.errors))


def test_both_sides_pause_each_other() -> None:
    """A side that does not read pauses the other, and the upstream timeout runs only for the model server."""
    link = UpstreamConnection()
    scene = Scene(POST, link)
    scene.exchange.on_body(b"a")
    scene.exchange.flush()
    scene.exchange.on_upstream_full(full=True)

    assert (["pause"], 7.0) == (scene.client.notes, link.silence)

    scene.exchange.on_upstream_full(full=False)

    assert (["pause", "resume"], None) == (scene.client.notes, link.silence)

    scene.ask(b"bc")
    scene.response(OK, b"{", whole=False)
    scene.exchange.on_client_full(full=True)

    assert ("pause", None) == (link.notes[-1], link.silence)

    scene.exchange.on_client_full(full=False)

    assert ("resume", 7.0) == (link.notes[-1], link.silence)


def test_the_end_waits_for_a_client_that_does_not_read() -> None:
    """The exchange ends when the client has read the response, or with 499 when the client leaves before."""
    for read, code in ((True, 200), (False, 499)):
        scene = Scene(GET, UpstreamConnection())
        scene.ask()
        scene.response(OK, b"{", whole=False)
        scene.exchange.on_client_full(full=True)
        scene.exchange.on_response_body(b"}")
        scene.exchange.on_response_end(())

        assert [] == scene.codes

        if read:
            scene.exchange.on_client_full(full=False)
        else:
            scene.exchange.on_client_lost()
        scene.exchange.on_client_full(full=False)

        assert [code] == scene.codes


def test_a_body_behind_a_sent_response_is_not_kept() -> None:
    """The rest of a request whose response is written is discarded while the client does not read."""
    scene = Scene(POST, UpstreamConnection())
    scene.exchange.flush()
    scene.exchange.on_client_full(full=True)
    scene.response(OK, b"{}")
    scene.exchange.on_body(b"ab")

    assert scene.exchange.response_sent
    assert 0 == scene.exchange.request.pending_bytes


def test_an_early_response_ends_both_connections() -> None:
    """A response before the end of the request ends the connections of the client and of the model server."""
    link = UpstreamConnection()
    scene = Scene(POST, link)
    scene.exchange.flush()
    scene.response(OK, b"{}")
    scene.exchange.flush()

    assert b"Connection: close" in scene.client.written[0]
    assert (["ended"], "abort") == (scene.client.notes, link.notes[-1])


@pytest.mark.parametrize(("status", "note"), [(499, "release"), (500, "abort")])
def test_connection_after_an_error_of_the_model(status: int, note: str) -> None:
    """An upstream connection is closed after a 5xx: some servers close it then without announcing it."""
    link = UpstreamConnection()
    scene = Scene(GET, link)
    scene.ask()
    scene.response(OK.replace(b"200", b"%d" % status), b"{}")

    assert note in scene.notes + link.notes


def test_draining_closes_the_connection() -> None:
    """While draining, a response has `Connection: close`, and the connection ends."""
    scene = Scene(GET, UpstreamConnection())
    scene.client.draining = True
    scene.ask()
    scene.response(OK, b"{}")

    assert b"\r\nConnection: close\r\n" in scene.client.written[0]
    assert ["ended"] == scene.client.notes


def test_trailers_pass_both_ways() -> None:
    """Trailers of chunked bodies are forwarded in both directions."""
    link = UpstreamConnection()
    scene = Scene(GET.replace(b"GET", b"PUT").replace(b"\r\n\r\n", b"\r\nTransfer-Encoding: chunked\r\n\r\n"), link)
    scene.exchange.on_request_end([(b"X", b"1")])
    scene.exchange.flush()
    scene.exchange.on_response_head(read_response(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"))
    scene.exchange.on_response_end([(b"Y", b"2")])

    assert link.written[0].endswith(b"\r\n\r\n0\r\nX: 1\r\n\r\n")
    assert scene.client.written[0].endswith(b"\r\n\r\n0\r\nY: 2\r\n\r\n")


EXPECTING = POST.replace(b"\r\n\r\n", b"\r\nExpect: 100-continue\r\n\r\n")
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
HINTS = b"HTTP/1.1 103 Hints\r\n\r\n"


@pytest.mark.parametrize(
    ("request_head", "asked", "said"),
    [
        (EXPECTING, False, [CONTINUE, HINTS]),
        (EXPECTING, True, [HINTS]),
        (POST, False, [HINTS]),
        (POST.replace(b"1.1", b"1.0"), False, []),
    ],
)
def test_interim_responses(request_head: bytes, asked: bool, said: list[bytes]) -> None:  # noqa: FBT001 - a column
    """Interim responses are sent to clients of HTTP/1.1 only, and 100 only to those that expect it."""
    scene = Scene(request_head, UpstreamConnection())
    if asked:
        scene.ask(b"abc")
    else:
        scene.exchange.flush()
    scene.exchange.on_response_head(read_response(CONTINUE))
    scene.exchange.on_response_head(read_response(HINTS))
    scene.exchange.flush_response()

    assert said == scene.client.written


def test_silence_counts_until_the_model_asks_for_the_body() -> None:
    """The upstream timeout runs until the model server sends 100 Continue."""
    link = UpstreamConnection()
    scene = Scene(EXPECTING, link)
    scene.exchange.flush()

    assert 7.0 == link.silence

    scene.exchange.on_response_head(read_response(CONTINUE))
    scene.exchange.flush_response()

    assert link.silence is None


FAILURES = [
    # error, status code, part of the sentence
    (TimeoutError(), 504, "did not respond in time"),
    (BadResponseError("odd"), 502, "is not valid HTTP/1.1"),
    (ConnectionResetError(), 502, "closed the connection"),
]


@pytest.mark.parametrize(("error", "status", "sentence"), FAILURES)
def test_failures_before_the_response(error: Exception, status: int, sentence: str) -> None:
    """A failure before the response gives an error response in KServe's form that names it."""
    link = UpstreamConnection()
    scene = Scene(POST, link)
    scene.ask(b"abc")
    scene.exchange.on_upstream_error(error)

    assert status == _status(scene.client.written[0])
    assert sentence in _error(scene.client.written[0])
    assert (["kept"], [status], "abort") == (scene.client.notes, scene.codes, link.notes[-1])


@pytest.mark.parametrize(("version", "note"), [(b"1.1", "aborted"), (b"1.0", "reset")])
def test_failures_within_the_response(version: bytes, note: str) -> None:
    """A response that breaks off never looks complete: the connection is aborted, for HTTP/1.0 with a reset."""
    scene = Scene(GET.replace(b"1.1", version), UpstreamConnection())
    scene.ask()
    scene.response(UNENDING, b"a", whole=False)
    scene.exchange.on_upstream_error(ConnectionResetError())
    scene.exchange.on_upstream_error(ConnectionResetError())

    assert ([note], [502]) == (scene.client.notes, scene.codes)


def test_error_of_a_head_request_has_no_body() -> None:
    """An error response to HEAD ends with its head."""
    scene = Scene(GET.replace(b"GET", b"HEAD"), UpstreamConnection())
    scene.ask()
    scene.exchange.on_upstream_error(TimeoutError())

    assert scene.client.written[0].endswith(b"\r\n\r\n")


OWN_ERRORS: list[tuple[Callable[[Exchange], None], int]] = [
    (Exchange.on_framing_error, 400),
    (Exchange.on_timeout, 408),
    (Exchange.on_internal_error, 500),
]


@pytest.mark.parametrize(("event", "status"), OWN_ERRORS)
def test_errors_that_are_not_the_model_servers(event: Callable[[Exchange], None], status: int) -> None:
    """After an error that is not the model server's, the connection ends, and no upstream error is logged."""
    link = UpstreamConnection()
    scene = Scene(POST, link)
    scene.exchange.flush()
    event(scene.exchange)

    assert status == _status(scene.client.written[0])
    assert (["ended"], [status], [], "abort") == (scene.client.notes, scene.codes, scene.errors, link.notes[-1])


ENDS: list[tuple[Callable[[Exchange], None], int]] = [(Exchange.on_client_lost, 499), (Exchange.on_shutdown, 503)]


@pytest.mark.parametrize(("event", "code"), ENDS)
@pytest.mark.parametrize("link", [UpstreamConnection(), None])
def test_ends_without_a_response(event: Callable[[Exchange], None], code: int, link: UpstreamConnection | None) -> None:
    """An exchange that ends without a response is counted once and releases the connection or the wait for one."""
    scene = Scene(POST, link)
    scene.exchange.flush()
    event(scene.exchange)
    event(scene.exchange)
    scene.exchange.flush()

    assert ([], [code]) == (scene.client.written, scene.codes)
    assert "abort" in link.notes if link is not None else "forget" in scene.notes


def test_an_end_before_anything_was_done() -> None:
    """An exchange that is shut down before its first step is counted and has nothing to release."""
    scene = Scene()
    scene.exchange.on_shutdown()

    assert ([503], []) == (scene.codes, scene.notes)


def test_a_connection_that_takes_nothing_reports_its_loss() -> None:
    """A request on a closed connection does not count as forwarded, and is sent again after the error."""
    link = UpstreamConnection(used=True)
    link.is_open = False
    scene = Scene(GET, link)
    scene.ask()

    assert link.silence is None

    scene.exchange.on_upstream_error(BrokenPipeError())

    assert ["request_connection"] == scene.notes


def test_late_events_change_nothing() -> None:
    """Events that come after the end of the exchange change nothing."""
    scene = Scene(GET, UpstreamConnection())
    scene.ask()
    scene.exchange.on_client_lost()
    scene.exchange.on_upstream_full(full=True)
    scene.exchange.on_client_full(full=True)
    scene.exchange.flush_response()
    scene.exchange.on_response_end(())

    assert [499] == scene.codes


def test_a_recorder_that_fails_leaves_no_client_waiting() -> None:
    """The client's connection is kept even if the recorder raises an error."""

    class Broken(CodeRecorder):
        """Raise an error."""

        def finish(self, code: int) -> None:
            """Raise an error."""
            raise OverflowError(code)

    scene = Scene(GET, UpstreamConnection())
    context = ExchangeContext(scene, "m:1", 7.0, scene, scene.resending)
    exchange = Exchange(read_request(GET), scene.client, Broken([]), context)
    exchange.on_request_end(())
    scene.idle = UpstreamConnection()
    exchange.flush()
    exchange.on_response_head(read_response(OK))
    with pytest.raises(OverflowError):
        exchange.on_response_end(())

    assert ["kept"] == scene.client.notes
