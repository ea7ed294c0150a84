"""How an exchange fails, and which requests are sent again: the policy, without the events.

Why a request may be sent again at all: the model server may close an idle connection in the very moment in which a
request is written to it. Such a request fails although the model server works, and most often it was not even read.
It is sent once more, on a new connection, if all of this is true:

- The connection came from the pool, so that its end is most likely the end of an idle connection. A new connection that
  fails means trouble at the model server, which a second request would add to.
- No byte of a response came. Otherwise the model server has acted on the request.
- The whole request was at hand and was written at once. Bodies that come in parts are not kept.
- It is safe to do twice, since the model server may have read it after all. RFC 9110 section 9.2.2 allows a proxy to
  repeat a request that it knows to be safe. A method of section 9.2.1 is. So is an inference, though it is a POST: V1
  and V2 define it as a computation on its input, which changes nothing on the server. An OpenAI-compatible inference is
  not repeated: servers may store what they generate, and it costs seconds.
- If it is an inference, no byte of it was acknowledged: a model that dies of an input shall not be asked twice. When
  its process ends, its system has acknowledged the request; the end of an idle connection acknowledges nothing that
  came after it. A model that resets within milliseconds of reading is not recognised so (see `acknowledgement`).
- `Resending` grants it: the option `resend` is not `never`, and no second try has failed in the last minute.

A timeout is not a reason: the model server is slow, and a second request would make it slower.
"""

from http import HTTPStatus
from typing import Final

from driftgauge.http1.grammar import MAX_INTERIM_RESPONSES, BadResponseError, InterimResponsesError

CLIENT_CLOSED_REQUEST: Final = 499
"""Status code of an exchange whose client has left. It is counted and never sent; nginx introduced it."""

_SAFE_METHODS: Final = frozenset({b"GET", b"HEAD", b"OPTIONS", b"TRACE"})


class ExchangeError(Exception):
    """An exchange failed. The client gets an error response, unless part of the model server's has reached it.

    Args:
        status: Status code of the response: 502 or 504, or 400, 408 or 500 if the model server is not the cause.
        sentence: The reason, for a person.
    """

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status
        self.sentence = sentence

    @property
    def is_upstream(self) -> bool:
        """Whether the model server is the cause."""
        return self.status > HTTPStatus.INTERNAL_SERVER_ERROR


def is_repeatable(method: bytes, *, is_inference: bool, is_acknowledged: bool) -> bool:
    """Whether a request may be sent again.

    Args:
        method: Its method; a safe one may be done twice.
        is_inference: Whether it is an inference of V1 or V2.
        is_acknowledged: Whether the model server's system has acknowledged bytes of it.
    """
    return method in _SAFE_METHODS or (is_inference and not is_acknowledged)


def is_stale_connection(error: Exception, *, is_reused: bool, is_silent: bool) -> bool:
    """Whether an error on a connection to the model server looks like the end of an idle connection."""
    return is_reused and is_silent and not isinstance(error, TimeoutError)


def explain(error: Exception, authority: str) -> ExchangeError:
    """The error response for an error on a connection to the model server.

    Args:
        error: What the connection or the pool reported.
        authority: Host and port of the model server.
    """
    if isinstance(error, ExchangeError):
        return error
    if isinstance(error, TimeoutError):
        sentence = f"The model server at {authority} did not respond in time."
        return ExchangeError(HTTPStatus.GATEWAY_TIMEOUT, sentence)
    if isinstance(error, InterimResponsesError):
        sentence = f"The model server at {authority} sent more than {MAX_INTERIM_RESPONSES} interim responses."
        return ExchangeError(HTTPStatus.BAD_GATEWAY, sentence)
    if isinstance(error, BadResponseError):
        sentence = f"The response of the model server at {authority} is not valid HTTP/1.1."
        return ExchangeError(HTTPStatus.BAD_GATEWAY, sentence)
    return ExchangeError(
        HTTPStatus.BAD_GATEWAY,
        f"The model server at {authority} closed the connection before its response was complete.",
    )
