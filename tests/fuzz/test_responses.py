"""Changed and random responses: what the client gets is read by h11 as one message, and as the model server sent it."""

import re

from hypothesis import given
from hypothesis import strategies as st

from tests.support.h11_reader import ReadMessage, end_to_end, read_response
from tests.support.messages import RESPONSES, ForwardedResponse, responses

STRICTER = {
    # what h11 accepts and we refuse: a sentence, the section of the standard, and a pattern of such responses
    "a line ends with a bare LF": ("RFC 9112 2.2", rb"(?<!\r)\n"),
    "a bare CR in a chunk extension": ("RFC 9112 2.2", rb"\r(?!\n)"),
    "a control byte": ("RFC 9110 5.5", rb"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]"),
    "a folded line": ("RFC 9112 5.2", rb"\r\n[ \t]"),
    "a length and chunks": ("RFC 9112 6.3", rb"(?is)(?=.*\ncontent-length:).*\ntransfer-encoding:"),
    "a length twice": ("RFC 9112 6.3", rb"(?is)\ncontent-length:.*\ncontent-length:"),
    "a list of lengths": ("RFC 9112 6.3", rb"(?i)\ncontent-length:[^\r\n]*,"),
    "a length beyond 64 bits": ("RFC 9110 8.6", rb"(?i)\ncontent-length:[ \t]*[0-9]{19}"),
    "chunks in HTTP/1.0": ("RFC 9112 6.1", rb"(?is)HTTP/1\.0 .*\ntransfer-encoding:"),
    "a Host twice, which no response needs": ("RFC 9110 5.3", rb"(?is)\nhost:.*\nhost:"),
    "another version": ("RFC 9112 2.3", rb"\A[^\r\n]*HTTP/(?!1\.[01] )"),
    "a malformed chunk extension": ("RFC 9112 7.1.1", rb"\r\n[0-9A-Fa-f]+;"),
    "white space behind a chunk size": ("RFC 9112 7.1", rb"\r\n[0-9A-Fa-f]+[^\r\n]*[ \t]\r\n"),
}
GET, HEAD = b"GET / HTTP/1.1\r\nHost: m\r\n\r\n", b"HEAD / HTTP/1.1\r\nHost: m\r\n\r\n"
OLD_GET = b"GET / HTTP/1.0\r\nHost: m\r\n\r\n"
ASKED = st.sampled_from([GET, GET, HEAD, OLD_GET])


def _method(request: bytes) -> bytes:
    return request.partition(b" ")[0]


def _differences(request: bytes, data: bytes) -> list[str] | None:
    """The known differences that explain why h11 accepts a response that we refuse; `None` if we accept it, too.

    We accept nothing that h11 refuses, so a known difference explains that never.
    """
    ours = not ForwardedResponse(request, [data]).is_replaced
    theirs = read_response(_method(request), data, is_closed=True)[0] is not None
    if ours == theirs:
        return None
    return [name for name, (_, pattern) in STRICTER.items() if theirs and re.search(pattern, data)]


@given(ASKED, responses())
def test_h11_reads_one_response(request: bytes, data: bytes) -> None:
    """Whatever the model server sends, h11 reads what the client gets as one response, or as one that breaks off."""
    forwarded = ForwardedResponse(request, [data])
    is_closed = forwarded.notes == ["ended"]
    message, rest = read_response(_method(request), forwarded.written, is_closed=is_closed)

    assert (forwarded.notes in (["kept"], ["ended"]), b"") == (message is not None, rest)


@given(ASKED, responses())
def test_h11_accepts_the_same_responses(request: bytes, data: bytes) -> None:
    """A response that only one of the two accepts has a known difference."""
    assert [] != _differences(request, data)


@given(ASKED, responses())
def test_h11_reads_sent_and_forwarded_responses_alike(request: bytes, data: bytes) -> None:
    """Where both accept a response, the client gets its status code, body, and lines for the other end."""
    forwarded = ForwardedResponse(request, [data])
    before, _ = read_response(_method(request), data, is_closed=True)
    after, _ = read_response(_method(request), forwarded.written, is_closed=True)

    if before is not None and after is not None and not forwarded.is_replaced:
        assert (before.start, _lines(before), before.body) == (after.start, _lines(after), after.body)


def _lines(message: ReadMessage) -> list[tuple[bytes, bytes]]:
    """The lines for the other end; not the transfer coding, nor the length that RFC 9110 section 8.6 forbids in 204."""
    dropped = {b"transfer-encoding"} | ({b"content-length"} if message.start == (204,) else set())
    return [line for line in end_to_end(message.headers) if line[0] not in dropped]


def test_every_known_difference_is_shown() -> None:
    """The list names no difference that none of the responses has."""
    assert {*STRICTER} == {name for data in RESPONSES for name in _differences(GET, data) or []}
