"""CloudEvents of any sender in an HTTP request: binary, structured and batch mode.

The CloudEvents SDK checks the attributes. It does not get the body, since it would decode bytes that happen to be
UTF-8. `kserve_agent` reads the events of KServe's agent without the SDK.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, NamedTuple, TypeVar
from urllib.parse import unquote

from cloudevents.core.bindings.http import HTTPMessage, from_binary
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent

from driftgauge.cloudevents.event import (
    Event,
    RefusedEvent,
    id_of,
    kind_of,
    name_of,
    stated_json_length,
    status_of,
    time_of,
)
from driftgauge.errors import PayloadError, Reason
from driftgauge.inference.payload import PREDICTOR, Kind, printable
from driftgauge.protocol.json_text import MAX_PARSE_COST, check_parse_cost, from_base64, parse, serialise

_STRUCTURED: Final = "application/cloudevents+json"
_BATCH: Final = "application/cloudevents-batch+json"
_REQUIRED: Final = ("id", "source", "specversion", "type")
_RAW: Final = ("time", "metadata", "annotations")
"""Attributes that the SDK does not get: it cuts `time` to microseconds and percent-decodes the others."""

_MAX_PERCENT: Final = 8 * 1024
"""Most percent-encoded bytes in the headers of an event: 2 ms to decode on the event loop."""

MAX_EVENTS: Final = 1_000
"""Most events of a batch: some 50 ms of work. KServe's agent sends each event in a request of its own."""


def parse_events(headers: Sequence[tuple[str, str]], body: bytes) -> list[Event | RefusedEvent]:
    """The events of one HTTP request in binary, structured or batch mode.

    Args:
        headers: Names in any case, values as text. Of a repeated header the first counts. Bytes that are not UTF-8
            may be surrogates.
        body: The body of the HTTP request.

    Returns:
        For each event, in order, the event or its error: `MALFORMED` if it is no CloudEvent 1.0, names no
        InferenceService or has a name of more than 253 characters, `UNSUPPORTED` if its type is neither a request
        nor a response. One item in binary and structured mode, and `TOO_COMPLEX` for a JSON text with too many values
        or events. Nothing is raised.

    Notes:
        A `ce-` header means binary mode, whatever the content type, since KServe's agent copies the client's
        content type.

    Source:
        CloudEvents 1.0.2, HTTP protocol binding, section 3; JSON event format, sections 3 and 4.
    """
    return read_events(headers, body, _event)


class Parsed(NamedTuple):
    """A valid CloudEvent, whatever its type.

    Args:
        attributes: Its attributes and extensions by name, as they are on the wire.
        data: Its data; that of structured mode as JSON text, unless it is text of another type, or base64.
        media_type: The type of the data, in lower case and without parameters; empty if none is stated.
        has_content_type: Whether the type of the data is stated; true in structured and batch mode.
    """

    attributes: Mapping[str, Any]
    data: bytes
    media_type: str
    has_content_type: bool


T = TypeVar("T")


def read_events(headers: Sequence[tuple[str, str]], body: bytes, make: Callable[[Parsed], T]) -> list[T | RefusedEvent]:
    """The events of one HTTP request, each made by a function that may raise `PayloadError`; else as `parse_events`."""
    first: dict[str, str] = {}
    for name, value in headers:
        first.setdefault(name.lower(), value)
    media_type = media_type_of(first.get("content-type", ""))
    try:
        if is_structured(media_type) and not any(f"ce-{name}" in first for name in _REQUIRED):
            check_parse_cost(body, MAX_PARSE_COST)
            return _read_json(parse(body), make, batch=media_type == _BATCH)
        return [make(_read_binary(first, body))]
    except PayloadError as error:
        return [RefusedEvent(error.reason, str(error))]


def is_structured(media_type: str) -> bool:
    """Whether a body of this type holds whole events, and not the data of one."""
    return media_type in {_STRUCTURED, _BATCH}


def media_type_of(content_type: str) -> str:
    """The type in a `Content-Type`: in lower case, without parameters."""
    return content_type.partition(";")[0].strip().lower()


def _read_json(value: object, make: Callable[[Parsed], T], *, batch: bool) -> list[T | RefusedEvent]:
    if not batch:
        return [make(_read_structured(value))]
    if not isinstance(value, list):
        raise PayloadError(Reason.MALFORMED, "A batch of CloudEvents must be a JSON array.")
    if len(value) > MAX_EVENTS:
        message = f"The batch has {len(value)} CloudEvents, of at most {MAX_EVENTS}."
        raise PayloadError(Reason.TOO_COMPLEX, message)
    events: list[T | RefusedEvent] = []
    for item in value:
        try:
            events.append(make(_read_structured(item)))
        except PayloadError as error:
            events.append(RefusedEvent(error.reason, str(error)))
    return events


def _read_binary(headers: Mapping[str, str], body: bytes) -> Parsed:
    attributes = {name[3:]: printable(value) for name, value in headers.items() if name.startswith("ce-")}
    _check_required(attributes)
    if sum(value.count("%") for value in attributes.values()) > _MAX_PERCENT:
        message = f"The CloudEvent's attributes have more than {_MAX_PERCENT} percent-encoded bytes."
        raise PayloadError(Reason.TOO_COMPLEX, message)
    shown = {f"ce-{name}": value for name, value in attributes.items() if name not in _RAW}
    try:
        event = from_binary(HTTPMessage(shown, b""), JSONFormat(), CloudEvent)
    except Exception as error:  # the SDK's errors have no common root, ValueError and AttributeError occur
        raise _invalid(error) from error
    raw = {name: attributes.get(name) for name in _RAW} | {"time": unquote(attributes.get("time", ""))}
    content_type = headers.get("content-type", "")
    return Parsed(event.get_attributes() | raw, body, media_type_of(content_type), bool(content_type.strip()))


def _read_structured(value: object) -> Parsed:
    if not isinstance(value, dict):
        raise PayloadError(Reason.MALFORMED, "A structured CloudEvent must be a JSON object.")
    _check_required(value)
    attributes = {name: item for name, item in value.items() if name not in {"data", "data_base64"}}
    try:
        CloudEvent({name: item for name, item in attributes.items() if name not in _RAW and item is not None})
    except Exception as error:  # as above
        raise _invalid(error) from error
    media_type = media_type_of(str(value.get("datacontenttype") or "application/json"))
    return Parsed(attributes, _read_data(value, media_type), media_type, has_content_type=True)


def _check_required(attributes: Mapping[str, object]) -> None:
    missing = [name for name in _REQUIRED if not _is_filled(attributes.get(name))]
    if missing:
        message = f"The CloudEvent lacks {', '.join(missing)}."
        raise PayloadError(Reason.MALFORMED, message)


def _is_filled(value: object) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _invalid(error: Exception) -> PayloadError:
    return PayloadError(Reason.MALFORMED, f"The CloudEvent is not valid: {error!s:.200}")


def _event(parsed: Parsed) -> Event:
    attributes = parsed.attributes
    kind = kind_of(attributes["type"])
    inference_service = name_of(extension(attributes, "inferenceservicename"), "inferenceservicename")
    if not inference_service:
        raise PayloadError(Reason.MALFORMED, "The CloudEvent's inferenceservicename is missing or empty.")
    return Event(
        id=id_of(attributes["id"]),
        kind=kind,
        time=time_of(extension(attributes, "time")),
        recorded=bool(extension(attributes, "recordedtime")),
        namespace=name_of(extension(attributes, "namespace"), "namespace"),
        inference_service=inference_service,
        component=name_of(extension(attributes, "component"), "component") or PREDICTOR,
        json_length=stated_json_length(attributes.get("metadata")) if kind is Kind.REQUEST else None,
        body=parsed.data,
        status=status_of(attributes.get("statuscode")),
        has_content_type=parsed.has_content_type,
        annotations=attributes.get("annotations") or "",
    )


def extension(attributes: Mapping[str, Any], name: str) -> str:
    """An optional attribute. Missing and empty mean the same: the agent sends an empty `Ce-Endpoint:`.

    Raises:
        PayloadError: `MALFORMED` if it is no text.
    """
    value = attributes.get(name)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise PayloadError(Reason.MALFORMED, f"The CloudEvent's {name} must be a text.")
    return value.strip()


def _read_data(event: Mapping[str, Any], media_type: str) -> bytes:
    packed = event.get("data_base64")
    if packed is not None:
        return from_base64(packed)
    data = event.get("data")
    if data is None:
        return b""
    return data.encode() if isinstance(data, str) and not media_type.endswith(("/json", "+json")) else serialise(data)
