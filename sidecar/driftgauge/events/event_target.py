"""The receiver of events: one URL, one request at a time."""

import ssl
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from enum import Enum, auto
from http import HTTPStatus
from typing import Final, NamedTuple, final

from aiohttp import ClientError, ClientResponse, ClientSession, ClientTimeout, DummyCookieJar, TCPConnector

from driftgauge import __version__
from driftgauge.outgoing.ended_attempt import cause_of, read_rest
from driftgauge.outgoing.own_resolver import OwnResolver
from driftgauge.outgoing.retry import asks_for_retry, retry_after_seconds

ATTEMPT_SECONDS: Final = 10.0
"""Longest time of one attempt."""

MAX_RETRY_AFTER_SECONDS: Final = 3_600.0
"""Longest pause that a response can ask for."""


class EventReply(Enum):
    """What a receiver has said to an event."""

    ACCEPTED = auto()
    LATER = auto()
    REFUSED = auto()


class EventResponse(NamedTuple):
    """The result of one attempt.

    Args:
        reply: What the receiver has said.
        why: A sentence for people, empty if it was accepted.
        pause_seconds: How long the receiver asks to wait; 0 if it does not.
    """

    reply: EventReply
    why: str = ""
    pause_seconds: float = 0.0


@final
class EventTarget:
    """Sends requests to one URL.

    Args:
        url: Where to. It may hold a password, and is never shown.
        token: Returns the bearer token; `None` without one.
        context: Which certificates are trusted; `None` for those of the system.
        attempt_seconds: Longest time of one attempt.
    """

    def __init__(
        self,
        url: str,
        token: Callable[[], str | None] = lambda: None,
        context: ssl.SSLContext | None = None,
        attempt_seconds: float = ATTEMPT_SECONDS,
    ) -> None:
        self._url = url
        self._token = token
        self._context = context
        self._attempt_seconds = attempt_seconds
        self._session: ClientSession | None = None

    async def send(self, headers: Mapping[str, str], body: bytes) -> EventResponse:
        """Send a request once."""
        token = self._token()
        if token is not None:
            headers = {**headers, "Authorization": f"Bearer {token}"}
        try:
            async with self._opened().post(
                self._url,
                data=body,
                headers=headers,
                allow_redirects=False,
                timeout=ClientTimeout(self._attempt_seconds),
            ) as response:
                result = _result_of(response)
                await read_rest(response)
                return result
        except TimeoutError:
            return EventResponse(EventReply.LATER, f"no response within {self._attempt_seconds:.3g} s")
        except (ClientError, OSError, RuntimeError) as error:  # uvloop raises RuntimeError for a closed transport
            return EventResponse(EventReply.LATER, cause_of(error))

    async def close(self) -> None:
        """Close the connection."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    def _opened(self) -> ClientSession:
        """The session, opened when it is first used."""
        if self._session is None:
            trusted = True if self._context is None else self._context
            self._session = ClientSession(
                connector=TCPConnector(limit=1, resolver=OwnResolver(), ssl=trusted),
                cookie_jar=DummyCookieJar(),
                headers={"User-Agent": f"driftgauge/{__version__}"},
                auto_decompress=False,
                trust_env=False,
            )
        return self._session


def _result_of(response: ClientResponse) -> EventResponse:
    """What the status code of a response means. A redirect is not followed: it could lead a token anywhere."""
    status = response.status
    if status < HTTPStatus.MULTIPLE_CHOICES:
        return EventResponse(EventReply.ACCEPTED)
    sentence = f"it responded with status code {status}"
    if not asks_for_retry(status):
        return EventResponse(EventReply.REFUSED, sentence)
    pause = retry_after_seconds(response.headers.get("Retry-After"), datetime.now(UTC))
    return EventResponse(EventReply.LATER, sentence, min(pause, MAX_RETRY_AFTER_SECONDS))
