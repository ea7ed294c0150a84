"""GETs of the doctor: bounded in time and in bytes."""

import os
from dataclasses import dataclass
from typing import Any, Final

import orjson
from aiohttp import ClientConnectorError, ClientError, ClientSession, ClientTimeout

from driftgauge.admin.process_status import OWN_AGENT

_MAX_BYTES: Final = 64 * 2**20
_AGENT: Final = {"User-Agent": OWN_AGENT}


@dataclass(frozen=True, slots=True)
class Reply:
    """A response.

    Args:
        status: Its status code.
        body: At most 64 MiB of it.
    """

    status: int
    body: bytes

    def json(self) -> Any:  # noqa: ANN401 - whatever the server sent
        """The body as JSON; `None` if it is none."""
        try:
            return orjson.loads(self.body)
        except orjson.JSONDecodeError:
            return None


async def http_get(url: str, seconds: float, token: str | None = None, *, any_certificate: bool = False) -> Reply | str:
    """Send a GET; returns the response, or why there is none.

    Args:
        url: Its address. Redirects are not followed.
        seconds: The limit of time.
        token: The bearer token to present, if any.
        any_certificate: Whether to accept any certificate of the server.
    """
    headers = _AGENT if token is None else {**_AGENT, "Authorization": f"Bearer {token}"}
    try:
        async with (
            ClientSession(timeout=ClientTimeout(seconds), headers=headers, trust_env=False) as session,
            session.get(url, allow_redirects=False, ssl=not any_certificate) as response,
        ):
            body = await response.content.read(_MAX_BYTES)
            while len(body) < _MAX_BYTES and (more := await response.content.read(_MAX_BYTES - len(body))):
                body += more
            return Reply(response.status, body)
    except TimeoutError:
        return f"no response within {seconds:g} s"
    except ClientConnectorError as error:
        number = error.os_error.errno
        return os.strerror(number) if number and number > 0 else str(error.os_error)
    except (ClientError, OSError, ValueError) as error:
        return str(error) or type(error).__name__
