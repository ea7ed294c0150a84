"""However requests and chunks are mixed and cut, one turn of the event loop reads a limited number of them."""

from hypothesis import given
from hypothesis import strategies as st

from driftgauge.http1.grammar import CHUNKS_PER_TURN, REQUESTS_PER_TURN, HeaderList
from driftgauge.http1.heads import RequestHead
from driftgauge.http1.requests import RequestReader
from driftgauge.http1.responses import ResponseReader
from tests.support.recording_peers import Scene, UpstreamConnection

GET = b"GET / HTTP/1.1\r\nHost: m\r\n\r\n"
CHUNKED = b"Transfer-Encoding: chunked\r\n\r\n"
POST = b"POST / HTTP/1.1\r\nHost: m\r\n" + CHUNKED
OK = b"HTTP/1.1 200 OK\r\n" + CHUNKED
CHUNK_FORMS = st.sampled_from([b"1\r\nx\r\n", b"01\r\nx\r\n", b"1;a=b\r\nx\r\n"])
CHUNKS = st.tuples(CHUNK_FORMS, st.integers(0, 3000))
END = b"0\r\n\r\n"
REQUESTS = st.tuples(st.just(GET), st.integers(1, 40)) | CHUNKS


class Meter:
    """Responds to each request at once, and counts what each turn reads.

    Attributes:
        turns: Requests and one-byte chunks of each turn.
    """

    def __init__(self) -> None:
        self.turns: list[tuple[int, int]] = []
        self._requests = self._chunks = 0
        self._reader = RequestReader(self._handle)

    def feed(self, data: bytes) -> None:
        """Read bytes in as many turns as they need."""
        self._turn(data)
        while self._reader.is_behind:
            self._turn(b"")

    def _turn(self, data: bytes) -> None:
        before = self._requests, self._chunks
        self._reader.feed(data)
        self.turns.append((self._requests - before[0], self._chunks - before[1]))

    def _handle(self, head: RequestHead) -> "Meter":
        del head
        self._requests += 1
        return self

    def on_body(self, data: bytes) -> None:
        """Count the chunks: each holds one byte."""
        self._chunks += len(data)

    def on_request_end(self, trailers: HeaderList) -> None:
        """Finish the request."""
        del trailers
        self._reader.finish_request()

    def on_framing_error(self) -> None:
        """Do nothing: the framing is valid."""

    def flush(self) -> None:
        """Do nothing, since nothing is buffered."""


def _pieces(data: bytes, sizes: list[int]) -> list[bytes]:
    """The bytes in pieces of the sizes, and the rest."""
    pieces = []
    for size in sizes:
        pieces.append(data[:size])
        data = data[size:]
    return [*pieces, data]


@given(st.lists(REQUESTS, min_size=1, max_size=6), st.lists(st.integers(1, 20_000), max_size=4))
def test_requests(repeated: list[tuple[bytes, int]], sizes: list[int]) -> None:
    """No turn reads more than `REQUESTS_PER_TURN` requests or about twice `CHUNKS_PER_TURN` chunks; all are read."""
    data = b"".join([one * times if one == GET else POST + one * times + END for one, times in repeated])
    meter = Meter()
    for piece in _pieces(data, sizes):
        meter.feed(piece)

    assert max(requests for requests, _ in meter.turns) <= REQUESTS_PER_TURN
    assert max(chunks for _, chunks in meter.turns) <= 2 * CHUNKS_PER_TURN + 1
    assert data.count(b"Host: m") == sum(requests for requests, _ in meter.turns)
    assert data.count(b"\r\nx\r\n") == sum(chunks for _, chunks in meter.turns)


@given(st.lists(CHUNKS, max_size=4), st.lists(st.integers(1, 20_000), max_size=4))
def test_response(repeated: list[tuple[bytes, int]], sizes: list[int]) -> None:
    """No turn begins more than `CHUNKS_PER_TURN` chunks of a response, beside one begun in the turn before."""
    chunks = b"".join([one * times for one, times in repeated])
    scene = Scene(GET, UpstreamConnection())
    scene.ask()
    reader = ResponseReader()
    reader.expect(b"GET", scene.exchange)
    turns = []
    for piece in _pieces(OK + chunks + END, sizes):
        reader.feed(piece)
        turns.append(b"".join(scene.client.written).count(b"x"))
        while reader.is_behind:
            reader.feed(b"")
            turns.append(b"".join(scene.client.written).count(b"x"))

    assert max(after - before for before, after in zip([0, *turns], turns, strict=False)) <= CHUNKS_PER_TURN + 1
    assert chunks.count(b"\r\nx\r\n") == turns[-1]
    assert reader.done
