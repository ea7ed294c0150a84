"""Recognises the bodies of OpenAI-compatible inferences, and the model that they name. Their rows are not decoded.

Source: KServe 0.20, `kserve/protocol/rest/openai/endpoints.py`: completions, chat completions, embeddings and rerank.
"""

import re
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from driftgauge.errors import PayloadError
from driftgauge.inference.payload import MAX_NAME_CHARS, Kind
from driftgauge.protocol.json_text import parse

MAX_READ_BYTES: Final = 64 * 1024
"""Longest body that is parsed. It happens on the event loop, and takes 2 ms at most."""

_MAX_CONTAINERS: Final = 4 * 1024
"""Most lists and objects of a body that is parsed: 64 kB of empty lists would take 8 ms."""

_CONTENT: Final[Mapping[Kind, frozenset[str]]] = {
    Kind.REQUEST: frozenset({"messages", "prompt", "input", "query"}),
    Kind.RESPONSE: frozenset({"choices", "data", "results"}),
}
_CONTENT_OF_V1_AND_V2: Final = frozenset({"instances", "inputs", "predictions", "outputs"})

_LONG_START_BYTES: Final = 1024
_LONG: Final[Mapping[Kind, re.Pattern[bytes]]] = {
    Kind.REQUEST: re.compile(rb'\s*\{\s*"(?:model|messages|prompt|input|query|documents|stream)"\s*:'),
    Kind.RESPONSE: re.compile(rb'\s*\{[^{}\[\]]*"object"\s*:\s*"(?:list|chat\.completion|text_completion)"'),
}
"""How long bodies begin: clients write `messages` or `model` first, servers write `object` before the content."""
_LONG_OF_V1_AND_V2: Final = re.compile(rb'"(?:instances|inputs|predictions|outputs)"\s*:')

_EVENT_STREAM: Final = (b"data:", b":")
_EVENT: Final = re.compile(rb"^data: ?(\{[^\r\n]*\})\r?$", re.MULTILINE)
"""An event of a stream (Server-sent events) with a JSON object."""


class OpenAIBody(NamedTuple):
    """A body of an OpenAI-compatible inference.

    Args:
        model: Its model, 1 to 253 characters; `None` if the body is too long to be read, or names none.
    """

    model: str | None


def openai_model(body: bytes) -> str | None:
    """The model that the body of an OpenAI-compatible request names.

    Args:
        body: Any bytes.

    Returns:
        1 to 253 characters; `None` if the body is longer than `MAX_READ_BYTES`, compressed, or names no model.
    """
    return _name_in(_object_in(body)) if len(body) <= MAX_READ_BYTES else None


def read_openai(kind: Kind, body: bytes) -> OpenAIBody | None:
    """Recognise an OpenAI-compatible body by its form, where its path is not known.

    Args:
        kind: Request or response.
        body: As on the wire. That of a stream is the whole stream.

    Returns:
        `None` for every other body, and for one that is compressed.
    """
    if kind is Kind.RESPONSE and body.startswith(_EVENT_STREAM):
        event = _EVENT.search(body, 0, MAX_READ_BYTES)
        body = b"" if event is None else event[1]
    if len(body) > MAX_READ_BYTES:
        start = body[:_LONG_START_BYTES]
        is_openai = _LONG[kind].match(start) is not None and _LONG_OF_V1_AND_V2.search(start) is None
        return OpenAIBody(None) if is_openai else None
    if b'"model"' not in body:
        return None
    value = _object_in(body)
    if "model" not in value or _CONTENT[kind].isdisjoint(value) or not _CONTENT_OF_V1_AND_V2.isdisjoint(value):
        return None
    return OpenAIBody(_name_in(value))


def _object_in(body: bytes) -> Mapping[str, Any]:
    """The JSON object in a body; empty if it holds none, or too many values."""
    if body.count(b"[") + body.count(b"{") > _MAX_CONTAINERS:
        return {}
    try:
        value = parse(body)
    except PayloadError:
        return {}
    return value if isinstance(value, dict) else {}


def _name_in(value: Mapping[str, Any]) -> str | None:
    name = value.get("model")
    return name if isinstance(name, str) and 0 < len(name) <= MAX_NAME_CHARS else None
