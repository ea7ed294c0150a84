"""Refuses the request of a sender that presents no valid token, and keeps nothing of its body."""

import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import Final, final

from driftgauge.http1.grammar import HeaderList
from driftgauge.http1.heads import RequestHead
from driftgauge.server.connection import ClientConnection
from driftgauge.server.request_handler import ShortResponse
from driftgauge.server.tokens import CHALLENGE

_READ_BYTES: Final = 64 * 1024
"""How much of the body is read, so that the connection can be kept; a longer one is not waited for."""

_BODY: Final = json.dumps({"error": "events need a valid token"}).encode()
_MORE: Final = (b"WWW-Authenticate: " + CHALLENGE.encode(),)


@final
class Unauthorized:
    """Handles one request of a sender without a valid token; see `RequestHandler`.

    Args:
        head: Head of the request.
        client: Connection of the sender.
    """

    __slots__ = ("_discarded_bytes", "_is_expecting", "_response")

    def __init__(self, head: RequestHead, client: ClientConnection) -> None:
        self._response = ShortResponse(head, client)
        self._is_expecting = head.expects_continue
        self._discarded_bytes = 0

    @property
    def response_started(self) -> bool:
        """Whether any of the response was given to the client."""
        return self._response.is_written

    @property
    def response_sent(self) -> bool:
        """Whether all of it was."""
        return self._response.is_written

    @property
    def log_fields(self) -> Mapping[str, object]:
        """Nothing: the ids of an unknown client do not belong in the log."""
        return {}

    def on_body(self, data: bytes) -> None:
        """Discard a piece of the body."""
        self._discarded_bytes += len(data)
        if self._discarded_bytes > _READ_BYTES:
            self._respond(keep_alive=False)

    def on_request_end(self, trailers: HeaderList) -> None:  # noqa: ARG002 - nothing of the request is used
        """Respond."""
        self._respond(keep_alive=True)

    def flush(self) -> None:
        """Respond to a sender that asks before it sends its body."""
        if self._is_expecting:
            self._respond(keep_alive=False)

    def on_framing_error(self) -> None:
        """Respond although the body has no end."""
        self._respond(keep_alive=False)

    def on_timeout(self) -> None:
        """Respond although the body comes too slowly."""
        self._respond(keep_alive=False)

    def on_internal_error(self) -> None:
        """Respond, if that has not happened yet."""
        self._respond(keep_alive=False)

    def on_client_full(self, *, full: bool) -> None:
        """Wait for a sender that does not read."""
        self._response.on_client_full(full=full)

    def on_client_lost(self) -> None:
        """Do nothing: there is nothing to lose."""

    def on_shutdown(self) -> None:
        """Do nothing, as above."""

    def _respond(self, *, keep_alive: bool) -> None:
        if not self._response.is_written:
            self._response.write(HTTPStatus.UNAUTHORIZED, b"application/json", _BODY, keep_alive=keep_alive, more=_MORE)
            self._response.finish()
