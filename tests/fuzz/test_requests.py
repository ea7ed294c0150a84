"""Changed and random requests: what the proxy forwards is read by h11 as one message each, and as it was received."""

import re

from hypothesis import given
from hypothesis import strategies as st

from tests.support.h11_reader import ReadMessage, end_to_end, read_requests
from tests.support.messages import REQUESTS, ForwardedRequests, requests

STRICTER = {
    # what h11 accepts and we refuse: a sentence, the section of the standard, and a pattern of such requests
    "a line ends with a bare LF": ("RFC 9112 2.2", rb"(?<!\r)\n"),
    "a bare CR in a chunk extension": ("RFC 9112 2.2", rb"\r(?!\n)"),
    "a control byte": ("RFC 9110 5.5", rb"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]"),
    "a folded line": ("RFC 9112 5.2", rb"\r\n[ \t]"),
    "another version": ("RFC 9112 2.3", rb"\A[^\r\n]* HTTP/(?!1\.[01]\r)"),
    "an unknown method": ("RFC 9110 9.1", rb"\A(?!(?:GET|HEAD|POST|PUT|DELETE|OPTIONS|TRACE|PATCH) )"),
    "a target that is neither a path nor a URL of http": ("RFC 9112 3.2", rb"\A\S+ (?!/|(?i:http)://)"),
    "a URL without a host": ("RFC 9110 4.2.1", rb"\A\S+ (?i:http)://[/? ]"),
    "a URL with userinfo": ("RFC 9110 4.2.4", rb"\A\S+ (?i:http)://[^/? ]*@"),
    "a URL whose host is not valid": ("RFC 9110 4.2.1", rb"\A\S+ (?i:http)://[^/? ]*[^A-Za-z0-9/? ]"),
    "a fragment": ("RFC 9112 3.2", rb"\A\S+ \S*#"),
    "a Host that is not valid": (
        "RFC 9112 3.2",
        rb"(?i)\nhost:[ \t]*[^\r\n]*?[^A-Za-z0-9\-._~%!$&'()*+;=:\[\] \t\r\n]",
    ),
    "a Host with white space": ("RFC 9112 3.2", rb"(?i)\nhost:[ \t]*[^\s]+[ \t]+[^\s]"),
    "a length twice": ("RFC 9112 6.3", rb"(?i)\ncontent-length:[^\0]*\ncontent-length:"),
    "a list of lengths": ("RFC 9112 6.3", rb"(?i)\ncontent-length:[^\r\n]*,"),
    "a length and chunks": ("RFC 9112 6.1", rb"(?is)(?=.*\ncontent-length:).*\ntransfer-encoding:"),
    "chunks in HTTP/1.0": ("RFC 9112 6.1", rb"(?is)\A[^\r\n]* HTTP/1\.0\r.*\ntransfer-encoding:"),
    "a tab behind the transfer coding": ("RFC 9112 6.1", rb"(?i)\ntransfer-encoding:[^\r\n]*\t\r\n"),
    "a length beyond 64 bits": ("RFC 9110 8.6", rb"(?i)\ncontent-length:[ \t]*[0-9]{19}"),
    "a chunk size beyond 60 bits": ("RFC 9112 7.1", rb"\r\n[0-9A-Fa-f]{16}"),
    "white space behind a chunk size": ("RFC 9112 7.1", rb"\r\n[0-9A-Fa-f]+[^\r\n]*[ \t]\r\n"),
    "a malformed chunk extension": ("RFC 9112 7.1.1", rb"\r\n[0-9A-Fa-f]+;"),
}
LOOSER = {
    # what we accept and h11 refuses
    "an empty line before the request": ("RFC 9112 2.2", rb"\A\r\n"),
}


def _origin_form(received: ReadMessage) -> tuple[tuple[bytes | int, ...], list[tuple[bytes, bytes]]]:
    """What RFC 9112 section 3.2.2 makes of a request: its method and target, and its lines for the other end."""
    method, target = received.start
    lines = end_to_end(received.headers)
    hosts = [value for name, value in lines if name == b"host"]
    url = re.fullmatch(rb"(?i:http)://([^/?]*)(.*)", bytes(target))
    if url is None:
        return received.start, lines if hosts else [(b"host", b"u:1"), *lines]
    path = url[2] if url[2].startswith(b"/") else b"/" + url[2]
    target = b"*" if method == b"OPTIONS" and not url[2] else path
    named = [(name, url[1] if name == b"host" else value) for name, value in lines]
    return (method, target), named if hosts else [(b"host", url[1]), *named]


def _differences(data: bytes) -> list[str] | None:
    """The known differences that explain why only one of the two accepts a request; `None` if both or neither do."""
    ours, theirs = ForwardedRequests(data).shapes, read_requests(data)[0]
    if bool(ours) == bool(theirs):
        return None
    return [name for name, (_, pattern) in (STRICTER if theirs else LOOSER).items() if re.search(pattern, data)]


@given(st.lists(requests(), min_size=1, max_size=3).map(b"".join))
def test_h11_reads_what_is_forwarded(data: bytes) -> None:
    """h11 reads the same methods, targets, bodies and trailers as were forwarded, and nothing after them."""
    forwarded = ForwardedRequests(data)
    found, rest = read_requests(forwarded.written)

    shapes = [
        (*start, body, [(name.lower(), value) for name, value in lines]) for *start, body, lines in forwarded.shapes
    ]
    assert shapes == [(*one.start, one.body, one.trailers) for one in found]
    assert b"" == rest


@given(requests())
def test_h11_accepts_the_same_requests(data: bytes) -> None:
    """A request that only one of the two accepts has a known difference."""
    assert [] != _differences(data)


def test_every_known_difference_is_shown() -> None:
    """The lists name no difference that none of the requests has."""
    assert {*STRICTER, *LOOSER} == {name for data in REQUESTS for name in _differences(data) or []}


@given(requests())
def test_h11_reads_received_and_forwarded_requests_alike(data: bytes) -> None:
    """Where both accept a request, h11 reads the forwarded one as the received one, but for the lines of one hop."""
    received, forwarded = read_requests(data)[0][:1], read_requests(ForwardedRequests(data).written)[0][:1]

    for before, after in zip(received, forwarded, strict=False):
        assert (*_origin_form(before), before.body) == (after.start, after.headers, after.body)
