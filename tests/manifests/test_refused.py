"""The rules refuse manifests that a cluster refuses, or in which nothing works, and accept every example."""

import copy
from collections.abc import Callable
from typing import Any

import pytest

from tests.support.helm import Manifest
from tests.support.kserve_examples import NAMES, documents
from tests.support.kserve_rules import rule_faults
from tests.support.manifests import faults_of

Change = Callable[[Manifest], Any]
PROXY = "transformer-container"


def container_of(document: Manifest, name: str = PROXY) -> Manifest:
    """A container of a service's predictor, of a runtime, or of an LLMInferenceService."""
    spec = document["spec"]
    pod = spec.get("predictor") or spec.get("template") or spec
    found: Manifest = next(one for one in (*pod["containers"], *pod.get("initContainers", [])) if one["name"] == name)
    return found


def probe(document: Manifest) -> Manifest:
    """The readiness probe of the sidecar."""
    found: Manifest = container_of(document)["readinessProbe"]
    return found


def without(items: list[Any], text: str) -> None:
    """Remove the items that contain a text."""
    items[:] = [one for one in items if text not in str(one)]


def predictor(**fields: Any) -> Change:  # noqa: ANN401 - any field of a manifest
    """A change that sets fields of the predictor."""
    return lambda document: document["spec"]["predictor"].update(fields)


def sidecar(**fields: Any) -> Change:  # noqa: ANN401 - any field of a manifest
    """A change that sets fields of the sidecar."""
    return lambda document: container_of(document).update(fields)


LOGGER = {"mode": "all", "url": "http://driftgauge-logger.default.svc.cluster.local/"}
CANARY: Manifest = {"trafficPercent": 10, "predictor": {"name": "v2", "model": {"modelFormat": {"name": "sklearn"}}}}
PARTIAL = {**CANARY, "predictor": {**CANARY["predictor"], "containers": [{"name": PROXY, "env": []}]}}

KNATIVE_REFUSES: tuple[tuple[str, Change, str], ...] = (
    ("sidecar-knative", lambda it: probe(it).pop("periodSeconds"), "timeoutSeconds of readinessProbe without period"),
    ("clusterservingruntime", lambda it: probe(it).pop("periodSeconds"), "timeoutSeconds of readinessProbe without"),
    (
        "sidecar-knative",
        lambda it: container_of(it).update(readinessProbe={"httpGet": {"port": 8080}, "failureThreshold": 3}),
        "failureThreshold of readinessProbe without periodSeconds",
    ),
    ("sidecar-knative", predictor(terminationGracePeriodSeconds=60), "refuses terminationGracePeriodSeconds"),
    ("sidecar-knative", predictor(initContainers=[{"name": "fetch"}]), "refuses initContainers"),
    ("sidecar-knative", lambda it: container_of(it)["ports"].append({"containerPort": 9464}), "more than one port"),
    ("sidecar-knative", lambda it: container_of(it).pop("ports"), "several containers of which none has a port"),
    ("sidecar-knative", lambda it: container_of(it)["ports"][0].update(name="http"), "the port name http"),
    ("sidecar-knative", lambda it: container_of(it)["ports"][0].update(containerPort=8012), "reserves port 8012"),
    (
        "sidecar-knative",
        lambda it: it["spec"]["predictor"]["model"].update(readinessProbe={"httpGet": {"path": "/v1/models"}}),
        "a probe in a container without a port",
    ),
    (
        "sidecar-knative",
        lambda it: container_of(it)["env"].append(
            {"name": "POD", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}
        ),
        "the downward API, which POD uses",
    ),
    ("sidecar-knative", lambda it: container_of(it)["env"].append({"name": "PORT", "value": "1"}), "the variable PORT"),
    ("sidecar-knative", sidecar(lifecycle={"preStop": {"sleep": {"seconds": 5}}}), "refuses lifecycle"),
    ("sidecar-knative", predictor(volumes=[]), "the mount of reference, which is no volume"),
    ("sidecar-knative", lambda it: container_of(it).pop("volumeMounts"), "the volume reference, which nothing mounts"),
    (
        "sidecar-standard",
        lambda it: it["metadata"]["annotations"].update({"serving.kserve.io/deploymentMode": "Serverless"}),
        "refuses terminationGracePeriodSeconds",
    ),
)
KSERVE_REFUSES: tuple[tuple[str, Change, str], ...] = (
    ("logger", lambda it: it["spec"]["predictor"]["logger"].pop("mode"), "refuses a logger without a mode"),
    ("sidecar-knative", lambda it: it["spec"].update(canary=[CANARY]), "refuses spec.canary in Knative mode"),
    (
        "custom-predictor",
        lambda it: it["spec"]["predictor"]["containers"].reverse(),
        "overwrites the first container with kserve-container",
    ),
)
NEVER_WORKS: tuple[tuple[str, Change, str], ...] = (
    (
        "sidecar-knative",
        sidecar(livenessProbe={"httpGet": {"path": "/healthz", "port": 9464}}),
        "moves livenessProbe from port 9464 to port 8080",
    ),
    ("sidecar-standard", lambda it: it["metadata"].pop("annotations"), "set serving.kserve.io/deploymentMode"),
    ("sidecar-standard", predictor(terminationGracePeriodSeconds=30), "up to 45 s, and the pod has 30 s"),
    ("sidecar-standard", lambda it: it["spec"]["predictor"].pop("terminationGracePeriodSeconds"), "the pod has 30 s"),
    (
        "clusterservingruntime",
        lambda it: without(container_of(it)["env"], "DRAIN_TIMEOUT"),
        "draining takes up to 45 s, and the pod has 30 s",
    ),
    (
        "sidecar-standard",
        lambda it: without(container_of(it)["env"], "INFERENCE_SERVICE"),
        "is default: KServe before 0.17 does not set it",
    ),
    (
        "clusterservingruntime",
        lambda it: container_of(it)["env"].append({"name": "DRIFTGAUGE_INFERENCE_SERVICE", "value": "wine"}),
        "a runtime is for services of any name",
    ),
    ("sidecar-standard", lambda it: it["spec"]["predictor"]["model"].pop("runtime"), "set model.runtime"),
    (
        "sidecar-standard",
        lambda it: it["spec"]["predictor"]["model"].pop("args"),
        "nothing moves the model server to port 8085",
    ),
    (
        "sidecar-knative",
        lambda it: it["spec"]["predictor"]["model"].update(runtime="kserve-vllmserver"),
        "kserve-vllmserver has a probe of its own",
    ),
    ("sidecar-standard", sidecar(name="driftgauge"), "name is not transformer-container"),
    (
        "sidecar-standard",
        lambda it: container_of(it)["ports"].reverse(),
        "first port of the sidecar is not its data port",
    ),
    ("logger-and-sidecar", sidecar(readinessProbe={"exec": {"command": ["true"]}}), "KServe's agent exits"),
    ("sidecar-standard", lambda it: it["spec"]["predictor"]["containers"].append({"name": "agent"}), "named agent"),
    ("logger", lambda it: it["spec"]["predictor"]["logger"].update(metadataHeaders=["x-request-id"]), "never matches"),
    ("logger", lambda it: it["spec"].update(transformer={"logger": LOGGER}), "two components are logged"),
    (
        "logger",
        lambda it: (
            it["metadata"]["annotations"].update(team="a,b"),
            it["spec"]["predictor"]["logger"].update(metadataAnnotations=["team"]),
        ),
        "the comma in the annotation team",
    ),
    ("logger", lambda it: it["spec"].update(canary=[CANARY]), "the traffic of a canary is never logged"),
    ("sidecar-standard", lambda it: it["spec"].update(canary=[PARTIAL]), "of a canary replaces the predictor's"),
    (
        "logger",
        lambda it: it["spec"].update(transformer={"containers": [{"name": "t", "image": "driftgauge:0.1.0"}]}),
        "driftgauge as spec.transformer",
    ),
    (
        "llm-native-sidecar",
        lambda it: container_of(it, "driftgauge").pop("restartPolicy"),
        "only an init container with restartPolicy Always",
    ),
    (
        "llm-native-sidecar",
        lambda it: without(container_of(it, "driftgauge")["args"], "--port"),
        "leads to port 8000: the sidecar must listen there",
    ),
    ("llm-native-sidecar", lambda it: container_of(it, "main").pop("env"), "nothing moves vLLM to port 8001"),
    ("llm-native-sidecar", lambda it: it["spec"].update(prefill={}), "routing sidecar has port 8000 already"),
    (
        "llm-native-sidecar",
        lambda it: without(container_of(it, "driftgauge")["env"], "DRAIN"),
        "draining takes up to 45 s, and the pod has 5 s",
    ),
    (
        "llm-native-sidecar",
        lambda it: without(container_of(it, "driftgauge")["env"], "INFERENCE_SERVICE"),
        "the name of the sidecar's service is default",
    ),
)


CASES = [*KNATIVE_REFUSES, *KSERVE_REFUSES, *NEVER_WORKS]


@pytest.mark.parametrize("name", [name for name in NAMES if name != "README"])
def test_every_example_has_no_fault(name: str) -> None:
    """Schemas and rules accept every example."""
    assert [] == faults_of(documents(name))


@pytest.mark.parametrize(
    ("name", "change", "sentence"),
    CASES,
    ids=[f"{name}: {sentence}" for name, _, sentence in CASES],
)
def test_a_changed_example_is_refused(name: str, change: Change, sentence: str) -> None:
    """One change makes an example wrong, and a fault says why."""
    changed = copy.deepcopy(documents(name))
    change(changed[0])

    assert [] == rule_faults(documents(name))
    assert [] != [fault for fault in rule_faults(changed) if sentence in fault]


def test_a_service_may_set_the_grace_that_its_runtime_needs() -> None:
    """A runtime is merged into its service: a grace period of the service is that of the pod."""
    runtime, service = (documents(name)[0] for name in ("clusterservingruntime", "inferenceservice"))
    without(container_of(runtime)["env"], "DRAIN_TIMEOUT")
    service["spec"]["predictor"]["terminationGracePeriodSeconds"] = 60

    assert [] == [fault for fault in rule_faults([runtime, service]) if fault.startswith("InferenceService")]


def test_a_logger_needs_a_grace_period_too() -> None:
    """The Deployment of a logger that has 30 s for draining is refused."""
    pod = {"containers": [{"name": "driftgauge", "image": "registry.example/driftgauge:0.1.0", "args": ["logger"]}]}
    logger = {"kind": "Deployment", "metadata": {"name": "logger"}, "spec": {"template": {"spec": pod}}}

    assert ["Deployment logger: draining takes up to 45 s, and the pod has 30 s"] == rule_faults([logger])
