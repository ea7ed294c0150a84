"""One connection does a limited amount of work in each turn of the event loop, so that others get theirs."""

from collections.abc import Callable, Iterator, Mapping

import pytest

from driftgauge.http1.grammar import CHUNKS_PER_TURN, MAX_INTERIM_RESPONSES, REQUESTS_PER_TURN, HeaderList
from driftgauge.http1.heads import RequestHead
from driftgauge.http1.states import ClientState, UpstreamState
from driftgauge.proxy.upstream_connection import UpstreamConnection
from driftgauge.server.connection import ClientConnection
from driftgauge.server.request_handler import RequestHandler, ShortResponse
from driftgauge.server.timeouts import Timeouts
from tests.support.recording_peers import Scene
from tests.support.recording_transport import ManualLoop, RecordingTransport

GET = b"GET / HTTP/1.1\r\nHost: m\r\n\r\n"
POST = b"POST / HTTP/1.1\r\nHost: m\r\nTransfer-Encoding: chunked\r\n\r\n"
CHUNK = b"1\r\nx\r\n"
END = b"0\r\n\r\n"


class Handler:
    """Responds at the end of the request, and counts what it was called with.

    Args:
        head: Head of the request.
        client: Where the response goes.
        sizes: Where the length of each piece of the body is added.
    """

    def __init__(self, head: RequestHead, client: ClientConnection, sizes: list[int]) -> None:
        self._head = head
        self._response = ShortResponse(head, client)
        self._sizes = sizes

    @property
    def response_started(self) -> bool:
        """Whether the response was written."""
        return self._response.is_written

    @property
    def response_sent(self) -> bool:
        """Whether the response was written."""
        return self._response.is_written

    @property
    def log_fields(self) -> Mapping[str, object]:
        """The id of the request."""
        return {"request_id": self._head.fields.get(b"x-request-id", b"").decode()}

    def on_body(self, data: bytes) -> None:
        """Count the bytes."""
        self._sizes.append(len(data))

    def on_request_end(self, trailers: HeaderList) -> None:
        """Respond."""
        del trailers
        self._response.write(200, b"", b"")
        self._response.finish()

    def on_client_full(self, *, full: bool) -> None:
        """Wait for the client."""
        self._response.on_client_full(full=full)

    def flush(self) -> None:
        """Do nothing."""

    def on_framing_error(self) -> None:
        """Do nothing: no test sends one."""

    on_timeout = on_client_lost = on_shutdown = on_internal_error = on_framing_error


class Client:
    """A client's connection on a transport without a network; it is its own host."""

    def __init__(self) -> None:
        self.draining = False
        self.requests = 0
        self.sizes: list[int] = []
        self.loop = ManualLoop()
        self.transport = RecordingTransport()
        self.run(self._open)

    def _open(self) -> None:
        self.connection = ClientConnection(self, self.loop.time, Timeouts())
        self.connection.connection_made(self.transport)

    def run(self, step: Callable[[], object] = bool) -> None:
        """Run a step in one turn of the loop."""
        self.loop.call_soon(step)
        self.loop.call_soon(self.loop.stop)
        self.loop.run_forever()

    def send(self, data: bytes, then: Callable[[], object] = bool) -> None:
        """Deliver bytes and do another step, in one turn of the loop."""
        assert self.transport.may_read

        def step() -> None:
            """Do both."""
            self.connection.data_received(data)
            then()

        self.run(step)

    def on_request(self, head: RequestHead, connection: ClientConnection) -> RequestHandler:
        """Count it."""
        self.requests += 1
        return Handler(head, connection, self.sizes)

    def connection_opened(self, connection: ClientConnection) -> None:
        """Ignore it."""

    def connection_closed(self, connection: ClientConnection) -> None:
        """Ignore it."""

    def connection_idle(self) -> None:
        """Ignore it."""


@pytest.fixture
def client() -> Iterator[Client]:
    """A client's connection, closed at the end."""
    client = Client()
    yield client
    client.run(lambda: client.connection.connection_lost(None))
    client.transport.release()
    client.loop.close()


def test_pipelined_requests_are_read_some_in_each_turn(client: Client) -> None:
    """Each turn reads `REQUESTS_PER_TURN` pipelined requests, and the socket is not read until all are."""
    client.send(GET * (3 * REQUESTS_PER_TURN + 1))
    done = [(client.requests, client.transport.may_read)]
    for _ in range(3):
        client.run()
        done.append((client.requests, client.transport.may_read))

    assert [(REQUESTS_PER_TURN * turn, False) for turn in (1, 2, 3)] == done[:3]
    assert (3 * REQUESTS_PER_TURN + 1, True) == done[3]
    assert client.requests == client.transport.written.count(b"HTTP/1.1 200 OK")
    assert ClientState.IDLE is client.connection.state


def test_chunks_are_read_some_in_each_turn(client: Client) -> None:
    """Each turn reads `CHUNKS_PER_TURN` chunks, and the socket is not read until all are."""
    client.send(POST + CHUNK * (2 * CHUNKS_PER_TURN + 1) + END)

    assert ([CHUNKS_PER_TURN], False) == (client.sizes, client.transport.may_read)

    client.run()
    client.run()

    assert [CHUNKS_PER_TURN, CHUNKS_PER_TURN, 1] == client.sizes
    assert (1, True) == (client.transport.written.count(b"HTTP/1.1 200 OK"), client.transport.may_read)


def test_pipelined_chunked_requests_share_the_chunks_of_a_turn(client: Client) -> None:
    """Many pipelined bodies in chunks are no more than twice the chunks of a turn in any turn."""
    count = CHUNKS_PER_TURN - 1
    client.send((POST + CHUNK * count + END) * 3)
    turns = [sum(client.sizes)]
    while client.requests < 3 or not client.transport.may_read:
        client.run()
        turns.append(sum(client.sizes) - sum(turns))

    assert 3 * count == sum(turns)
    assert max(turns) <= 2 * CHUNKS_PER_TURN


def test_a_paused_body_waits_for_its_handler(client: Client) -> None:
    """While the handler has paused reading, no more chunks are read; when it resumes, all of them are."""
    client.send(POST + CHUNK * (CHUNKS_PER_TURN + 1) + END, client.connection.pause_reading)
    client.run()
    client.run()

    assert [CHUNKS_PER_TURN] == client.sizes

    client.run(client.connection.resume_reading)
    client.run()

    assert [CHUNKS_PER_TURN, 1] == client.sizes
    assert client.transport.may_read


def test_a_lost_connection_reads_no_more(client: Client) -> None:
    """Bytes that wait for their turn are discarded with their connection."""
    client.send(GET * (REQUESTS_PER_TURN + 1), lambda: client.connection.connection_lost(None))
    client.run()
    client.run()

    assert REQUESTS_PER_TURN == client.requests


CHUNKED_RESPONSE = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


class Upstream:
    """A connection to a model server that responds to one exchange."""

    def __init__(self) -> None:
        self.loop = ManualLoop()
        self.transport = RecordingTransport()
        self.scene = Scene()
        self.run(self._open)

    def _open(self) -> None:
        self.connection = UpstreamConnection(lambda _: None)
        self.connection.connection_made(self.transport)
        self.scene.ask()
        self.scene.exchange.on_connected(self.connection)

    def run(self, step: Callable[[], object] = bool) -> None:
        """Run a step in one turn of the loop."""
        self.loop.call_soon(step)
        self.loop.call_soon(self.loop.stop)
        self.loop.run_forever()

    def send(self, data: bytes, then: Callable[[], object] = bool) -> None:
        """Deliver bytes of the model server and do another step, in one turn of the loop."""

        def step() -> None:
            """Do both."""
            self.connection.data_received(data)
            then()

        self.run(step)

    @property
    def content_bytes(self) -> int:
        """Number of bytes of content that the client was given."""
        return b"".join(self.scene.client.written).count(b"x")


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    """A connection to a model server, closed at the end."""
    upstream = Upstream()
    yield upstream
    upstream.run(upstream.connection.abort)
    upstream.transport.release()
    upstream.loop.close()


def test_chunks_of_a_response_are_read_some_in_each_turn(upstream: Upstream) -> None:
    """Each turn forwards `CHUNKS_PER_TURN` chunks of the model server, and its socket is not read until all are."""
    upstream.send(CHUNKED_RESPONSE + CHUNK * (CHUNKS_PER_TURN + 7) + END)

    assert (CHUNKS_PER_TURN, False) == (upstream.content_bytes, upstream.transport.may_read)

    upstream.run()

    assert (CHUNKS_PER_TURN + 7, True) == (upstream.content_bytes, upstream.transport.may_read)
    assert ["kept"] == upstream.scene.client.notes


def test_a_full_client_pauses_chunks_that_wait(upstream: Upstream) -> None:
    """Chunks that wait for their turn are not given to a client that does not read, until it reads again."""
    upstream.send(
        CHUNKED_RESPONSE + CHUNK * (CHUNKS_PER_TURN + 7), lambda: upstream.scene.exchange.on_client_full(full=True)
    )
    upstream.run()

    assert CHUNKS_PER_TURN == upstream.content_bytes

    upstream.run(lambda: upstream.scene.exchange.on_client_full(full=False))
    upstream.run()

    assert (CHUNKS_PER_TURN + 7, True) == (upstream.content_bytes, upstream.transport.may_read)


@pytest.mark.parametrize("error", [None, ConnectionResetError()], ids=["end", "reset"])
def test_chunks_that_wait_are_read_when_the_connection_ends(upstream: Upstream, error: Exception | None) -> None:
    """A complete response whose chunks wait reaches the client though the connection has ended, some in each turn."""
    upstream.send(
        CHUNKED_RESPONSE + CHUNK * (CHUNKS_PER_TURN * 3) + END, lambda: upstream.connection.connection_lost(error)
    )
    turns = [upstream.content_bytes]
    while len(turns) < 4:
        upstream.run()
        turns.append(upstream.content_bytes)

    assert [CHUNKS_PER_TURN, CHUNKS_PER_TURN * 2, CHUNKS_PER_TURN * 3, CHUNKS_PER_TURN * 3] == turns
    assert ["kept"] == upstream.scene.client.notes
    assert not upstream.connection.release()


def test_chunks_that_wait_after_the_end_wait_for_a_full_client(upstream: Upstream) -> None:
    """Chunks of a connection that has ended are not given to a client that does not read, until it reads again."""
    upstream.send(CHUNKED_RESPONSE + CHUNK * (CHUNKS_PER_TURN + 7) + END, upstream.connection.eof_received)
    upstream.run(lambda: upstream.scene.exchange.on_client_full(full=True))
    upstream.run(lambda: upstream.connection.connection_lost(None))

    assert CHUNKS_PER_TURN >= upstream.content_bytes - 7

    upstream.run(lambda: upstream.scene.exchange.on_client_full(full=False))
    upstream.run()

    assert CHUNKS_PER_TURN + 7 == upstream.content_bytes
    assert ["kept"] == upstream.scene.client.notes


def test_a_response_that_is_unread_when_the_connection_is_lost(upstream: Upstream) -> None:
    """What a model server sent before it closed on the request is read from the socket, some in each turn."""
    count = CHUNKS_PER_TURN * 3
    upstream.transport.deliver(CHUNKED_RESPONSE + CHUNK * count + END)
    upstream.run(lambda: upstream.connection.connection_lost(BrokenPipeError()))
    upstream.transport.release()
    turns = [upstream.content_bytes]
    while turns[-1] < count:
        upstream.run()
        turns.append(upstream.content_bytes)
    for _ in range(3):
        upstream.run()

    assert [CHUNKS_PER_TURN, CHUNKS_PER_TURN * 2, CHUNKS_PER_TURN * 3] == turns
    assert ["kept"] == upstream.scene.client.notes
    assert UpstreamState.CLOSED is upstream.connection.state


def test_a_response_that_is_unread_and_incomplete(upstream: Upstream) -> None:
    """If what is left in the socket of a lost connection is not a whole response, the exchange fails with 502."""
    upstream.transport.deliver(CHUNKED_RESPONSE + CHUNK)
    upstream.run(lambda: upstream.connection.connection_lost(BrokenPipeError()))
    for _ in range(3):
        upstream.run()

    assert [502] == upstream.scene.codes
    assert UpstreamState.CLOSED is upstream.connection.state


def test_too_many_interim_responses_are_a_502(upstream: Upstream) -> None:
    """After 100 interim responses the client gets 502, which is counted and logged, and the connection is dropped."""
    upstream.send(b"HTTP/1.1 102 Processing\r\n\r\n" * 5_000)

    written = b"".join(upstream.scene.client.written)

    assert MAX_INTERIM_RESPONSES == written.count(b"HTTP/1.1 102 Processing")
    assert b"HTTP/1.1 502 Bad Gateway" in written
    assert ["The model server at m:1 sent more than 100 interim responses."] == [
        error.sentence for error in upstream.scene.errors
    ]
    assert [502] == upstream.scene.codes
    assert upstream.transport.is_closed


class BrokenClient(Client):
    """A client whose requests meet a bug in their handler."""

    def on_request(self, head: RequestHead, connection: ClientConnection) -> RequestHandler:
        """Return a handler that cannot count."""
        return Handler(head, connection, ())  # type: ignore[arg-type]  # the bug


def test_a_bug_is_logged_with_the_ids_of_its_request(caplog: pytest.LogCaptureFixture) -> None:
    """One line, with the fields that the handler has."""
    client = BrokenClient()
    client.send(POST.replace(b"\r\n\r\n", b"\r\nX-Request-Id: a1\r\n\r\n") + CHUNK + END)
    client.run(lambda: client.connection.connection_lost(None))
    client.transport.release()
    client.loop.close()

    assert ["an exchange failed because of a bug in driftgauge"] == caplog.messages
    assert [{"request_id": "a1"}] == [getattr(record, "fields", None) for record in caplog.records]
