"""Counts one inference on an OpenAI-compatible path. Its bodies are no payloads: there are no rows to decode."""

from typing import final

from driftgauge.protocol.openai import MAX_READ_BYTES, openai_model
from driftgauge.proxy.recorder import FIRST_ERROR, RecorderFactory, TimedRecorder


@final
class OpenAIRecorder(TimedRecorder):
    """Counts one inference for the model that its body names, or for the model of the configuration if it names none.

    The latency of a stream ends with its last byte. While it is under way, it is in flight for the model of the
    configuration.

    Args:
        factory: What all recorders share.
        begun: When the first byte of the request came, by the factory's `timer`.
    """

    __slots__ = ("_request",)

    def __init__(self, factory: RecorderFactory, begun: float) -> None:
        super().__init__(factory, factory.own_name, begun)
        self._request = factory.body_copy(MAX_READ_BYTES)

    def on_request_body(self, piece: bytes) -> None:
        """Count it, and copy it if the body is short."""
        self._request.add(piece)

    def finish(self, code: int) -> None:
        """Count the request after the client has its response, since the body is parsed first."""
        ended = self._end()
        self._factory.defer(lambda: self._count_for_model(code, ended))

    def _count_for_model(self, code: int, ended: float) -> None:
        name = openai_model(self._request.take()) or self._factory.own_name
        _, metrics = self._factory.admit(name, proven=code < FIRST_ERROR)
        self._count(metrics, code, self._request.size_bytes, ended)
