"""Attributes that a sender may invent: long, many, odd, or with another meaning."""

import json

import pytest

from driftgauge.cloudevents.event import Event, RefusedEvent
from driftgauge.cloudevents.kserve_agent import agent_event
from driftgauge.cloudevents.sdk import parse_events
from driftgauge.errors import PayloadError, Reason
from driftgauge.protocol.timestamps import read_seconds

STRUCTURED = [("content-type", "application/cloudevents+json")]
NAMED = {
    "specversion": "1.0",
    "id": "a",
    "type": "org.kubeflow.serving.inference.request",
    "source": "s",
    "inferenceservicename": "wine",
}


def structured(**more: object) -> Event | RefusedEvent:
    """An event in structured mode with other attributes."""
    (found,) = parse_events(STRUCTURED, json.dumps({**NAMED, **more}).encode())
    return found


def binary(**more: str) -> Event | RefusedEvent:
    """An event in binary mode with other attributes, as the agent's reader or else the SDK reads it."""
    fields = {f"ce-{name}": value for name, value in {**NAMED, **more}.items()}
    try:
        event = agent_event({name.encode(): value.encode() for name, value in fields.items()}, b"{}")
    except PayloadError as error:
        return RefusedEvent(error.reason, str(error))
    return event or parse_events(list(fields.items()), b"{}")[0]


def event_of(found: Event | RefusedEvent) -> Event:
    """The event, which must be usable."""
    assert isinstance(found, Event)
    return found


@pytest.mark.parametrize("size", [257, 100_000, 2**20])
def test_a_long_id_becomes_its_digest(size: int) -> None:
    """Payloads that wait keep their ids, so an id of any length takes 32 characters; the halves still share it."""
    found = event_of(structured(id="x" * size))
    other = event_of(structured(id="x" * (size - 1) + "y", type="org.other.response"))
    response = event_of(structured(id="x" * size, type="org.other.response"))

    assert [32, 32] == [len(found.id), len(other.id)]
    assert found.id == response.id != other.id


def test_an_id_of_the_longest_length_is_kept() -> None:
    """Ids of up to 256 characters stay as they are, in both modes."""
    assert ["x" * 256] * 2 == [event_of(read(id="x" * 256)).id for read in (structured, binary)]


def test_both_modes_give_a_long_id_the_same_digest() -> None:
    """The halves of an inference may come in different modes."""
    assert event_of(structured(id="é" * 1_000)).id == event_of(binary(id="%C3%A9" * 1_000)).id


def test_extension_attributes_by_the_thousand_change_nothing() -> None:
    """Attributes that driftgauge does not use are not kept."""
    more = {f"ext{number}": "x" for number in range(5_000)}

    assert structured(**more) == structured()


def test_too_many_percent_encoded_bytes_are_refused() -> None:
    """Decoding 80,000 of them would hold up other senders for 15 ms."""
    found = binary(team="%41" * 80_000)

    assert isinstance(found, RefusedEvent)
    assert found.reason is Reason.TOO_COMPLEX
    assert isinstance(binary(team="%41" * 8_000), Event)


@pytest.mark.parametrize(
    "type_", ["org.kubeflow.serving.inference.REQUEST", "a.Request", "request", ".requests", "a.request "]
)
def test_a_type_in_another_form_is_no_request(type_: str) -> None:
    """Types of CloudEvents are case-sensitive, and no sender of KServe writes them in another way."""
    assert [Reason.UNSUPPORTED] * 2 == [
        found.reason for found in (structured(type=type_), binary(type=type_)) if isinstance(found, RefusedEvent)
    ]


@pytest.mark.parametrize("source", ["http://localhost:9081/", "x y", "?", "urn:x", "//", "{}", "s" * 5_000, "%00"])
def test_the_source_means_nothing(source: str) -> None:
    """The agents of all pods have the same source, so it may be any text."""
    assert event_of(structured(source=source)) == event_of(structured())


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0001-01-01T00:00:00+23:59", -62_135_683_140),
        ("9999-12-31T23:59:60-23:59", 253_402_387_140),
        ("1969-12-31T23:59:59.5Z", -0.5),
        ("2026-01-01T00:00:00." + "9" * 100_000 + "Z", 1_767_225_600.999999999),
    ],
)
def test_times_far_away_are_read(text: str, seconds: float) -> None:
    """The first and the last times that RFC 3339 can write have finite seconds."""
    assert seconds == read_seconds(text)


@pytest.mark.parametrize(
    "text",
    [
        "0000-01-01T00:00:00Z",
        "10000-01-01T00:00:00Z",
        "2026-02-30T00:00:00Z",
        "2026-01-01T00:00:00+24:00",
        "NaN",
        "1e400",
    ],
)
def test_times_that_do_not_exist_are_malformed(text: str) -> None:
    """An event whose time is none is refused, in both modes."""
    assert [Reason.MALFORMED] * 2 == [
        found.reason for found in (structured(time=text), binary(time=text)) if isinstance(found, RefusedEvent)
    ]
