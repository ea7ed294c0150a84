"""CloudEvents in binary, structured and batch mode, as KServe's agent and others send them."""

import base64
from typing import Any

import pytest

from driftgauge.cloudevents.event import Event, RefusedEvent
from driftgauge.cloudevents.sdk import parse_events
from driftgauge.errors import Reason
from driftgauge.inference.payload import Kind
from tests.support.payloads import (
    REQUEST_TYPE,
    RESPONSE_TYPE,
    agent_headers,
    as_json,
    structured_event,
)

STRUCTURED = [("Content-Type", "application/cloudevents+json; charset=utf-8")]
BATCH = [("content-type", "application/cloudevents-batch+json")]


def only(headers: list[tuple[str, str]], body: bytes = b"{}") -> Event:
    """The one event of a request."""
    (event,) = parse_events(headers, body)
    assert isinstance(event, Event)
    return event


def fault(headers: list[tuple[str, str]], body: bytes = b"{}") -> tuple[Reason, str]:
    """What is wrong with the one event of a request."""
    (error,) = parse_events(headers, body)
    assert isinstance(error, RefusedEvent)
    return error.reason, error.sentence


def test_event_of_the_agent() -> None:
    """Every attribute of an event of KServe's agent is read."""
    expected = Event(
        id="4f0c2b0e-66a7-4c57-b1c4-0a4de3d2f9aa",
        kind=Kind.REQUEST,
        time=1772366400.123456789,
        recorded=True,
        namespace="cellar",
        inference_service="wine",
        component="predictor",
        json_length=None,
        body=b'{"instances": [1]}',
    )

    assert expected == only(agent_headers(), b'{"instances": [1]}')


@pytest.mark.parametrize("body", [b"", b"\xff\x00", b'{"a": 1}', b'{"a":', b"text"])
@pytest.mark.parametrize(
    "content_type", [None, "", "application/json", "image/png", "application/cloudevents+json", ";;"]
)
def test_body_is_untouched(body: bytes, content_type: str | None) -> None:
    """In binary mode the body is the very bytes, whatever the content type says or lacks."""
    assert body == only(agent_headers(content_type=content_type), body).body


@pytest.mark.parametrize(
    ("event_type", "kind"),
    [
        (REQUEST_TYPE, Kind.REQUEST),
        (RESPONSE_TYPE, Kind.RESPONSE),
        ("io.seldon.serving.inference.request", Kind.REQUEST),
        ("io.seldon.serving.inference.response", Kind.RESPONSE),
    ],
)
def test_kind(event_type: str, kind: Kind) -> None:
    """The last part of the type is the kind."""
    assert kind is only(agent_headers(type=event_type)).kind


@pytest.mark.parametrize("event_type", ["org.kubeflow.serving.inference.feedback", "request", "a.requests"])
def test_other_types(event_type: str) -> None:
    """A type that ends otherwise is unsupported, and the sentence says so without quoting it."""
    expected = Reason.UNSUPPORTED, "The CloudEvent's type ends neither in .request nor in .response."
    assert expected == fault(agent_headers(type=event_type))


@pytest.mark.parametrize("name", ["id", "source", "specversion", "type"])
@pytest.mark.parametrize("value", [None, "", " "])
def test_required_attributes(name: str, value: str | None) -> None:
    """A required attribute that is missing or empty is malformed, and the sentence names it."""
    reason, sentence = fault(agent_headers(**{name: value}))

    assert (Reason.MALFORMED, f"The CloudEvent lacks {name}.") == (reason, sentence)


def test_no_event() -> None:
    """A plain request names all that it lacks."""
    reason, sentence = fault([("Content-Type", "application/json")])

    assert Reason.MALFORMED == reason
    assert "id, source, specversion, type" in sentence


@pytest.mark.parametrize("changes", [{"specversion": "0.3"}, {"subject": ""}, {"bad_name": "x"}, {"data": "x"}])
def test_what_the_sdk_refuses(changes: dict[str, str]) -> None:
    """What the CloudEvents SDK raises is malformed, in one sentence."""
    reason, sentence = fault(agent_headers(**changes))

    assert Reason.MALFORMED == reason
    assert sentence.startswith("The CloudEvent is not valid: ")


@pytest.mark.parametrize("value", [None, "", " "])
def test_inference_service_is_needed(value: str | None) -> None:
    """An event that does not name its InferenceService is malformed, and the sentence names the attribute."""
    reason, sentence = fault(agent_headers(inferenceservicename=value))

    assert Reason.MALFORMED == reason
    assert "inferenceservicename" in sentence


@pytest.mark.parametrize("name", ["namespace", "inferenceservicename", "component"])
def test_names_are_bounded(name: str) -> None:
    """Names of 253 characters, Kubernetes' limit (RFC 1123, section 2.1), are taken; longer ones are named."""
    sentence = f"The CloudEvent's {name} has 254 characters, a name in Kubernetes has at most 253."

    assert "n" * 253 in repr(only(agent_headers(**{name: "n" * 253})))
    assert (Reason.MALFORMED, sentence) == fault(agent_headers(**{name: "n" * 254}))
    assert (Reason.MALFORMED, sentence) == fault(STRUCTURED, as_json(structured_event(**{name: "n" * 254})))


@pytest.mark.parametrize("value", [None, ""])
def test_what_may_be_left_out(value: str | None) -> None:
    """Without namespace, component, endpoint and times the event has their defaults."""
    event = only(agent_headers(namespace=value, component=value, endpoint=value, recordedtime=value, time=value))

    assert ("", "predictor", False, None) == (event.namespace, event.component, event.recorded, event.time)


@pytest.mark.parametrize("text", ["yesterday", "2026-03-01T12:00:00", "2026-02-30T12:00:00Z"])
def test_unreadable_time(text: str) -> None:
    """A time that names no instant is malformed."""
    assert Reason.MALFORMED == fault(agent_headers(time=text))[0]


def test_percent_encoded() -> None:
    """Attributes are percent-decoded (HTTP binding, section 3.1.3.2), time too."""
    event = only(agent_headers(time="2026-03-01T12%3A00%3A00Z", id="a%20b%C3%A9"))

    assert (1772366400.0, "a bé") == (event.time, event.id)


@pytest.mark.parametrize(
    ("metadata", "expected"),
    [
        ('{"Inference-Header-Content-Length":["123"]}', 123),
        ('{"inference-header-content-length":["123","456"]}', 123),
        ('{"X":["a%22b"],"Inference-Header-Content-Length":["7"]}', 7),
        ('{"Inference-Header-Content-Length":"7"}', 7),
        ('{"X-Name":["é"],"Inference-Header-Content-Length":["7"]}', 7),
        ('{"Inference-Header-Content-Length":["-7"]}', None),
        ('{"Inference-Header-Content-Length":["٧"]}', None),  # noqa: RUF001 - a digit that is not ASCII
        ('{"Inference-Header-Content-Length":["9999999999999999"]}', None),
        ('{"Inference-Header-Content-Length":[]}', None),
        ('{"Inference-Header-Content-Length":null}', None),
        ("{}", None),
        ("[1]", None),
        ('{"broken', None),
        ("", None),
        (None, None),
    ],
)
def test_json_length_in_metadata(metadata: str | None, expected: int | None) -> None:
    """The metadata are raw JSON, never percent-decoded; what cannot be read of them is ignored."""
    assert expected == only(agent_headers(metadata=metadata)).json_length


def test_metadata_that_take_long_to_parse() -> None:
    """Metadata of more values than they may have say nothing, since they are parsed on the event loop."""
    filler = ",".join(["[]"] * 50_000)
    metadata = f'{{"Inference-Header-Content-Length":["123"],"X":[{filler}]}}'

    assert only(agent_headers(metadata=metadata)).json_length is None


def test_json_length_of_a_response() -> None:
    """A response's metadata are the request's headers, so they say nothing about its own JSON part."""
    headers = agent_headers(type=RESPONSE_TYPE, metadata='{"Inference-Header-Content-Length":["123"]}')

    assert only(headers).json_length is None


def test_header_names() -> None:
    """Header names may stand in any case, and of two the first counts."""
    headers = [(name.upper(), value) for name, value in agent_headers()]

    assert "wine" == only([*headers, ("ce-inferenceservicename", "beer")]).inference_service


@pytest.mark.parametrize("value", ["ros\udcc3\udca9", "rosÃ©", "ros\ud800"])
def test_text_that_is_no_utf8(value: str) -> None:
    """Header bytes that were read as surrogates or Latin-1 become text that UTF-8 can hold."""
    event = only(agent_headers(id=value, inferenceservicename=value, metadata=f'{{"X":["{value}"]}}'))

    assert event.id.startswith("ros")
    assert event.id.encode() == event.inference_service.encode()


@pytest.mark.parametrize(
    ("changes", "body"),
    [
        ({"data": {"a": [1.5, None]}}, b'{"a":[1.5,null]}'),
        ({"data": "text"}, b'"text"'),
        ({"data": "text", "datacontenttype": "text/plain"}, b"text"),
        ({"data": ..., "data_base64": "/wA="}, b"\xff\x00"),
        ({"data": ...}, b""),
        ({"data": None}, b""),
    ],
)
def test_data_of_structured_mode(changes: dict[str, Any], body: bytes) -> None:
    """The data become their JSON text, text of another content type itself, data_base64 its bytes."""
    assert body == only(STRUCTURED, as_json(structured_event(**changes))).body


def test_literals_in_structured_mode() -> None:
    """NaN and Infinity in the data stay what they are."""
    assert b"[NaN,Infinity]" == only(STRUCTURED, b'%s"data":[NaN,Infinity]}' % _open_event()).body


def test_attributes_of_structured_mode() -> None:
    """Attributes stand in the body; null is as if left out; metadata may be a text or an object."""
    event = structured_event(
        time="2026-03-01T12:00:00.5Z", namespace=None, metadata={"Inference-Header-Content-Length": ["9"]}
    )
    read = only(STRUCTURED, as_json(event))

    assert (1772366400.5, "", 9) == (read.time, read.namespace, read.json_length)
    assert ("a-1", False) == (read.id, read.recorded)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"id": ...}, Reason.MALFORMED),
        ({"id": 5}, Reason.MALFORMED),
        ({"type": ["x"]}, Reason.MALFORMED),
        ({"time": 5}, Reason.MALFORMED),
        ({"time": "soon"}, Reason.MALFORMED),
        ({"namespace": 5}, Reason.MALFORMED),
        ({"Namespace": "x"}, Reason.MALFORMED),
        ({"data_base64": "@@@"}, Reason.MALFORMED),
        ({"data_base64": 5}, Reason.MALFORMED),
        ({"type": "x"}, Reason.UNSUPPORTED),
        ({"inferenceservicename": ...}, Reason.MALFORMED),
    ],
)
def test_faults_of_structured_mode(changes: dict[str, Any], reason: Reason) -> None:
    """Each fault of a structured event has its reason."""
    assert reason == fault(STRUCTURED, as_json(structured_event(**changes)))[0]


@pytest.mark.parametrize("body", [b"", b"[]", b"1", b"{", b"\xff"])
def test_structured_body_that_is_none(body: bytes) -> None:
    """A structured event must be a JSON object."""
    assert Reason.MALFORMED == fault(STRUCTURED, body)[0]


def test_ce_headers_decide() -> None:
    """An event of the agent is binary even if the client's content type, which it copies, says structured."""
    body = as_json(structured_event(id="inner"))
    event = only(agent_headers(content_type="application/cloudevents+json"), body)

    assert ("4f0c2b0e-66a7-4c57-b1c4-0a4de3d2f9aa", body) == (event.id, event.body)


def test_batch() -> None:
    """An invalid event of a batch has an error in its place, and the others are read."""
    good = structured_event(data=..., data_base64=base64.b64encode(b"\x1f\x8b").decode())
    first, second, third = parse_events(BATCH, as_json([good, {}, structured_event(id="a-2")]))

    assert isinstance(first, Event)
    assert isinstance(second, RefusedEvent)
    assert isinstance(third, Event)
    assert (b"\x1f\x8b", Reason.MALFORMED, "a-2") == (first.body, second.reason, third.id)


def test_batch_of_nothing() -> None:
    """An empty batch is valid and holds no event (JSON event format, section 4)."""
    assert [] == parse_events(BATCH, b"[]")


@pytest.mark.parametrize("body", [b"{}", b"", b"[", b"null"])
def test_batch_that_is_none(body: bytes) -> None:
    """A batch must be a JSON array."""
    assert Reason.MALFORMED == fault(BATCH, body)[0]


def _open_event() -> bytes:
    """A structured event's text without data and without its closing brace."""
    return as_json(structured_event(data=...))[:-1] + b","


@pytest.mark.parametrize(
    ("value", "status"),
    [("500", 500), (500, 500), (" 200 ", 200), (None, None), (True, None), ("", None), (4000, None)],
)
def test_status_code_of_structured_mode(value: object, status: int | None) -> None:
    """A status code is a text or a number; any other value is ignored."""
    assert status == only(STRUCTURED, as_json(structured_event(statuscode=value))).status
