"""Reads HTTP/1.1 with h11, which shares no code with the parsers of the product."""

from typing import NamedTuple

import h11

_LIMIT_BYTES = 2**20
_FRAMING = {b"content-length", b"transfer-encoding", b"host"}

# RFC 9110 section 7.6.1, RFC 9112 appendix C.2.2; the two headers of RFC 9110 section 11.7
_HOP_BY_HOP = {
    *(b"connection", b"keep-alive", b"te", b"trailer", b"upgrade", b"proxy-connection"),  # codespell:ignore te
    *(b"proxy-authenticate", b"proxy-authentication-info", b"proxy-authorization"),
}


class ReadMessage(NamedTuple):
    """One complete message as h11 reads it.

    Args:
        start: Method and target of a request, or the status code of a response.
        headers: Lines of the head; the names are in lower case.
        body: Without framing.
        trailers: Lines after a chunked body.
    """

    start: tuple[bytes | int, ...]
    headers: list[tuple[bytes, bytes]]
    body: bytes
    trailers: list[tuple[bytes, bytes]]


def read_requests(data: bytes) -> tuple[list[ReadMessage], bytes]:
    """The complete requests at the start of some bytes, and the bytes after them."""
    found: list[ReadMessage] = []
    while data:
        connection = h11.Connection(h11.SERVER, max_incomplete_event_size=_LIMIT_BYTES)
        connection.receive_data(data)
        message = _read(connection)
        if message is None:
            break
        found.append(message)
        data = connection.trailing_data[0]
    return found, data


def read_response(method: bytes, data: bytes, *, is_closed: bool) -> tuple[ReadMessage | None, bytes]:
    """The final response at the start of some bytes, `None` if it is not complete, and the bytes after it.

    Args:
        method: Of the request.
        data: What the server sends; may begin with interim responses.
        is_closed: Whether the server then closes its connection.
    """
    connection = h11.Connection(h11.CLIENT, max_incomplete_event_size=_LIMIT_BYTES)
    connection.send(h11.Request(method=method, target=b"/", headers=[(b"Host", b"m")]))
    connection.send(h11.EndOfMessage())
    connection.receive_data(data)
    if is_closed and data:
        connection.receive_data(b"")
    message = _read(connection)
    return message, connection.trailing_data[0] if message is not None else b""


def _read(connection: h11.Connection) -> ReadMessage | None:
    """The next complete message; `None` if h11 refuses it or needs more bytes."""
    start: tuple[bytes | int, ...] = ()
    headers: list[tuple[bytes, bytes]] = []
    body = b""
    try:
        while True:
            event = connection.next_event()
            if isinstance(event, h11.Request):
                start, headers = (bytes(event.method), bytes(event.target)), list(event.headers)
            elif isinstance(event, h11.Response):
                start, headers = (event.status_code,), list(event.headers)
            elif isinstance(event, h11.Data):
                body += bytes(event.data)
            elif isinstance(event, h11.EndOfMessage):
                return ReadMessage(start, headers, body, list(event.headers))
            elif not isinstance(event, h11.InformationalResponse):
                return None
    except h11.RemoteProtocolError:
        return None


def end_to_end(headers: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """The lines for the other end: those that neither the standard nor `Connection` ties to one connection."""
    named = {token.strip().lower() for name, value in headers if name == b"connection" for token in value.split(b",")}
    dropped = _HOP_BY_HOP | (named - _FRAMING)
    return [line for line in headers if line[0] not in dropped]
