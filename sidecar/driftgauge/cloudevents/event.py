"""One half of an inference as a CloudEvent describes it, and the meaning of the attributes."""

import re
from hashlib import blake2b
from typing import Any, Final, NamedTuple

from driftgauge.errors import PayloadError, Reason
from driftgauge.inference.payload import MAX_NAME_CHARS, PAYLOAD_KINDS, Kind
from driftgauge.inference.request_ids import MAX_ID_CHARS
from driftgauge.protocol.json_text import check_parse_cost, parse
from driftgauge.protocol.timestamps import read_seconds

_JSON_LENGTH_HEADER: Final = "inference-header-content-length"
_LENGTH: Final = re.compile("[0-9]{1,15}")

_STATUS: Final = re.compile("[1-5][0-9]{2}", re.ASCII)

_ID_DIGEST_BYTES: Final = 16

_MAX_ATTRIBUTE_COST: Final = 8 * 1024
"""Most values in the metadata or the annotations of an event: many times what a request or a pod has, 1 ms to parse."""


class Event(NamedTuple):
    """One half of an inference: a request or a response. All texts are untrusted, and valid UTF-8.

    Args:
        id: The same for the request and its response, at most 256 characters; see `id_of`.
        kind: Request or response, from the last part of the event's type.
        time: `time` in seconds since the epoch, `None` if the event has none.
        recorded: Whether the event has `recordedtime` (KServe 0.18 and later). Then `time` is when the payload passed
            the agent, else when the agent sent the event.
        namespace: The namespace of the InferenceService, at most 253 characters; empty if missing.
        inference_service: The name of the InferenceService, 1 to 253 characters.
        component: `predictor`, `transformer` or `explainer`, at most 253 characters; `predictor` if missing.
        json_length: Length in bytes of the JSON part of a binary request, if the metadata contain its header.
        body: The payload as on the wire; in structured mode the data of the event.
        status: HTTP status code of the response, from `statuscode`; `None` if the event has none.
        has_content_type: Whether the event states the type of its payload; true in structured mode. KServe's agent
            copies the type from the client's request, to the event of the response too.
        annotations: The annotations of the pod that `metadataAnnotations` of its logger names, as sent: JSON, or in
            structured mode possibly a value; empty if the event has none. See `annotation_of`.
    """

    id: str
    kind: Kind
    time: float | None
    recorded: bool
    namespace: str
    inference_service: str
    component: str
    json_length: int | None
    body: bytes
    status: int | None = None
    has_content_type: bool = True
    annotations: Any = ""


class RefusedEvent(NamedTuple):
    """A CloudEvent that cannot be used. No exception, since those of a whole batch are kept together.

    Args:
        reason: The value of the metric label.
        sentence: One sentence for people.
    """

    reason: Reason
    sentence: str


def kind_of(event_type: str) -> Kind:
    """Request or response, from the type of an event.

    Raises:
        PayloadError: `UNSUPPORTED` if the type ends in neither.
    """
    for kind in PAYLOAD_KINDS:
        if event_type.endswith(f".{kind}"):
            return kind
    message = "The CloudEvent's type ends neither in .request nor in .response."
    raise PayloadError(Reason.UNSUPPORTED, message)


def id_of(text: str) -> str:
    """The id of an event; the digest of one of more than 256 characters, since ids are kept while payloads wait."""
    if len(text) <= MAX_ID_CHARS:
        return text
    return blake2b(text.encode(), digest_size=_ID_DIGEST_BYTES).hexdigest()


def name_of(value: str, attribute: str) -> str:
    """A name of Kubernetes, checked; it may be empty.

    Raises:
        PayloadError: `MALFORMED` if it is longer than 253 characters.
    """
    if len(value) > MAX_NAME_CHARS:
        rule = f"has {len(value)} characters, a name in Kubernetes has at most {MAX_NAME_CHARS}"
        raise PayloadError(Reason.MALFORMED, f"The CloudEvent's {attribute} {rule}.")
    return value


def time_of(text: str) -> float | None:
    """Seconds since the epoch; `None` if the text is empty.

    Raises:
        PayloadError: `MALFORMED` if the text is not a timestamp.
    """
    try:
        return read_seconds(text) if text else None
    except ValueError:  # its text may quote a number of the time
        message = "The CloudEvent's time is not a date and time of RFC 3339."
        raise PayloadError(Reason.MALFORMED, message) from None


def status_of(value: object) -> int | None:
    """The status code of an HTTP response, from 100 to 599; `None` for any other value.

    Args:
        value: The attribute `statuscode`: a text; in structured mode it may be a number.

    Source:
        https://github.com/kserve/kserve/pull/6036, which proposes the attribute.
    """
    text = str(value).strip() if isinstance(value, str | int) else ""
    return int(text) if _STATUS.fullmatch(text) else None


def stated_json_length(metadata: object) -> int | None:
    """The length in the client's `Inference-Header-Content-Length`, if the agent was configured to pass that header on.

    Args:
        metadata: The attribute `metadata`. It is raw JSON, not percent-encoded as the HTTP binding requires.

    Returns:
        `None` if the header is missing or the metadata cannot be read: the event itself is still usable.
    """
    try:
        entries = _parse_attribute(metadata)
    except PayloadError:
        return None
    if not isinstance(entries, dict):
        return None
    found = next((value for name, value in entries.items() if name.lower() == _JSON_LENGTH_HEADER), None)
    text = found[0] if isinstance(found, list) and found else found
    return int(text) if isinstance(text, str) and _LENGTH.fullmatch(text) else None


def annotation_of(annotations: object, name: str) -> str:
    """The value of an annotation of the pod that sent an event; empty if it is missing.

    Args:
        annotations: The attribute `annotations`. It is raw JSON, not percent-encoded as the HTTP binding requires.
        name: The name of the annotation.

    Raises:
        PayloadError: `MALFORMED` if the attribute is no JSON object, or the value is no text that a name can be.

    Source:
        KServe, `pkg/logger/worker.go`, and `spec.predictor.logger.metadataAnnotations` of an InferenceService.
    """
    try:
        entries = _parse_attribute(annotations)
    except PayloadError as error:
        sentence = str(error).replace("The body ", "The CloudEvent's attribute annotations ", 1)
        raise PayloadError(error.reason, sentence) from error
    if not isinstance(entries, dict):
        raise PayloadError(Reason.MALFORMED, "The CloudEvent's annotations are no JSON object.")
    value = entries.get(name, "")
    if not isinstance(value, str):
        raise PayloadError(Reason.MALFORMED, f"The annotation {name} is no text.")
    return name_of(value.strip(), f"annotation {name}")


def _parse_attribute(value: object) -> object:
    """The value of an attribute in JSON, which is parsed on the event loop and is as long as a request head may be.

    Raises:
        PayloadError: It is no JSON, or has too many values.
    """
    if not isinstance(value, str):
        return value
    text = value.encode()
    check_parse_cost(text, _MAX_ATTRIBUTE_COST)
    return parse(text)
