"""Labels that come as CloudEvents, for example from Kafka through Knative."""

from collections.abc import Sequence
from typing import Final, NamedTuple

from driftgauge.cloudevents.event import RefusedEvent, name_of
from driftgauge.cloudevents.sdk import Parsed, extension, is_structured, media_type_of, read_events
from driftgauge.errors import PayloadError, Reason
from driftgauge.inference.label_target import LabelTarget
from driftgauge.protocol.label_bodies import JSON

LABEL_TYPES: Final = ("io.driftgauge.label", "org.kubeflow.serving.feedback")
"""The types of events with labels. The id of such an event is that of the inference."""

KAFKA_TYPE: Final = "dev.knative.kafka.event"
"""The type of a record that Knative's KafkaSource makes an event of. Its key may be the id of the inference."""

_UNSTATED: Final = frozenset({"", "application/octet-stream"})
"""Types of data that say nothing, such as those of records of Kafka."""

_EVENT_HEADERS: Final = ("ce-type", "ce-specversion")


class LabelEvent(NamedTuple):
    """The labels of one event, or of a request that is none.

    Args:
        target: Whose labels they are.
        body: The body of labels.
        media_type: Its type.
        default_id: The id of labels that have none; empty if there is none.
    """

    target: LabelTarget
    body: bytes
    media_type: str
    default_id: str


def read_label_events(
    headers: Sequence[tuple[str, str]], body: bytes, target: LabelTarget
) -> list[LabelEvent | RefusedEvent]:
    """The bodies of labels in one HTTP request.

    Args:
        headers: Names in any case.
        body: The decompressed body of the request.
        target: The names in its query, which count where an event gives none.

    Returns:
        For each CloudEvent, in order, its labels or its error: `MALFORMED` if it is no CloudEvent 1.0, `UNSUPPORTED` if
        it has another type. A request that is no event has one body of labels. Nothing is raised.

    Source:
        CloudEvents 1.0.2, HTTP protocol binding, section 3; Knative Eventing, KafkaSource.
    """
    names = {name.lower() for name, _ in headers}
    content_type = next((value for name, value in headers if name.lower() == "content-type"), "")
    media_type = media_type_of(content_type)
    if not is_structured(media_type) and names.isdisjoint(_EVENT_HEADERS):
        return [LabelEvent(target, body, media_type, "")]
    return read_events(headers, body, lambda parsed: _label_event(parsed, target))


def _label_event(parsed: Parsed, target: LabelTarget) -> LabelEvent:
    attributes = parsed.attributes
    event_type = str(attributes["type"])
    if event_type not in (*LABEL_TYPES, KAFKA_TYPE):
        known = ", ".join((*LABEL_TYPES, KAFKA_TYPE))
        message = f"A CloudEvent of the type {event_type!r:.80} has no labels; the types with labels are {known}."
        raise PayloadError(Reason.UNSUPPORTED, message)
    given_id = extension(attributes, "key") if event_type == KAFKA_TYPE else str(attributes["id"])
    names = {name: name_of(extension(attributes, name), name) for name in ("namespace", "component")}
    service = name_of(extension(attributes, "inferenceservicename"), "inferenceservicename")
    if service:
        component = names["component"] or target.component
        target = LabelTarget(names["namespace"] or target.namespace, service, component)
    if not target.inference_service:
        message = "Neither the CloudEvent's inferenceservicename nor the query's inference_service names a service."
        raise PayloadError(Reason.MALFORMED, message)
    media_type = JSON if parsed.media_type in _UNSTATED else parsed.media_type
    return LabelEvent(target, parsed.data, media_type, given_id)
