"""One half of an inference as a CloudEvent tells it, and what its attributes mean. This room does no I/O."""

import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Final, NamedTuple

from driftgauge.errors import PayloadError, Reason
from driftgauge.inference.payload import Kind
from driftgauge.protocol.json_text import parse

_RFC_3339: Final = re.compile(
    r"(?P<day>[0-9]{4}-[0-9]{2}-[0-9]{2})[Tt ]"
    r"(?P<minute>[0-9]{2}:[0-9]{2}):(?P<second>[0-9]{2})(?:\.(?P<fraction>[0-9]+))?"
    r"(?:[Zz]|(?P<sign>[+-])(?P<offset_hours>[0-9]{2}):(?P<offset_minutes>[0-9]{2}))"
)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_NANOSECONDS: Final = 1_000_000_000
_LEAP_SECOND: Final = 60
_MAX_OFFSET_HOURS: Final = 23
_MAX_OFFSET_MINUTES: Final = 59


def read_seconds(text: str) -> float:
    """The instant that a timestamp names.

    Args:
        text: `date-time` of RFC 3339, with any number of fractional digits; those beyond nanoseconds are cut.

    Returns:
        Seconds since 1970-01-01T00:00:00Z, the double that is nearest (of today's dates about 0.2
        microseconds fine). A leap second is the first second after it, as in POSIX time.

    Raises:
        ValueError: The text is no timestamp, or names no instant.

    Notes:
        `datetime` alone cuts to microseconds, and Go writes nanoseconds.

    Source:
        RFC 3339, section 5.6.
    """
    parts = _RFC_3339.fullmatch(text)
    if parts is None:
        raise ValueError(f"{text!r:.80} is not a date and time of RFC 3339")
    second = int(parts["second"])
    if second > _LEAP_SECOND:
        raise ValueError(f"{text!r:.80} has no such second")
    whole = _minute_seconds(f"{parts['day']}T{parts['minute']}") + second - _read_offset(parts)
    nanoseconds = int((parts["fraction"] or "0")[:9].ljust(9, "0"))
    return (whole * _NANOSECONDS + nanoseconds) / _NANOSECONDS


@lru_cache(64)
def _minute_seconds(minute: str) -> int:
    """Seconds from the epoch to the beginning of a minute of UTC; events of one moment tell the same few."""
    return (datetime.fromisoformat(f"{minute}:00+00:00") - _EPOCH) // timedelta(seconds=1)


def _read_offset(parts: re.Match[str]) -> int:
    """How many seconds the written time is ahead of UTC."""
    if parts["sign"] is None:
        return 0
    hours, minutes = int(parts["offset_hours"]), int(parts["offset_minutes"])
    if hours > _MAX_OFFSET_HOURS or minutes > _MAX_OFFSET_MINUTES:
        raise ValueError(f"an offset of {hours} hours and {minutes} minutes is none")
    seconds = 60 * (60 * hours + minutes)
    return -seconds if parts["sign"] == "-" else seconds


PREDICTOR: Final = "predictor"
"""The component of an event that tells none."""

_JSON_LENGTH_HEADER: Final = "inference-header-content-length"
_LENGTH: Final = re.compile("[0-9]{1,15}")

_MAX_NAME_CHARS: Final = 253
"""Of a name in Kubernetes, which is a DNS subdomain (RFC 1123, section 2.1). Names become labels and keys."""


class Event(NamedTuple):
    """One half of an inference, as a CloudEvent tells it. All texts are untrusted, and valid UTF-8.

    Args:
        id: The same for the request and its response.
        kind: Request or response, from the end of the type.
        time: `time` in seconds since the epoch, `None` if the event has none.
        recorded: Whether `recordedtime` is there; only then (KServe 0.18 and later) is `time` the moment
            when the payload passed, and not the moment when it was sent.
        namespace: Of the InferenceService; empty if not told, at most 253 characters, as the next two.
        inference_service: Its name, never empty.
        component: `predictor`, `transformer` or `explainer`; `predictor` if not told.
        json_length: Length in bytes of the JSON part of a binary request, if the metadata hold its header.
        body: The payload as it was on the wire; in structured mode as the event holds it.
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


def kind_of(event_type: str) -> Kind:
    """Which half the event is.

    Raises:
        PayloadError: `UNSUPPORTED` if its type tells neither.
    """
    for kind in Kind:
        if event_type.endswith(f".{kind}"):
            return kind
    message = f"The CloudEvent's type {event_type!r:.80} ends neither in .request nor in .response."
    raise PayloadError(Reason.UNSUPPORTED, message)


def name_of(value: str, attribute: str) -> str:
    """A name, which may be empty.

    Raises:
        PayloadError: `MALFORMED` if it is longer than any name in Kubernetes.
    """
    if len(value) > _MAX_NAME_CHARS:
        rule = f"has {len(value)} characters, a name in Kubernetes has at most {_MAX_NAME_CHARS}"
        raise PayloadError(Reason.MALFORMED, f"The CloudEvent's {attribute} {rule}.")
    return value


def time_of(text: str) -> float | None:
    """Seconds since the epoch; `None` if the text is empty.

    Raises:
        PayloadError: `MALFORMED` if it is no time.
    """
    try:
        return read_seconds(text) if text else None
    except ValueError as error:
        raise PayloadError(Reason.MALFORMED, f"The CloudEvent's time cannot be read: {error}.") from error


def stated_json_length(metadata: object) -> int | None:
    """The length that the client's header told, if the logger was asked to pass that header on.

    The metadata are raw JSON, not percent-encoded as the HTTP binding asks; broken ones are of no use,
    but the event is.
    """
    try:
        entries = parse(metadata.encode()) if isinstance(metadata, str) else metadata
    except PayloadError:
        return None
    if not isinstance(entries, dict):
        return None
    found = next((value for name, value in entries.items() if name.lower() == _JSON_LENGTH_HEADER), None)
    text = found[0] if isinstance(found, list) and found else found
    return int(text) if isinstance(text, str) and _LENGTH.fullmatch(text) else None
