"""The manifests of the loop fit each other, driftgauge's commands and its events.

Their fields are those of the schemas (`test_example_schemas.py`); that each thing an object refers to is there is
checked here by code.
"""

import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml

from driftgauge.cli.arguments import make_parser
from driftgauge.events.verdicts import Verdict
from tests.support.eventing_rules import eventing_faults

ROOT = Path(__file__).parents[2]
MANIFESTS = ROOT / "examples" / "retrain" / "manifests"
SCHEMA = json.loads((ROOT / "sidecar/driftgauge/page/schemas/event-1.schema.json").read_text())["properties"]
STEPS = ["export", "train", "reference", "deploy", "compare"]

Object = dict[str, Any]


def documents(name: str) -> list[Object]:
    """The objects of a file."""
    return list(yaml.safe_load_all((MANIFESTS / name).read_text()))


def named(objects: Sequence[Object]) -> dict[str, Object]:
    """Objects of a list by their names."""
    return {one["name"]: one for one in objects}


def command(arguments: Sequence[str]) -> Any:  # noqa: ANN401 - a parsed command line
    """The command line of driftgauge in a manifest, with a text for each placeholder."""
    return make_parser().parse_args([re.sub(r"\{\{.*?\}\}", "wine", one) for one in arguments])


def is_gate_of_a_retrained_model(arguments: Sequence[str]) -> bool:
    """Whether a comparison looks at all but the predictions, which differ on purpose."""
    return bool(command(arguments).fail_on == "errors,latency,accuracy")


def texts(value: Any) -> Iterator[str]:  # noqa: ANN401 - any value of YAML
    """All texts in a value."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for one in value.values():
            yield from texts(one)
    elif isinstance(value, list):
        for one in value:
            yield from texts(one)


def workflow() -> Object:
    """The spec of the workflow."""
    (template,) = documents("argo-workflow.yaml")
    spec: Object = template["spec"]
    return spec


@pytest.mark.parametrize("trigger", documents("knative.yaml"), ids=lambda one: one["metadata"]["name"])
def test_knative_accepts_the_triggers(trigger: Object) -> None:
    """They have only fields that Knative knows, and a misspelt one is a fault."""
    assert [] == eventing_faults(trigger)
    wrong = trigger["spec"] | {"filters": [{"exactly": {"type": "x"}}]}
    assert eventing_faults(trigger | {"spec": wrong})


def test_the_triggers_choose_types_that_are_sent() -> None:
    """Those of labels start the retraining; the prefix is that of all."""
    retrain, log = documents("knative.yaml")
    chosen = {one["exact"]["type"] for one in retrain["spec"]["filters"][1]["any"]}
    assert {f"io.driftgauge.{verdict}.detected" for verdict in (Verdict.PERFORMANCE, Verdict.CONCEPT)} == chosen
    assert all(one.startswith(log["spec"]["filters"][0]["prefix"]["type"]) for one in chosen)


def test_the_workflow_refers_to_what_it_has() -> None:
    """Each step has a template, each placeholder a parameter, and each mount a volume."""
    spec = workflow()
    templates, parameters = named(spec["templates"]), named(spec["arguments"]["parameters"])
    steps = [one["template"] for group in templates[spec["entrypoint"]]["steps"] for one in group]
    volumes = {one["metadata"]["name"] for one in spec["volumeClaimTemplates"]}
    mounts = [one for template in templates.values() for one in template.get("container", {}).get("volumeMounts", ())]

    assert [*STEPS, "promote"] == steps
    assert set(steps) | {spec["entrypoint"]} == set(templates)
    used = {name for text in texts(spec) for name in re.findall(r"\{\{workflow\.parameters\.([\w-]+)\}\}", text)}
    assert set(parameters) == used
    assert {one["name"] for one in mounts} == volumes
    assert all(
        "workflow." in one or "lastRetry" in one for text in texts(spec) for one in re.findall(r"\{\{.*?\}\}", text)
    )


def test_the_workflow_runs_commands_of_driftgauge() -> None:
    """Export, reference and comparison are command lines that it accepts; each file is written before it is read."""
    templates = named(workflow()["templates"])
    lines = {name: templates[name]["container"]["args"] for name in ("export", "reference", "compare")}

    assert ["export", "reference", "compare"] == [command(line).command for line in lines.values()]
    assert all(["driftgauge"] == templates[name]["container"]["command"] for name in lines)
    assert is_gate_of_a_retrained_model(lines["compare"])
    train = templates["train"]["container"]["args"]
    assert str(command(lines["export"]).output) == train[0]
    assert f"--reference={lines['reference'][2]}" in train


def test_the_sensor_takes_events_as_they_are_and_submits_the_workflow() -> None:
    """Its filters and its parameter are fields of the event's schema; names are those of the other objects."""
    source, sensor = documents("argo-events.yaml")
    (template,) = documents("argo-workflow.yaml")
    wrong, alerted = sensor["spec"]["dependencies"]
    fields = {one["path"].removeprefix("body."): one["value"] for one in wrong["filters"]["data"]}

    assert all(set(values) <= set(SCHEMA[name].get("enum", values)) for name, values in fields.items())
    for dependency in (wrong, alerted):
        assert source["metadata"]["name"] == dependency["eventSourceName"]
        assert dependency["eventName"] in source["spec"]["webhook"]
    for trigger in sensor["spec"]["triggers"]:
        submitted = trigger["template"]["argoWorkflow"]
        spec = submitted["source"]["resource"]["spec"]
        assert template["metadata"]["name"] == spec["workflowTemplateRef"]["name"]
        assert set(named(spec["arguments"]["parameters"])) <= set(named(template["spec"]["arguments"]["parameters"]))
        assert "since" == spec["arguments"]["parameters"][0]["name"]
        (parameter,) = submitted["parameters"]
        assert trigger["template"]["conditions"] == parameter["src"]["dependencyName"]
        assert "spec.arguments.parameters.0.value" == parameter["dest"]
    assert "since" in SCHEMA


def test_alertmanager_sends_alerts_that_exist_to_the_webhook() -> None:
    """The route names alerts of the chart and a receiver; its URL is the port and the path of the EventSource."""
    (config,) = documents("alertmanager.yml")
    source, _ = documents("argo-events.yaml")
    (route,) = config["route"]["routes"]
    receivers = named(config["receivers"])
    url = urlsplit(receivers[route["receiver"]]["webhook_configs"][0]["url"])
    alerts = set(re.findall(r"Driftgauge\w+", route["matchers"][0]))
    known = set(re.findall(r"alert: (\w+)", (ROOT / "charts/driftgauge/files/alerts.yaml").read_text()))

    assert alerts <= known
    assert alerts
    assert config["route"]["receiver"] in receivers
    webhook = source["spec"]["webhook"]["alerts"]
    assert (webhook["port"], webhook["endpoint"]) == (str(url.port), url.path)
    name, namespace = source["metadata"]["name"], source["metadata"]["namespace"]
    assert f"{name}-eventsource-svc.{namespace}.svc.cluster.local" == url.hostname
    assert route["group_by"] == ["inference_service_namespace", "inference_service"]


def test_the_pipeline_refers_to_what_it_has() -> None:
    """Tasks have the inputs of their components, in an order; components have executors, and placeholders an input."""
    (pipeline,) = documents("kubeflow-pipeline.yaml")
    tasks, components = pipeline["root"]["dag"]["tasks"], pipeline["components"]
    executors = pipeline["deploymentSpec"]["executors"]

    assert STEPS == list(tasks)
    assert {one["executorLabel"] for one in components.values()} == set(executors)
    for task in tasks.values():
        component = components[task["componentRef"]["name"]]
        inputs, outputs = component["inputDefinitions"], component.get("outputDefinitions", {})
        for kind in ("parameters", "artifacts"):
            assert set(inputs.get(kind, {})) == set(task["inputs"].get(kind, {}))
        for one in task["inputs"].get("parameters", {}).values():
            assert one["componentInputParameter"] in pipeline["root"]["inputDefinitions"]["parameters"]
        for one in task["inputs"].get("artifacts", {}).values():
            made = one["taskOutputArtifact"]
            producer = components[tasks[made["producerTask"]]["componentRef"]["name"]]
            assert made["outputArtifactKey"] in producer["outputDefinitions"]["artifacts"]
            assert made["producerTask"] in task["dependentTasks"]
        sides = {"inputs": inputs, "outputs": outputs}
        for text in texts(executors[component["executorLabel"]]):
            for side, kind, name in re.findall(r"\{\{\$\.(\w+)\.(\w+)\['(\w+)'\]", text):
                assert name in sides[side][kind]


def test_the_pipeline_runs_commands_of_driftgauge() -> None:
    """Export, reference and comparison are command lines that it accepts."""
    (pipeline,) = documents("kubeflow-pipeline.yaml")
    containers = {name: one["container"] for name, one in pipeline["deploymentSpec"]["executors"].items()}
    written = ["--output=/work/rows.csv"]  # added by the shell of the container

    assert "export" == command([*containers["exec-export"]["args"], *written]).command
    assert "reference" == command([*containers["exec-reference"]["args"], *written]).command
    assert is_gate_of_a_retrained_model(containers["exec-compare"]["args"])
