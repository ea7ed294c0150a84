"""Makes the data of events, and the request that carries one."""

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple
from urllib.parse import quote, urlencode

from driftgauge.cloudevents.sent_event import SentEvent, make_request
from driftgauge.events.event_facts import name, timestamp
from driftgauge.events.model_changes import PendingEvent, VerdictChange
from driftgauge.events.verdicts import PARTS, Verdict, VerdictKey
from driftgauge.inference.payload import Kind, ModelKey

SCHEMA: Final = "urn:driftgauge:schema:event:1"
"""Identifies the schema of the data, `event-1.schema.json`. What old receivers cannot read gets another one."""

JSON: Final = "application/json"


class Links(NamedTuple):
    """Where people find more.

    Args:
        report_url: Where people reach the admin port, without a slash at the end; empty where it is unknown: then links
            begin with the path.
        board_url: A dashboard; empty without one.
        window: Whether the rows of the window are served.
    """

    report_url: str = ""
    board_url: str = ""
    window: bool = False


def make_describe(model: ModelKey, links: Links) -> Callable[[VerdictChange], str]:
    """Make what makes the data of a model's events."""

    def describe(change: VerdictChange) -> str:
        """The data, as JSON."""
        return json.dumps(event_data(model, links, change), allow_nan=False)

    return describe


def event_data(model: ModelKey, links: Links, change: VerdictChange) -> dict[str, Any]:
    """The data of the event on a change, as plain values; `event-1.schema.json` describes them."""
    key = change.key
    data: dict[str, Any] = {
        "inference_service_namespace": name(model.namespace),
        "inference_service": name(model.inference_service),
        "component": name(model.component),
        "model_name": name(model.model_name),
        "revision": name(model.revision),
        "verdict": str(key.verdict),
        "since": timestamp(change.since),
        "links": _links(model, links, key),
    }
    if key.verdict is Verdict.REFERENCE:
        data["previous_digest"] = change.previous
    else:
        data |= {"state": change.seen.state, "previous_state": change.previous}
    if key.verdict is Verdict.DRIFT:
        data["stream"] = key.part
    elif key.part:
        data["output"] = name(key.part)
    return data | change.seen.facts()


def event_request(
    model: ModelKey, event: PendingEvent, extensions: Mapping[str, str]
) -> tuple[Mapping[str, str], bytes]:
    """The headers and the body of the request that sends an event.

    Args:
        model: The model.
        event: The event.
        extensions: Extensions to add, which may replace others.
    """
    key = event.key
    own = {
        "inferenceservicename": model.inference_service,
        "namespace": model.namespace,
        "component": model.component,
        "modelname": model.model_name,
        "revision": model.revision,
        "stream": key.part if key.verdict is Verdict.DRIFT else "",
        "output": "" if key.verdict is Verdict.DRIFT else key.part,
    }
    sent = SentEvent(
        id=event.id,
        source=source_of(model),
        type=event.type,
        subject=subject_of(model),
        time=datetime.fromtimestamp(event.time, UTC),
        dataschema=SCHEMA,
        datacontenttype=JSON,
        extensions={**own, **extensions},
    )
    return make_request(sent, event.data.encode())


def source_of(model: ModelKey) -> str:
    """The source of a model's events: its InferenceService, as a path of Kubernetes' API."""
    place = f"/namespaces/{_quoted(model.namespace)}" if model.namespace else ""
    return f"{place}/inferenceservices/{_quoted(model.inference_service)}"


def subject_of(model: ModelKey) -> str:
    """The subject of a model's events: component, model and, where it is known, revision."""
    parts = (model.component, model.model_name, *([model.revision] if model.revision else []))
    return "/".join(_quoted(one) for one in parts)


def _links(model: ModelKey, links: Links, key: VerdictKey) -> dict[str, str | None]:
    names = ("namespace", "inference_service", "component", "model_name", "revision")
    query = [(one, value) for one, value in zip(names, model, strict=True) if value]
    of_inputs = key.verdict is not Verdict.DRIFT or key.part == PARTS[Kind.REQUEST]
    labelled = [("labels", "1")] if key.verdict in {Verdict.PERFORMANCE, Verdict.CONCEPT} else []
    return {
        "report": f"{links.report_url}/report?{_encoded(query)}",
        "window": f"{links.report_url}/window?{_encoded(query + labelled)}" if links.window and of_inputs else None,
        "board": links.board_url or None,
    }


def _encoded(query: list[tuple[str, str]]) -> str:
    return urlencode(query, errors="surrogatepass")


def _quoted(text: str) -> str:
    return quote(text, safe="", errors="surrogatepass")
