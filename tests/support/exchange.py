"""One HTTP exchange, recorded as it was on the wire, so that two of them can be compared."""

import http.client
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

_TIMEOUT_SECONDS = 60


@dataclass(frozen=True)
class Message:
    """A request to be sent, byte for byte.

    Args:
        path: The path and query.
        body: The body, empty for none.
        headers: Header lines besides `Host` and `Content-Length`.
        method: The method on the request line.
    """

    path: str
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    method: str = "POST"


@dataclass(frozen=True)
class Reply:
    """A response with nothing decoded and nothing reordered."""

    status: int
    reason: str
    headers: list[tuple[str, str]]
    body: bytes

    def lasting(self) -> "Reply":
        """The same response without `Date`, the one header that differs between two equal responses."""
        headers = [(name, value) for name, value in self.headers if name.lower() != "date"]
        return Reply(self.status, self.reason, headers, self.body)

    def header(self, name: str) -> str | None:
        """The first value of a header, whatever its case."""
        return next((value for key, value in self.headers if key.lower() == name.lower()), None)


def send(url: str, message: Message) -> Reply:
    """Send a message to the server at `url` on a new connection."""
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=_TIMEOUT_SECONDS)
    try:
        connection.request(message.method, message.path, message.body or None, dict(message.headers))
        response = connection.getresponse()
        return Reply(response.status, response.reason, response.getheaders(), response.read())
    finally:
        connection.close()
