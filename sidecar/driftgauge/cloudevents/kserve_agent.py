"""Events of KServe's agent, read directly from the headers.

Source: KServe, `pkg/logger/worker.go`; CloudEvents 1.0.2, HTTP protocol binding, section 3.1.
"""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Final, NamedTuple

from driftgauge.cloudevents.event import Event, id_of, kind_of, name_of, stated_json_length, status_of, time_of
from driftgauge.errors import PayloadError, Reason
from driftgauge.inference.payload import PREDICTOR, Kind

_KNOWN: Final = frozenset(
    b"ce-" + name
    for name in (
        b"specversion",
        b"id",
        b"type",
        b"source",
        b"time",
        b"recordedtime",
        b"inferenceservicename",
        b"namespace",
        b"component",
        b"endpoint",
        b"metadata",
        b"annotations",
        b"statuscode",
    )
)
_PLAIN: Final = re.compile(rb"[\x20-\x24\x26-\x7e]*")
"""Printable ASCII without `%`: the same text whether or not it is percent-decoded."""

_NAMES: Final = (b"ce-type", b"ce-namespace", b"ce-inferenceservicename", b"ce-component")

_MAX_FIELDS: Final = 40
_MAX_LAYOUTS: Final = 64
_MAX_IDENTITIES: Final = 1_000
_MAX_NAME_BYTES: Final = 256
"""Longest value that is cached, so that untrusted senders can fill the caches with 1 MB at most."""


class _Identity(NamedTuple):
    """The attributes that all events of one kind and one component share."""

    kind: Kind
    namespace: str
    inference_service: str
    component: str


def agent_event(fields: Mapping[bytes, bytes], body: bytes) -> Event | None:
    """Read an event in binary mode without the SDK, if it has the form that KServe's agent sends.

    Args:
        fields: The first value of each header; names in lower case.
        body: The body of the HTTP request.

    Returns:
        The same event as `parse_events`, or `None` if `parse_events` must read it: a required attribute is missing or
        blank, an attribute is none that the agent sends, or a value is not ASCII or contains `%`.

    Raises:
        PayloadError: The error that `parse_events` returns.
    """
    id_, type_, source = fields.get(b"ce-id", b""), fields.get(b"ce-type", b""), fields.get(b"ce-source", b"")
    if fields.get(b"ce-specversion") != b"1.0" or not (id_.strip() and type_.strip() and source.strip()):
        return None
    try:
        attributes = _attributes(tuple(fields)) if len(fields) <= _MAX_FIELDS else None
    except _LongNameError:
        return None
    if attributes is None or _PLAIN.fullmatch(b"".join([fields[name] for name in attributes])) is None:
        return None
    names = tuple(fields.get(name, b"") for name in _NAMES)
    if max(map(len, names)) > _MAX_NAME_BYTES:
        return None
    identity = _identity(*names)
    return Event(
        id_of(id_.decode()),
        identity.kind,
        time_of(fields.get(b"ce-time", b"").strip().decode()),
        bool(fields.get(b"ce-recordedtime", b"").strip()),
        identity.namespace,
        identity.inference_service,
        identity.component,
        _json_length(fields.get(b"ce-metadata", b"")) if identity.kind is Kind.REQUEST else None,
        body,
        status_of(fields.get(b"ce-statuscode", b"").decode()),
        bool(fields.get(b"content-type", b"").strip()),
        fields.get(b"ce-annotations", b"").decode(),
    )


class _LongNameError(ValueError):
    """The name of a header is longer than the name of any attribute."""


@lru_cache(_MAX_LAYOUTS)
def _attributes(names: tuple[bytes, ...]) -> tuple[bytes, ...] | None:
    """The names of the attributes among the headers; `None` if the agent does not send one of them."""
    if max(map(len, names)) > _MAX_NAME_BYTES:
        raise _LongNameError  # an exception is not cached
    attributes = tuple(name for name in names if name.startswith(b"ce-"))
    return attributes if _KNOWN.issuperset(attributes) else None


@lru_cache(_MAX_IDENTITIES)
def _identity(type_: bytes, namespace: bytes, inference_service: bytes, component: bytes) -> _Identity:
    kind = kind_of(type_.decode())
    name = name_of(inference_service.strip().decode(), "inferenceservicename")
    if not name:
        raise PayloadError(Reason.MALFORMED, "The CloudEvent's inferenceservicename is missing or empty.")
    return _Identity(
        kind,
        name_of(namespace.strip().decode(), "namespace"),
        name,
        name_of(component.strip().decode(), "component") or PREDICTOR,
    )


def _json_length(metadata: bytes) -> int | None:
    return stated_json_length(metadata.decode()) if metadata not in {b"", b"{}"} else None
