"""Labels as CloudEvents in the three modes of the HTTP binding."""

import json

import pytest

from driftgauge.cloudevents.event import RefusedEvent
from driftgauge.cloudevents.label_events import LabelEvent, read_label_events
from driftgauge.errors import Reason
from driftgauge.inference.label_target import LabelTarget
from driftgauge.inference.payload import OVERFLOW, ModelKey

QUERY = LabelTarget("prod", "wine")
LABEL = {"specversion": "1.0", "id": "4711", "source": "shop", "type": "io.driftgauge.label"}


def binary(attributes: dict[str, str], content_type: str = "application/json") -> list[tuple[str, str]]:
    """The headers of an event in binary mode."""
    return [("Content-Type", content_type), *((f"Ce-{name}", value) for name, value in attributes.items())]


def test_no_event() -> None:
    """A request without attributes of an event is one body of labels of the query's model, without a default id."""
    headers = [("Content-Type", "Text/CSV; charset=utf-8"), ("Ce-Id", "9")]
    assert [LabelEvent(QUERY, b"id,label\n", "text/csv", "")] == read_label_events(headers, b"id,label\n", QUERY)


@pytest.mark.parametrize("event_type", ["io.driftgauge.label", "org.kubeflow.serving.feedback"])
def test_binary(event_type: str) -> None:
    """The event's names win over the query's, and its id is the default one."""
    attributes = LABEL | {"type": event_type, "inferenceservicename": "fraud", "namespace": "bank"}
    found = read_label_events(binary(attributes, ""), b'{"label": 1}', QUERY)
    assert [LabelEvent(LabelTarget("bank", "fraud"), b'{"label": 1}', "application/json", "4711")] == found


def test_structured_and_batch() -> None:
    """Data of JSON and text of another type arrive as bodies of their types; a refused event costs no other."""
    good = LABEL | {"data": {"label": 1}}
    text = LABEL | {"datacontenttype": "text/csv", "data": "id,label\n1,2\n"}
    bad = LABEL | {"type": "com.example.other", "data": 1}
    one = read_label_events([("content-type", "application/cloudevents+json")], json.dumps(good).encode(), QUERY)
    assert [LabelEvent(QUERY, b'{"label":1}', "application/json", "4711")] == one
    body = json.dumps([text, bad, good]).encode()
    found = read_label_events([("content-type", "application/cloudevents-batch+json")], body, QUERY)
    assert LabelEvent(QUERY, b"id,label\n1,2\n", "text/csv", "4711") == found[0]
    assert isinstance(found[1], RefusedEvent)
    assert Reason.UNSUPPORTED is found[1].reason
    assert "'com.example.other' has no labels" in found[1].sentence
    assert one == found[2:]


def test_kafka() -> None:
    """Of a record of Kafka the key is the default id: the event's own id is its place in the topic."""
    attributes = LABEL | {"type": "dev.knative.kafka.event", "id": "partition:0/offset:5", "key": "4711"}
    found = read_label_events(binary(attributes), b'{"label": 1}', QUERY)
    assert [LabelEvent(QUERY, b'{"label": 1}', "application/json", "4711")] == found


@pytest.mark.parametrize(
    ("attributes", "part"),
    [
        ({"type": ""}, "lacks type"),
        ({}, "Neither the CloudEvent's inferenceservicename nor the query's inference_service names a service."),
        ({"inferenceservicename": "x" * 254}, "has 254 characters"),
    ],
)
def test_refused(attributes: dict[str, str], part: str) -> None:
    """An event that names no service, or is none, is refused with a sentence."""
    (found,) = read_label_events(binary(LABEL | attributes), b"", LabelTarget("", ""))
    assert isinstance(found, RefusedEvent)
    assert Reason.MALFORMED is found.reason
    assert part in found.sentence


def test_candidates() -> None:
    """A target fits the models whose names it gives, and no key that stands for many."""
    stable, canary = (ModelKey("prod", "wine", "predictor", "wine", name) for name in ("stable", "v2"))
    other = stable._replace(model_name="second")
    models = [stable, canary, other, stable._replace(namespace="test"), OVERFLOW, stable._replace(revision="(other)")]
    assert (stable, canary, other) == QUERY.candidates(models)
    assert (canary,) == QUERY._replace(revision="v2").candidates(models)
    assert (other,) == QUERY._replace(model_name="second").candidates(models)
    assert () == QUERY._replace(component="transformer").candidates(models)


def test_data_of_an_unstated_type_are_json() -> None:
    """A record of Kafka is bytes to Knative; labels in another form state their type."""
    attributes = LABEL | {"type": "dev.knative.kafka.event"}
    (found,) = read_label_events(binary(attributes, "application/octet-stream"), b'{"id": "1", "label": 1}', QUERY)
    assert isinstance(found, LabelEvent)
    assert "application/json" == found.media_type
