"""The agent's events are read directly from the headers, with the same result as through the CloudEvents SDK."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftgauge.cloudevents.event import Event, RefusedEvent
from driftgauge.cloudevents.kserve_agent import agent_event
from driftgauge.cloudevents.sdk import parse_events
from driftgauge.errors import PayloadError, Reason
from driftgauge.inference.payload import Kind
from tests.support.payloads import agent_headers

AGENT = {name.lower().encode(): value.encode() for name, value in agent_headers()}
ATTRIBUTES = sorted(name for name in AGENT if name.startswith(b"ce-"))

STATED = [
    *(b"200", b"500", b" 500 ", b"%35%30%30"),
    *b"1.0 0.3 %41 % null {} a.request b.response request 2026-03-01T12:00:00Z 2026-13-01T12:00:00Z".split(),
    *(b'{"a":1}', b"http://a/ b", b"a b", b"a\tb", b'"quoted"', b"\\", b"", b" ", b"\xff", "é".encode()),
    b'{"Inference-Header-Content-Length":["12"]}',
    b'{"driftgauge/revision":"v%32"}',
]
VALUES = st.sampled_from([*AGENT.values(), *STATED, b"x" * 254, b"x" * 300]) | st.binary(max_size=12)
EXTRAS = st.sampled_from(
    b"ce-subject ce-dataschema ce-a_b ce- ce-traceparent ce-statuscode x-other ce-annotations".split()
)


def by_the_sdk(fields: dict[bytes, bytes], body: bytes) -> object:
    """What the SDK makes of it: the event, or why there is none."""
    (found,) = parse_events(
        [(n.decode("latin-1"), v.decode("utf-8", "surrogateescape")) for n, v in fields.items()], body
    )
    return found.reason if isinstance(found, RefusedEvent) else found


def straight(fields: dict[bytes, bytes], body: bytes) -> object:
    """What is read straight from the headers: the event, why there is none, or `None`."""
    try:
        return agent_event(fields, body)
    except PayloadError as error:
        return error.reason


def test_an_event_of_the_agent_is_read() -> None:
    """Without the SDK, whatever the agent writes."""
    found = agent_event(AGENT, b"{}")

    assert isinstance(found, Event)
    assert by_the_sdk(AGENT, b"{}") == found


@given(
    st.dictionaries(st.sampled_from(ATTRIBUTES), VALUES, max_size=4),
    st.sets(st.sampled_from(ATTRIBUTES), max_size=2),
    st.dictionaries(EXTRAS, VALUES, max_size=1),
)
def test_both_readers_agree(changed: dict[bytes, bytes], left_out: set[bytes], more: dict[bytes, bytes]) -> None:
    """If the event can be read without the SDK, the result is that of the SDK."""
    fields = {name: value for name, value in {**AGENT, **changed, **more}.items() if name not in left_out}
    found = straight(fields, b"{}")

    assert found is None or by_the_sdk(fields, b"{}") == found


ODD = {
    "no id": {b"ce-id": b""},
    "blank type": {b"ce-type": b" "},
    "no source": {b"ce-source": b""},
    "other version": {b"ce-specversion": b"0.3"},
    "percent": {b"ce-id": b"a%20b"},
    "not ASCII": {b"ce-namespace": "ké".encode()},
    "other attribute": {b"ce-subject": b"x"},
    "long type": {b"ce-type": b"x" * 300 + b".request"},
}


@pytest.mark.parametrize("change", ODD.values(), ids=ODD)
def test_what_is_not_as_plain_is_left_to_the_sdk(change: dict[bytes, bytes]) -> None:
    """It may mean another thing than it says."""
    assert agent_event({**AGENT, **change}, b"{}") is None


WRONG = {
    "type": ({b"ce-type": b"a.b"}, Reason.UNSUPPORTED),
    "no name": ({b"ce-inferenceservicename": b""}, Reason.MALFORMED),
    "long name": ({b"ce-inferenceservicename": b"x" * 254}, Reason.MALFORMED),
    "time": ({b"ce-time": b"yesterday"}, Reason.MALFORMED),
}


@pytest.mark.parametrize(("change", "reason"), WRONG.values(), ids=WRONG)
def test_an_invalid_event_has_a_reason(change: dict[bytes, bytes], reason: Reason) -> None:
    """With the reason that the SDK's way gives."""
    fields = {**AGENT, **change}

    assert reason == straight(fields, b"{}") == by_the_sdk(fields, b"{}")


def test_the_length_of_the_json_part_belongs_to_a_request() -> None:
    """The metadata of a response contain the length of the request."""
    reported = {**AGENT, b"ce-metadata": b'{"Inference-Header-Content-Length":["12"]}'}
    request = agent_event(reported, b"{}")
    response = agent_event({**reported, b"ce-type": b"org.kubeflow.serving.inference.response"}, b"{}")

    assert request is not None
    assert response is not None
    assert (Kind.REQUEST, 12, Kind.RESPONSE, None) == (
        request.kind,
        request.json_length,
        response.kind,
        response.json_length,
    )
