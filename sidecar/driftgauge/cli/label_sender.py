"""Posts bodies of labels, and tries again where a try may succeed later: posting labels twice changes nothing."""

import asyncio
import ssl
from collections.abc import Awaitable, Callable, Mapping
from errno import ECONNREFUSED
from http import HTTPStatus
from types import TracebackType
from typing import Any, Final, NamedTuple, Self, final
from urllib.parse import urlsplit

import orjson
from aiohttp import (
    ClientConnectorCertificateError,
    ClientConnectorDNSError,
    ClientConnectorError,
    ClientConnectorSSLError,
    ClientError,
    ClientSession,
    ClientTimeout,
)

from driftgauge.protocol.label_bodies import CSV

_FIRST_PAUSE_SECONDS: Final = 1.0
_LONGEST_PAUSE_SECONDS: Final = 30.0
_TRY_SECONDS: Final = 30.0
_MAX_REPLY_BYTES: Final = 64 * 1024

_LATER: Final = frozenset(
    {HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.BAD_GATEWAY, HTTPStatus.GATEWAY_TIMEOUT}
)
"""Status codes of the labels port, or of a proxy before it, after which another try may succeed."""


class SendError(Exception):
    """The labels cannot be posted. Its text is one sentence without the full stop."""


class PostReply(NamedTuple):
    """What became of one body.

    Args:
        accepted: Labels that were taken.
        malformed: Labels that were refused.
        sentences: What is wrong with the first few of these.
    """

    accepted: int
    malformed: int
    sentences: list[str]


@final
class LabelSender:
    """Posts labels to one address.

    Args:
        url: The address, with the query that names the model.
        token: The bearer token; `None` for none.
        context: Trusts the server's certificate; `None` for the system's authorities.
        retry_seconds: How long one body is tried.
        sleep: Waits for some seconds.
    """

    def __init__(
        self,
        url: str,
        token: str | None,
        context: ssl.SSLContext | None,
        retry_seconds: float,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._url = url
        self._headers = {"Content-Type": CSV} | ({} if token is None else {"Authorization": f"Bearer {token}"})
        self._ssl = context or True
        self._retry_seconds = retry_seconds
        self._sleep = sleep
        self._session: ClientSession | None = None

    async def __aenter__(self) -> Self:
        """Open a session."""
        self._session = ClientSession(timeout=ClientTimeout(_TRY_SECONDS), headers=self._headers, trust_env=False)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the session."""
        if self._session is not None:
            await self._session.close()

    async def post(self, content: bytes, labels: int) -> PostReply:
        """Post a body until it is taken or refused.

        Args:
            content: CSV.
            labels: How many labels it has.

        Raises:
            SendError: It was refused as a whole, or all tries have failed.
        """
        pause, waited = _FIRST_PAUSE_SECONDS, 0.0
        while True:
            try:
                status, reply, retry_after = await self._try(content)
                fault = f"status code {status}" + (f": {reply['error']}" if "error" in reply else "")
                if status not in _LATER:
                    return _read(status, reply, labels, fault)
                pause = max(pause, retry_after)
            except TimeoutError:
                fault = f"no reply within {_TRY_SECONDS:g} s"
            except (ClientError, OSError) as error:
                fault = self._describe(error)
            if waited + pause > self._retry_seconds:
                raise SendError(f"the labels could not be posted within {self._retry_seconds:g} s ({fault})")
            await self._sleep(pause)
            waited += pause
            pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)

    def _describe(self, error: ClientError | OSError) -> str:
        """Why a try failed, as a clause."""
        parts = urlsplit(self._url)
        place = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
        if isinstance(error, ClientConnectorCertificateError | ClientConnectorSSLError):
            return str(error)
        if isinstance(error, ClientConnectorDNSError):
            return f"the host of {place} is not known"
        if isinstance(error, ClientConnectorError):
            is_refused = isinstance(error.os_error, ConnectionRefusedError) or error.errno == ECONNREFUSED
            return f"no one listens on {place}" if is_refused else f"{place} cannot be reached ({error.strerror})"
        return str(error) or type(error).__name__

    async def _try(self, content: bytes) -> tuple[int, Mapping[str, Any], float]:
        """Post a body once; returns the status code, the reply, and how long to wait before the next try."""
        if self._session is None:
            raise RuntimeError("the session is not open")
        async with self._session.post(self._url, data=content, allow_redirects=False, ssl=self._ssl) as response:
            body = await response.content.read(_MAX_REPLY_BYTES)
            after = response.headers.get("Retry-After", "")
            return response.status, _as_object(body), float(after) if after.isdigit() and len(after) < 5 else 0.0  # noqa: PLR2004


def _read(status: int, reply: Mapping[str, Any], labels: int, fault: str) -> PostReply:
    """What became of the labels.

    Raises:
        SendError: The body was refused as a whole.
    """
    sentences = [str(sentence) for sentence in reply.get("sentences", [])]
    if status == HTTPStatus.ACCEPTED and isinstance(reply.get("accepted"), int):
        return PostReply(reply["accepted"], labels - reply["accepted"], sentences)
    if status == HTTPStatus.BAD_REQUEST and "accepted" in reply:
        return PostReply(0, labels, sentences)
    raise SendError(f"the labels were refused with {fault}")


def _as_object(body: bytes) -> Mapping[str, Any]:
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError:
        return {}
    return value if isinstance(value, dict) else {}
