"""Payloads that differ from others, and what they hold."""

from typing import Any

from driftgauge.inference.payload import Payload

_FIELDS = ("kind", "id", "model", "body", "json_length", "status", "time", "failed", "traceparent", "is_id_made")


def fields_of(payload: Payload) -> dict[str, Any]:
    """Everything that a payload holds, by name."""
    return {name: getattr(payload, name) for name in _FIELDS}


def changed(payload: Payload, **changes: Any) -> Payload:  # noqa: ANN401 - of any field
    """The same payload with other values."""
    return Payload(**(fields_of(payload) | changes))
