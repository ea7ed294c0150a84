"""CloudEvents as other implementations send them, and as the specification shows them."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from cloudevents.core.bindings.http import HTTPMessage, to_binary_event, to_structured_event
from cloudevents.core.v1.event import CloudEvent

from driftgauge.cloudevents.event import Event, RefusedEvent
from driftgauge.cloudevents.sdk import parse_events
from driftgauge.errors import Reason
from driftgauge.inference.payload import Kind
from tests.support.payloads import REQUEST_TYPE, RESPONSE_TYPE, read, tables
from tests.support.wire import wire_bytes

BINARY_BODY = wire_bytes("v2_binary_fp32.bin")
BINARY_TABLE = {"input0": [[1.5, -2.0], [3.25, 4.0]]}
STRUCTURED = [("Content-Type", "application/cloudevents+json; charset=UTF-8")]


def received(message: HTTPMessage) -> Event:
    """The event of a message of the SDK."""
    (event,) = parse_events(list(message.headers.items()), message.body)
    assert isinstance(event, Event)
    return event


def sdk_event(data: dict[str, object] | bytes, content_type: str) -> CloudEvent:
    """An event that the CloudEvents SDK makes."""
    attributes = {
        "type": REQUEST_TYPE,
        "source": "/sender é",
        "id": "id 1%",
        "time": datetime(2026, 3, 1, 12, 0, 0, 250000, tzinfo=UTC),
        "datacontenttype": content_type,
        "inferenceservicename": "wine",
        "namespace": "cellar",
        "component": "transformer",
    }
    return CloudEvent(attributes, data)


@pytest.mark.parametrize("send", [to_binary_event, to_structured_event])
@pytest.mark.parametrize(
    ("data", "content_type", "table"),
    [
        ({"instances": [[1, 2]]}, "application/json", {"": [[1.0, 2.0]]}),
        (BINARY_BODY, "application/octet-stream", BINARY_TABLE),
    ],
    ids=["json", "binary"],
)
def test_sent_by_the_sdk(
    send: Callable[[CloudEvent], HTTPMessage],
    data: dict[str, object] | bytes,
    content_type: str,
    table: dict[str, object],
) -> None:
    """What the SDK sends in either mode arrives with its attributes and its data."""
    event = received(send(sdk_event(data, content_type)))

    assert ("id 1%", "cellar", "transformer") == (
        event.id,
        event.namespace,
        event.component,
    )
    assert 1772366400.25 == event.time
    assert table == tables(read(event.body, event.kind))


@pytest.mark.parametrize(
    ("file", "table"),
    [("ce_structured.json", {"": [[1.0, 2.0]]}), ("ce_structured_base64.json", BINARY_TABLE)],
)
def test_structured_files(file: str, table: dict[str, object]) -> None:
    """Events in the JSON format hold their data as a JSON value or in base64 (JSON format, section 3.1)."""
    (event,) = parse_events(STRUCTURED, wire_bytes(file))

    assert isinstance(event, Event)
    assert ("A234-1234-1234", 1522949460.123456789) == (event.id, event.time)
    assert table == tables(read(event.body))


def test_batch_file() -> None:
    """A batch holds a request, its response and an event that is none (JSON format, section 4)."""
    headers = [("Content-Type", "application/cloudevents-batch+json")]
    request, response, fault = parse_events(headers, wire_bytes("ce_batch.json"))

    assert isinstance(request, Event)
    assert isinstance(response, Event)
    assert isinstance(fault, RefusedEvent)
    assert (Kind.REQUEST, Kind.RESPONSE, True) == (request.kind, response.kind, request.id == response.id)
    assert b'{"predictions":[1]}' == response.body


def test_event_of_another_kind() -> None:
    """The HTTP binding's own example (section 3.1.4) is a valid event, but of no inference."""
    headers = [
        ("ce-specversion", "1.0"),
        ("ce-type", "com.example.someevent"),
        ("ce-time", "2018-04-05T03:56:24Z"),
        ("ce-id", "1234-1234-1234"),
        ("ce-source", "/mycontext/subcontext"),
        ("Content-Type", "application/json; charset=utf-8"),
    ]
    (error,) = parse_events(headers, b"{}")

    assert isinstance(error, RefusedEvent)
    assert Reason.UNSUPPORTED is error.reason


def test_percent_encoding() -> None:
    """The HTTP binding's example of percent-encoding (section 3.1.3.2) is decoded."""
    headers = [
        ("ce-specversion", "1.0"),
        ("ce-type", RESPONSE_TYPE),
        ("ce-id", "Euro%20%E2%82%AC%20%F0%9F%98%80"),
        ("ce-source", "/"),
        ("ce-inferenceservicename", "wine"),
    ]
    (event,) = parse_events(headers, b"")

    assert isinstance(event, Event)
    assert "Euro € 😀" == event.id
