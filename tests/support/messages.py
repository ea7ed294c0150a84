"""HTTP messages for property tests: random and changed ones, and what the proxy forwards of them."""

from collections.abc import Iterable

from hypothesis import strategies as st

from driftgauge.http1.grammar import BadResponseError, Framing, HeaderList, RefusedError
from driftgauge.http1.heads import RequestHead
from driftgauge.http1.requests import RequestReader
from driftgauge.http1.responses import ResponseReader
from driftgauge.http1.writing import request_head
from tests.support.framing import CUT, PASSED, REFUSED
from tests.support.recording_peers import Scene, UpstreamConnection

_TARGETS = (
    b"/#a",
    b"/a?b",
    b"*",
    b"m:1",
    b"http://n/a",
    b"http://n",
    b"HTTP://n:1?a",
    b"https://n/",
    b"http://a@n/",
    b"http:///",
    b"http://n:x/",
)
REQUESTS = [
    *REFUSED.values(),
    *CUT.values(),
    *(sent for sent, _ in PASSED.values()),
    *(b"GET %b HTTP/1.1\r\nHost: m\r\n\r\n" % target for target in _TARGETS),
    b"POST / HTTP/1.1\r\nHost: m\r\nContent-Length: 00000000000000000001\r\n\r\na",
    b"POST / HTTP/1.1\r\nHost: m\r\nTransfer-Encoding: chunked\r\n\r\n0000000000000001\r\na\r\n0\r\n\r\n",
    b"POST / HTTP/1.0\r\nConnection: keep-alive, x\r\nX: a\r\nContent-Length: 1\r\n\r\na",
]
"""Requests to begin with: valid ones, odd ones, and each form of a target."""

_NAMES = st.sampled_from(
    [
        b"Host",
        b"host",
        b"Content-Length",
        b"Transfer-Encoding",
        b"Connection",
        b"Upgrade",
        b"Trailer",
        b"Expect",
        b"X",
        b"x ",
    ]
)
_VALUES = st.one_of(
    st.sampled_from(
        [b"m", b"0", b"3", b"chunked", b"close", b"keep-alive", b"host", b"content-length", b"\tchunked", b""]
    ),
    st.binary(max_size=6),
)
_LINES = st.lists(st.tuples(_NAMES, st.sampled_from([b": ", b":", b" : ", b":\t"]), _VALUES), max_size=5)
_ENDS = st.sampled_from([b"\r\n", b"\r\n", b"\r\n", b"\n", b"\r"])
_BODIES = st.one_of(st.sampled_from([b"", b"abc", b"0\r\n\r\n", b"3\r\nabc\r\n0\r\n\r\n"]), st.binary(max_size=12))

_OK = b"HTTP/1.1 200 OK\r\n"
_CHUNKED = b"Transfer-Encoding: chunked\r\n"
RESPONSES = [
    _OK + b"Content-Length: 3\r\n\r\nabc",
    _OK + b"Content-Length: 0\r\n\r\n",
    _OK + _CHUNKED + b"\r\n3;a=b\r\nabc\r\n0\r\nX: a\r\n\r\n",
    _OK + _CHUNKED + b"Trailer: X\r\nConnection: close\r\n\r\n1\r\na\r\n2\r\nbc\r\n0\r\n\r\n",
    _OK + b"Connection: close, x\r\nX: a\r\n\r\nabc",
    _OK + b"Content-Length: 3\r\n" + _CHUNKED + b"\r\n0\r\n\r\n",
    _OK + b"Content-Length: 1, 1\r\n\r\na",
    _OK + b"Content-Length: 1\r\nContent-Length: 1\r\n\r\na",
    _OK + b"Content-Length: 0000000000000000001\r\n\r\na",
    _OK + b"Content-Length: 1\nX: a\r\n b\r\n\r\na",
    _OK + b"Host: a\r\nHost: b\r\nX: \x01\r\nContent-Length: 0\r\n\r\n",
    _OK + b"Transfer-Encoding: chunked\t\r\n\r\n0\r\n\r\n",
    _OK + _CHUNKED + b"\r\n1 \r\na\r\n0;\r;\r\n\r\n",
    b"HTTP/1.2 200 OK\r\nContent-Length: 0\r\n\r\n",
    b"HTTP/1.1 099 x\r\n\r\n" + _OK + b"Content-Length: 0\r\n\r\n",
    b"HTTP/1.0 200 OK\r\n" + _CHUNKED + b"\r\n0\r\n\r\n",
    b"HTTP/1.0 200 OK\r\n\r\nabc",
    b"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 1\r\n\r\na",
    b"HTTP/1.1 200\r\nContent-Length: 1\r\n\r\na",
    b"HTTP/1.1 204 No Content\r\nContent-Length: 3\r\n\r\n",
    b"HTTP/1.1 304 Not Modified\r\nContent-Length: 3\r\n\r\n",
    b"HTTP/1.1 100 Continue\r\n\r\n" + _OK + b"Content-Length: 1\r\n\r\na",
    b"HTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\nHTTP/1.1 503 No\r\nContent-Length: 1\r\n\r\na",
    b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n",
]


@st.composite
def changed(draw: st.DrawFn, corpus: list[bytes]) -> bytes:
    """A message of a corpus with a few bytes replaced, removed or added."""
    raw = bytearray(draw(st.sampled_from(corpus)))
    for _ in range(draw(st.integers(0, 3))):
        at = draw(st.integers(0, len(raw)))
        raw[at : at + draw(st.integers(0, 2))] = draw(
            st.sampled_from([b"\r\n", b"\n", b" ", b":", b";"]) | st.binary(max_size=2)
        )
    return bytes(raw)


@st.composite
def _built(draw: st.DrawFn, start: st.SearchStrategy[bytes]) -> bytes:
    lines = b"".join(name + colon + value + draw(_ENDS) for name, colon, value in draw(_LINES))
    return draw(start) + lines + b"\r\n" + draw(_BODIES)


def requests() -> st.SearchStrategy[bytes]:
    """Byte strings like requests: changed ones of the corpus, and those made of random lines."""
    versions = st.sampled_from([b"1.1", b"1.1", b"1.0"])
    return changed(REQUESTS) | _built(versions.map(lambda version: b"POST / HTTP/" + version + b"\r\nHost: m\r\n"))


def responses() -> st.SearchStrategy[bytes]:
    """Byte strings like responses: changed ones of the list, and those made of random lines."""
    statuses = st.sampled_from([b"200 OK", b"200 OK", b"404", b"204 ", b"304 x", b"102 x"])
    return changed(RESPONSES) | _built(statuses.map(lambda status: b"HTTP/1.1 " + status + b"\r\n"))


class ForwardedRequests:
    """Forwards requests as an exchange does, and records each.

    Args:
        data: What a client sends.

    Attributes:
        written: What the model server gets of the complete requests.
        shapes: Method, target, body and trailers of each complete request.
    """

    def __init__(self, data: bytes) -> None:
        self.written = b""
        self.shapes: list[tuple[bytes, bytes, bytes, HeaderList]] = []
        self._requests = RequestReader(self._handle)
        try:
            self._requests.feed(data)
            while self._requests.is_behind:
                self._requests.feed(b"")
        except RefusedError:
            return

    def _handle(self, head: RequestHead) -> "ForwardedRequests":
        self._head, self._body, self._pending = head, b"", request_head(head, "u:1")
        self._framing = Framing.CHUNKED if head.length is None else Framing.LENGTH
        return self

    def on_body(self, data: bytes) -> None:
        """Frame the data."""
        self._body += data
        self._pending += self._framing.frame(data)

    def on_request_end(self, trailers: HeaderList) -> None:
        """Record complete requests only."""
        self.written += self._pending + self._framing.end(trailers)
        self.shapes.append((self._head.method, self._head.target, self._body, list(trailers)))
        self._requests.finish_request()

    def on_framing_error(self) -> None:
        """Discard the request."""

    def flush(self) -> None:
        """Do nothing, since nothing is buffered."""


class ForwardedResponse:
    """Forwards one response as an exchange does.

    Args:
        request: Head of the request.
        pieces: What the model server sends before it closes its connection.

    Attributes:
        written: What the client gets.
        notes: What is done with the client's connection: `kept`, `ended`, `aborted` or `reset` is the last.
        is_replaced: Whether the client gets an error of the proxy, or nothing complete.
    """

    def __init__(self, request: bytes, pieces: Iterable[bytes]) -> None:
        scene = Scene(request, UpstreamConnection())
        scene.ask()
        reader = ResponseReader()
        reader.expect(scene.exchange.request.head.method, scene.exchange)
        try:
            for piece in pieces:
                reader.feed(piece)
                while reader.is_behind:
                    reader.feed(b"")
            reader.end()
        except BadResponseError as error:
            scene.exchange.on_upstream_error(error)
        self.written = b"".join(scene.client.written)
        self.notes = [note for note in scene.client.notes if note in {"kept", "ended", "aborted", "reset"}]
        self.is_replaced = bool(scene.errors)
