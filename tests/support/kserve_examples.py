"""The manifests in examples/kserve and the README; starts their sidecar as the cluster would."""

import os
import signal
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import yaml

from driftgauge.config.options import ProxyConfig
from tests.support.helm import Manifest
from tests.support.markdown_blocks import blocks, whole_object, yaml_documents
from tests.support.ports import free_port
from tests.support.processes import Child
from tests.support.waiting import wait_until

_ROOT = Path(__file__).parents[2]
_FILES = sorted((_ROOT / "examples" / "kserve").glob("*.yaml"))
_README = "README"
NAMES = (*(path.stem for path in _FILES), _README)

REFERENCE_PATH = "/mnt/reference"
_UPSTREAM_PORTS = ("127.0.0.1:8085", "127.0.0.1:8001")
_DATA_PORT = 8080
_LLM_PORT = "--port=8000"
_ADMIN_PORT = 9464
_METADATA = {"{{.Name}}": "wine", "{{.Namespace}}": "default"}
_FIELDS = {"metadata.namespace": "default", "metadata.labels['app']": "isvc.wine-predictor"}
KNATIVE_REVISION = "wine-predictor-00001"
"""The value of `K_REVISION`, which Knative sets in every container."""


def documents(name: str) -> list[Manifest]:
    """The objects of one example, or of the README."""
    if name != _README:
        return list(yaml.safe_load_all((_ROOT / "examples" / "kserve" / f"{name}.yaml").read_text()))
    written = [block for block in blocks(_ROOT / "README.md") if block.language == "yaml"]
    return [whole_object(one) for block in written for one in yaml_documents(block)]


@dataclass(frozen=True)
class Pod:
    """One pod with a sidecar in an example.

    Args:
        example: Name of the example.
        owner: The InferenceService or ClusterServingRuntime.
        spec: The part of it that describes the pod.
        sidecar: The container of driftgauge.
    """

    example: str
    owner: Manifest
    spec: Manifest
    sidecar: Manifest

    @property
    def annotations(self) -> dict[str, str]:
        """The annotations that the pod gets."""
        return {**self.owner["metadata"].get("annotations", {}), **self.spec.get("annotations", {})}

    @property
    def fits_knative(self) -> bool:
        """Whether it is for Knative: by its annotation, or because it is a runtime, which is for both modes."""
        return self.only_knative or self.owner["kind"] == "ClusterServingRuntime"

    @property
    def only_knative(self) -> bool:
        """Whether its annotation says that it is for Knative."""
        return self.annotations.get("serving.kserve.io/deploymentMode") == "Knative"

    def option(self, name: str) -> str:
        """The text of an option: of the sidecar's argument, else of its variable, else the default."""
        arguments = [word for word in self.sidecar["args"] if word.startswith(f"--{name.replace('_', '-')}=")]
        variables = [one for one in self.sidecar.get("env", []) if one["name"] == f"DRIFTGAUGE_{name.upper()}"]
        if arguments:
            return str(arguments[-1].split("=", 1)[1])
        return str(variables[-1]["value"] if variables else ProxyConfig.model_fields[name].default)


def predictor_of(owner: Manifest) -> Manifest:
    """The part of an InferenceService or a runtime that describes the predictor's pod; empty for other objects."""
    spec: Manifest = owner.get("spec", {})
    found: Manifest = {"InferenceService": spec.get("predictor", {}), "ClusterServingRuntime": spec}.get(
        owner["kind"], {}
    )
    return found


def pods() -> list[Pod]:
    """Every pod of every file in examples/kserve with a complete sidecar; a patch of one has no image."""
    return [
        Pod(name, owner, predictor_of(owner), container)
        for name in NAMES
        if name != _README
        for owner in documents(name)
        for container in predictor_of(owner).get("containers", [])
        if container.get("image", "").startswith("driftgauge:")
    ]


def llm_pod() -> Pod:
    """The pod of the LLMInferenceService, with its native sidecar."""
    owner = documents("llm-native-sidecar")[0]
    template = owner["spec"]["template"]
    return Pod("llm-native-sidecar", owner, template, template["initContainers"][0])


def option_names(arguments: Sequence[str]) -> list[str]:
    """Names of the options in the arguments after the mode, as they are declared."""
    return [word[2:].split("=")[0].replace("-", "_") for word in arguments if word.startswith("--")]


@dataclass(frozen=True)
class Running:
    """A running sidecar.

    Args:
        child: Its process.
        ports: Port of the manifest -> port on this machine.
    """

    child: Child
    ports: dict[int, int]

    def url(self, probe: Manifest) -> str:
        """The URL of a probe of the manifest."""
        return self.at(probe["httpGet"]["port"], probe["httpGet"]["path"])

    def at(self, port: int, path: str) -> str:
        """The URL of a path on a port of the manifest."""
        return f"http://127.0.0.1:{self.ports[port]}{path}"


@contextmanager
def started(pod: Pod, model_port: int, volume: Path) -> Iterator[Running]:
    """Start the sidecar as a process with exactly its arguments and variables.

    Args:
        pod: The pod with the sidecar.
        model_port: Replaces 8085, or 8001 of vLLM.
        volume: Replaces the mounted reference.
    """
    ports = {_DATA_PORT: free_port(), _ADMIN_PORT: free_port()}
    words = [_replaced(word, _METADATA) for word in pod.sidecar["args"]]
    replaced = {REFERENCE_PATH: str(volume), _LLM_PORT: f"--port={ports[_DATA_PORT]}"}
    replaced |= dict.fromkeys(_UPSTREAM_PORTS, f"127.0.0.1:{model_port}")
    here = [_replaced(word, replaced) for word in words]
    env = {one["name"]: _value(one) for one in pod.sidecar.get("env", [])}
    # Knative sets the data port with PORT; elsewhere it is the default, which a test must replace by a free port.
    env["PORT" if pod.fits_knative else "DRIFTGAUGE_PORT"] = str(ports[_DATA_PORT])
    if pod.fits_knative:
        env["K_REVISION"] = KNATIVE_REVISION
    env["DRIFTGAUGE_ADMIN_PORT"] = str(ports[_ADMIN_PORT])
    # Variables of this process are not options of the process under test. INFERENCE_SERVICE_NAME is not set, because
    # KServe before 0.17 does not set it, and no version sets it for a native sidecar.
    names = ("DRIFTGAUGE_", "INFERENCE_SERVICE_NAME")
    hidden = [name for name in os.environ if name.startswith(names) and name not in env]
    with Child([sys.executable, "-m", "driftgauge", *here], env, hidden=hidden) as child:
        child.await_response(f"http://127.0.0.1:{ports[_ADMIN_PORT]}/healthz")
        child.await_port(ports[_DATA_PORT])
        yield Running(child, ports)
        # The end of the block sends a second signal, which ends the drain delay of the manifest.
        child.signal(signal.SIGTERM)
        wait_until(lambda: "draining" in child.stderr, "the first signal to take effect")


def _replaced(text: str, values: Mapping[str, str]) -> str:
    for found, value in values.items():
        text = text.replace(found, value)
    return text


def _value(variable: Manifest) -> str:
    if "valueFrom" in variable:
        return _FIELDS[variable["valueFrom"]["fieldRef"]["fieldPath"]]
    return _replaced(variable["value"], _METADATA)
