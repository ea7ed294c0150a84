"""The end of an attempt to send an event: the rest of the response, and what went wrong with a connection."""

from typing import Final

from aiohttp import ClientError, ClientResponse

_READ_BYTES: Final = 64 * 1024
"""Most bytes of a response that are read, so that its connection can be used again."""


async def read_rest(response: ClientResponse) -> None:
    """Read a short body, so that its connection can carry the next event; the result is known without it."""
    try:
        while await response.content.readany():
            if response.content.total_bytes > _READ_BYTES:
                response.close()
                return
    except (TimeoutError, ClientError, OSError, RuntimeError):
        response.close()


def cause_of(error: Exception) -> str:
    """What went wrong with a connection, without the text of the error, which may contain the URL."""
    if isinstance(error, OSError) and error.strerror:
        return f"{type(error).__name__}: {error.strerror}"
    return type(error).__name__
