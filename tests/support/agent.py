"""Plays KServe's agent: posts the events of an inference as its logger writes them (0.18 and later)."""

import http.client
import json
from dataclasses import dataclass, replace

from tests.support.models import WINE

_BASE = "2026-11-23T04:50:0"


@dataclass(frozen=True)
class Event:
    """One event on the wire.

    Args:
        kind: `request` or `response`.
        body: The logged body.
        id: Joins the halves.
        seconds: Time of the event after a common start, below 9.99.
        recorded: Whether `ce-recordedtime` is there, as from KServe 0.18 on.
        inference_service: Whose it is.
        namespace: Where that is.
        content_type: As the *request* had it, on both events; `None` leaves it out.
        metadata: The raw `ce-metadata`.
        revision: The annotation `driftgauge/revision` of the pod; empty without one.
    """

    kind: str
    body: bytes
    id: str = "a1"
    seconds: float = 0.0
    recorded: bool = True
    inference_service: str = WINE.inference_service
    namespace: str = WINE.namespace
    content_type: str | None = "application/json"
    metadata: str = "{}"
    revision: str = ""

    def headers(self) -> dict[str, str]:
        """The headers in Go's spelling."""
        time = f"{_BASE}{self.seconds:.3f}Z"
        found = {
            "Ce-Component": "predictor",
            "Ce-Endpoint": "",
            "Ce-Id": self.id,
            "Ce-Inferenceservicename": self.inference_service,
            "Ce-Metadata": self.metadata,
            "Ce-Namespace": self.namespace,
            "Ce-Source": "http://localhost:9081/",
            "Ce-Specversion": "1.0",
            "Ce-Time": time,
            "Ce-Type": f"org.kubeflow.serving.inference.{self.kind}",
        }
        if self.recorded:
            found["Ce-Recordedtime"] = time
        if self.revision:
            found["Ce-Annotations"] = json.dumps({"driftgauge/revision": self.revision})
        if self.content_type is not None:
            found["Content-Type"] = self.content_type
        return found


def pair(request: bytes, response: bytes, id_: str, start: float = 0.0, took: float = 0.25) -> tuple[Event, Event]:
    """Both events of one inference."""
    asked = Event("request", request, id_, start)
    return asked, replace(asked, kind="response", body=response, seconds=start + took)


def post(port: int, *events: Event) -> list[int]:
    """Post events one after the other on one connection. Returns the status code of each response."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    statuses = []
    try:
        for event in events:
            connection.request("POST", "/", event.body, event.headers())
            response = connection.getresponse()
            response.read()
            statuses.append(response.status)
    finally:
        connection.close()
    return statuses
