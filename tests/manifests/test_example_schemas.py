"""The manifests of the loop and of the canary fit the schemas of Argo, Knative and Kubeflow.

Packages were made from these: hera and kfp-pipeline-spec of Python, @kubernetes-models of JavaScript.
"""

import copy
import json
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.markdown_blocks import blocks
from tests.support.parts import environment_python, node_modules, program

ROOT = Path(__file__).parents[2]
RETRAIN = ROOT / "examples" / "retrain" / "manifests"
PROGRAMS = ROOT / "tests" / "real" / "programs"

Object = dict[str, Any]

ARGO = ["argo-workflow.yaml", "argo-events.yaml", "kubeflow-pipeline.yaml"]


def documents(file: Path) -> list[Object]:
    """The objects of a file, as JSON has them."""
    found: list[Object] = json.loads(json.dumps(list(yaml.safe_load_all(file.read_text())), default=str))
    return found


def argo_faults(objects: Sequence[Object]) -> list[list[str]]:
    """The faults of objects of Argo Workflows and Events, and of pipelines of Kubeflow."""
    return _run([environment_python("manifests"), PROGRAMS / "manifest_faults.py"], objects)


def model_faults(objects: Sequence[Object]) -> list[list[str]]:
    """The faults of objects of Argo Rollouts and Knative."""
    modules = node_modules("kubernetes-models")
    return _run([program("node"), PROGRAMS / "object_faults.mjs", modules], objects)


def _run(argv: Sequence[str | Path], objects: Sequence[Object]) -> list[list[str]]:
    done = subprocess.run(argv, input=json.dumps(objects), stdout=subprocess.PIPE, check=True, timeout=60, text=True)
    found: list[list[str]] = json.loads(done.stdout)
    return found


def changed(given: Object, path: str, value: object) -> Object:
    """An object with another value at a path such as `spec/0/name`."""
    found = copy.deepcopy(given)
    inner: Any = found
    *parents, last = [int(part) if part.isdecimal() else part for part in path.split("/")]
    for part in parents:
        inner = inner[part]
    inner[last] = value
    return found


@pytest.mark.parametrize("name", ARGO)
def test_argo_and_kubeflow_know_every_field(name: str) -> None:
    """Workflow, event source, sensor with the workflow that it submits, and pipeline."""
    objects = documents(RETRAIN / name)
    assert [[]] * len(objects) == argo_faults(objects)


def test_a_wrong_field_of_argo_or_kubeflow_is_a_fault() -> None:
    """One that is misspelt, and one of another type, in each kind of object."""
    (workflow,), (pipeline,) = documents(RETRAIN / "argo-workflow.yaml"), documents(RETRAIN / "kubeflow-pipeline.yaml")
    source, sensor = documents(RETRAIN / "argo-events.yaml")
    submitted = "spec/triggers/0/template/argoWorkflow/source/resource/spec"
    wrong = [
        changed(workflow, "spec/entryPoint", "x"),
        changed(workflow, "spec/templates/0/steps/0", {"name": "x"}),
        changed(source, "spec/webhook/events/ports", "1"),
        changed(source, "spec/webhook/events/port", [1]),
        changed(sensor, "spec/dependencies/0/filter", {}),
        changed(sensor, f"{submitted}/workflowTemplate", {}),
        changed(pipeline, "root/dags", {}),
        changed(pipeline, "schemaVersion", 2),
    ]
    assert [True] * len(wrong) == [bool(one) for one in argo_faults(wrong)]


def test_rollouts_and_knative_know_every_field() -> None:
    """The AnalysisTemplate, the triggers, and the objects in the documentation of events."""
    page = ROOT / "docs" / "events.md"
    shown = [one for block in blocks(page) if block.language == "yaml" for one in yaml.safe_load_all(block.text)]
    objects = [
        *documents(ROOT / "examples" / "canary" / "analysistemplate.yaml"),
        *documents(RETRAIN / "knative.yaml"),
        *(one for one in shown if "kind" in one),
    ]
    assert {"AnalysisTemplate", "Trigger", "SinkBinding"} == {one["kind"] for one in objects}
    assert [[]] * len(objects) == model_faults(objects)


def test_a_wrong_field_of_rollouts_or_knative_is_a_fault() -> None:
    """One that is misspelt, and one of another type."""
    (template,) = documents(ROOT / "examples" / "canary" / "analysistemplate.yaml")
    trigger, _ = documents(RETRAIN / "knative.yaml")
    wrong = [
        changed(template, "spec/metrics/0/failureLimits", 1),
        changed(template, "spec/metrics/0/provider/job/spec/backoffLimits", 1),
        changed(template, "spec/metrics/0/count", {}),
        changed(trigger, "spec/filters/0/exacts", {}),
        changed(trigger, "spec/broker", 4),
    ]
    assert [True] * len(wrong) == [bool(one) for one in model_faults(wrong)]
