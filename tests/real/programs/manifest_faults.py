"""Reads objects of Argo and pipelines of Kubeflow as JSON from standard input, and writes the faults of each as JSON.

The models of hera let unknown fields pass and forget them: those that are missing in what a model writes are unknown.
"""

import json
import sys
from collections.abc import Iterator
from typing import Any

from google.protobuf import json_format
from hera.events.models import EventSource, Sensor, WebhookContext
from hera.workflows.models import Workflow, WorkflowTemplate
from kfp.pipeline_spec.pipeline_spec_pb2 import PipelineSpec
from pydantic import ValidationError

VERSION = "argoproj.io/v1alpha1"
MODELS = {"WorkflowTemplate": WorkflowTemplate, "Workflow": Workflow, "Sensor": Sensor, "EventSource": EventSource}


def faults(given: dict[str, Any]) -> list[str]:
    """What is wrong with an object; a pipeline has no kind."""
    if "pipelineInfo" in given:
        try:
            json_format.ParseDict(given, PipelineSpec())
        except json_format.ParseError as error:
            return [str(error)]
        return []
    if given["apiVersion"] != VERSION:
        return [f"/apiVersion is not {VERSION}"]
    found = list(_of_model(MODELS[given["kind"]], {key: value for key, value in given.items() if key not in _HEAD}))
    if given["kind"] == "EventSource":  # its model has the fields of a webhook one level lower
        webhooks = given["spec"].get("webhook", {})
        found = [one for one in found if not one.startswith("/spec/webhook/")]
        for name, webhook in webhooks.items():
            found += [f"/spec/webhook/{name}{one}" for one in _of_model(WebhookContext, webhook)]
    if given["kind"] == "Sensor":  # what it submits is any object for its model
        found = [one for one in found if "/argoWorkflow/source/resource/" not in one]
        for trigger in given["spec"]["triggers"]:
            found += faults(trigger["template"]["argoWorkflow"]["source"]["resource"])
    return found


_HEAD = ("apiVersion", "kind")


def _of_model(model: Any, given: dict[str, Any]) -> Iterator[str]:  # noqa: ANN401 - a class of a package
    try:
        known = model.model_validate(given).model_dump(mode="json", by_alias=True, exclude_none=True)
    except ValidationError as error:
        yield from (f"/{'/'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors())
        return
    yield from (f"{path} is unknown" for path in _lost(given, known, ""))


def _lost(given: Any, known: Any, path: str) -> Iterator[str]:  # noqa: ANN401 - JSON
    """The paths of what is in one value and not in the other."""
    if isinstance(given, dict) and isinstance(known, dict):
        for name, value in given.items():
            if name in known:
                yield from _lost(value, known[name], f"{path}/{name}")
            else:
                yield f"{path}/{name}"
    elif isinstance(given, list) and isinstance(known, list):
        for place, (one, other) in enumerate(zip(given, known, strict=True)):
            yield from _lost(one, other, f"{path}/{place}")


if __name__ == "__main__":
    json.dump([faults(one) for one in json.load(sys.stdin)], sys.stdout)
