"""The pods that KServe makes of InferenceServices, runtimes and LLMInferenceServices, as far as manifests say it."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from driftgauge.config.options import ProxyConfig
from tests.support.helm import Manifest

STANDARD = "Standard"
KNATIVE = "Knative"
_MODES = {"Standard": STANDARD, "RawDeployment": STANDARD, "Knative": KNATIVE, "Serverless": KNATIVE}
_RUNTIMES = ("ClusterServingRuntime", "ServingRuntime")
_OURS = re.compile(r"(.*/)?driftgauge[:@]")


@dataclass(frozen=True)
class Sidecar:
    """The container of `driftgauge proxy`.

    Args:
        container: Its manifest.
        is_native: Whether it is an init container that keeps running.
    """

    container: Manifest
    is_native: bool = False

    def option(self, name: str) -> str:
        """The text of an option: of an argument, else of a variable, else the default."""
        flag = f"--{name.replace('_', '-')}"
        words = [part for word in self.container.get("args", []) for part in word.split("=", 1)]
        for word, following in reversed(list(pairwise([*words, ""]))):
            if word == flag:
                return str(following)
        values = [one for one in self.container.get("env", []) if one["name"] == f"DRIFTGAUGE_{name.upper()}"]
        return str(values[-1].get("value", "") if values else ProxyConfig.model_fields[name].default)

    @property
    def draining_seconds(self) -> float:
        """The longest time that it takes to end."""
        return float(self.option("drain_delay_seconds")) + 2 * float(self.option("drain_timeout_seconds"))


@dataclass(frozen=True)
class Pod:
    """A predictor's pod.

    Args:
        owner: The object that describes it.
        mode: STANDARD, KNATIVE, or empty if the object does not say it.
        spec: The part of the object that describes the pod, with all containers: the model's is the first.
    """

    owner: Manifest
    mode: str
    spec: Manifest

    @property
    def containers(self) -> list[Manifest]:
        """Its containers, without init containers."""
        found: list[Manifest] = self.spec["containers"]
        return found

    @property
    def sidecar(self) -> Sidecar | None:
        """The container of `driftgauge proxy`, if there is one."""
        for native in (False, True):
            for container in self.spec.get("initContainers" if native else "containers", []):
                if _OURS.match(container.get("image", "")) and container.get("args", [""])[0] == "proxy":
                    return Sidecar(container, native)
        return None

    @property
    def is_runtime(self) -> bool:
        """Whether a runtime describes it, without a service."""
        return self.owner["kind"] in _RUNTIMES

    def __str__(self) -> str:
        """Name of the object, and the mode."""
        return " ".join(filter(None, (self.owner["kind"], self.owner["metadata"]["name"], self.mode)))


def pods_of(documents: Sequence[Manifest]) -> Iterator[Pod]:
    """The pods of services, merged with the runtimes of the same documents; runtimes alone are pods in both modes."""
    runtimes = {one["metadata"]["name"]: one["spec"] for one in documents if one["kind"] in _RUNTIMES}
    for document in documents:
        if document["kind"] in _RUNTIMES:
            yield from (Pod(document, mode, document["spec"]) for mode in (STANDARD, KNATIVE))
        elif document["kind"] == "InferenceService" and "predictor" in document["spec"]:
            predictor = document["spec"]["predictor"]
            yield Pod(document, mode_of(document), _merged(predictor, runtimes))
        elif document["kind"] == "LLMInferenceService":
            yield Pod(document, STANDARD, {"containers": [], **document["spec"].get("template", {})})


def mode_of(service: Manifest) -> str:
    """The deployment mode that a service sets, or an empty text."""
    annotations = service["metadata"].get("annotations", {})
    return _MODES.get(annotations.get("serving.kserve.io/deploymentMode"), "")


def _merged(predictor: Manifest, runtimes: dict[str, Manifest]) -> Manifest:
    """A predictor with the containers of its runtime, and `model:` as the container that KServe makes of it.

    Source: kserve/kserve v0.20.0, pkg/controller/v1beta1/inferenceservice/components/predictor.go (buildPodSpec)
    """
    model = predictor.get("model")
    own: list[Manifest] = list(predictor.get("containers", []))
    if model is None:
        return {**predictor, "containers": own}
    fields = {key: model[key] for key in ("args", "env", "ports", "readinessProbe", "lifecycle") if key in model}
    fields["name"] = "kserve-container"
    runtime = runtimes.get(model.get("runtime", ""), {})
    bases = runtime.get("containers") or [{"name": "kserve-container"}]
    patches = {"kserve-container": fields, **{one["name"]: one for one in own}}
    containers = [_patched(base, patches.pop(base["name"], {})) for base in bases]
    volumes = [*runtime.get("volumes", []), *predictor.get("volumes", [])]
    return {**predictor, "containers": [*containers, *patches.values()], "volumes": volumes}


def _patched(base: Manifest, patch: Manifest) -> Manifest:
    joined: dict[str, Any] = {key: [*base.get(key, []), *patch.get(key, [])] for key in ("args", "env")}
    return {**base, **patch, **{key: value for key, value in joined.items() if value}}
