"""What an exchange reports to its recorder. For a request that is no inference the recorder does nothing."""

from collections.abc import Callable
from typing import Final, TypeVar

from driftgauge.http1.grammar import HeaderMap

try:
    from mypy_extensions import mypyc_attr
except ImportError:  # only the compiler reads it: where that ran, or nothing is compiled, it need not be installed
    T = TypeVar("T")

    def mypyc_attr(*attrs: str, **kwattrs: object) -> Callable[[T], T]:  # noqa: ARG001
        """Return what leaves a class as it is."""
        return lambda one: one


@mypyc_attr(allow_interpreted_subclasses=True)
class ExchangeRecorder:
    """Follows one exchange and records nothing: for requests that are not inferences.

    Attributes:
        is_inference: Whether it is an inference of V1 or V2, which changes nothing and may be done twice.
    """

    __slots__ = ()

    is_inference = False

    def on_request_body(self, piece: bytes) -> None:
        """Record bytes of the request's body."""

    def on_request_end(self) -> None:
        """Record the end of the request's body."""

    def on_forwarded(self) -> None:
        """Record that the head of the request was written to the model server's socket."""

    def on_response_head(self, status: int, fields: HeaderMap) -> None:
        """Record the head of the final response."""

    def on_response_body(self, piece: bytes) -> None:
        """Record bytes of the response's body."""

    def on_response_end(self) -> None:
        """Record that the last byte of the response has come from the model server."""

    def on_replaced(self, body: bytes) -> None:
        """Record that the client gets an error response with this body in place of the model server's."""

    def on_sent(self) -> None:
        """Record that the last byte of the response was given to the client's socket."""

    def finish(self, code: int) -> None:
        """Record the end of the exchange, and its status code. Called once."""


NULL_RECORDER: Final = ExchangeRecorder()
"""Has no state, so all exchanges share it."""
