"""What goes wrong in a cluster although KServe's schemas accept it: it is refused, or does not work.

Sources are of kserve/kserve v0.20.0 unless another version is named.
"""

from collections.abc import Iterator, Sequence

from tests.support.helm import Manifest
from tests.support.knative_rules import knative_faults
from tests.support.kserve_pods import KNATIVE, STANDARD, Pod, Sidecar, mode_of, pods_of

_DEFAULT_GRACE_SECONDS = 30
_LLM_REST_SECONDS = 5
_LLM_PORT = "8000"
_SERVICE_PORT = 8080
_MOVED = ("--http_port", "--http-port", "--rest_api_port", "--rest_port", "--port")


def rule_faults(documents: Sequence[Manifest]) -> list[str]:
    """Each fault of the documents of one file, with the object that has it; no schema is needed.

    Args:
        documents: Whole objects. A runtime is merged into the services that name it.
    """
    found: list[str] = []
    for document in documents:
        if document["kind"] == "InferenceService":
            found += [f"InferenceService {document['metadata']['name']}: {why}" for why in _service_faults(document)]
        if document["kind"] == "Deployment":
            found += [f"Deployment {document['metadata']['name']}: {why}" for why in _deployment_faults(document)]
    for pod in pods_of(documents):
        found += [f"{pod}: {why}" for why in _pod_faults(pod)]
    return found


def _service_faults(service: Manifest) -> Iterator[str]:
    if not mode_of(service):
        # pkg/constants/constants.go says Standard, the ConfigMap Serverless, the chart Knative.
        yield "the deployment mode depends on how KServe was installed: set serving.kserve.io/deploymentMode"
    components = [one for one in service["spec"].values() if isinstance(one, dict)]
    loggers = [one["logger"] for one in components if "logger" in one]
    if len(loggers) > 1:
        yield "two components are logged: every request counts twice, because their ids are unrelated"
    for logger in loggers:
        yield from _logger_faults(service, logger)
    yield from _transformer_faults(service["spec"].get("transformer", {}))
    for canary in service["spec"].get("canary", []):
        yield from _canary_faults(service, canary.get("predictor", {}))


def _logger_faults(service: Manifest, logger: Manifest) -> Iterator[str]:
    """Source: pkg/apis/serving/v1beta1/component.go (validateLogger), pkg/logger/handler.go, cmd/agent/main.go."""
    if logger.get("mode") not in {"all", "request", "response"}:
        yield "KServe refuses a logger without a mode"
    for header in logger.get("metadataHeaders", []):
        if header != "-".join(part.capitalize() for part in header.split("-")):
            yield f"the header {header} never matches: KServe compares it with Go's spelling"
    annotations = service["metadata"].get("annotations", {})
    for key in logger.get("metadataAnnotations", []):
        if "," in annotations.get(key, ""):
            yield f"the comma in the annotation {key} ends KServe's agent at once"


def _transformer_faults(transformer: Manifest) -> Iterator[str]:
    """Source: pkg/controller/v1beta1/inferenceservice/components/transformer.go appends `--predictor_host`."""
    if any("driftgauge" in one.get("image", "") for one in transformer.get("containers", [])):
        yield "driftgauge as spec.transformer gets KServe's options and exits: it belongs into spec.predictor"


def _canary_faults(service: Manifest, canary: Manifest) -> Iterator[str]:
    """Source: validateCanarySpecs in inference_service_validation.go; components/predictor.go, which replaces lists."""
    if mode_of(service) == KNATIVE:
        yield "KServe refuses spec.canary in Knative mode"
    if "logger" in service["spec"]["predictor"]:
        yield "the traffic of a canary is never logged: its Service leads past the agent"
    for container in canary.get("containers", []):
        if not {"image", "args", "ports", "readinessProbe"} <= set(container):
            yield f"{container['name']} of a canary replaces the predictor's, so it must be complete"


def _deployment_faults(deployment: Manifest) -> Iterator[str]:
    pod = deployment["spec"]["template"]["spec"]
    for container in pod["containers"]:
        if "driftgauge" in container.get("image", ""):
            yield from _grace_faults(
                Sidecar(container), pod.get("terminationGracePeriodSeconds", _DEFAULT_GRACE_SECONDS)
            )


def _grace_faults(sidecar: Sidecar, seconds: float) -> Iterator[str]:
    """Source: Kubernetes' default of terminationGracePeriodSeconds; `drain_*` in docs/options.md."""
    if seconds <= sidecar.draining_seconds:
        yield f"draining takes up to {sidecar.draining_seconds:g} s, and the pod has {seconds:g} s"


def _pod_faults(pod: Pod) -> Iterator[str]:
    sidecar = pod.sidecar
    if pod.mode == KNATIVE:
        yield from knative_faults(pod.spec)
    if any(one["name"] == "agent" for one in pod.containers):
        # pkg/webhook/admission/pod/agent_injector.go: no second one is injected, but the Service leads to its port.
        yield "a container named agent replaces KServe's"
    if pod.owner["kind"] == "LLMInferenceService":
        yield from _llm_faults(pod)
    elif pod.owner["kind"] == "InferenceService":
        yield from _predictor_faults(pod)
    if sidecar is not None and pod.owner["kind"] != "LLMInferenceService":
        yield from _sidecar_faults(pod, sidecar)
    if sidecar is not None:
        yield from _name_faults(pod, sidecar)


def _predictor_faults(pod: Pod) -> Iterator[str]:
    """Source: components/predictor.go (buildPodSpec), config/runtimes/*.yaml (priorities of autoSelect)."""
    model = pod.owner["spec"]["predictor"].get("model")
    if model is None:
        if pod.containers and pod.containers[0]["name"] != "kserve-container":
            yield "KServe overwrites the first container with kserve-container"
        return
    moved = any(word.split("=")[0] in _MOVED for word in model.get("args", []))
    if moved and "runtime" not in model:
        yield "the argument for the port belongs to one runtime, and KServe may choose another: set model.runtime"
    if pod.mode == KNATIVE and pod.sidecar and model.get("runtime") == "kserve-vllmserver":
        yield "kserve-vllmserver has a probe of its own, which Knative refuses in a container without a port"


def _sidecar_faults(pod: Pod, sidecar: Sidecar) -> Iterator[str]:
    """Source: reconcilers/service/service_reconciler.go, pkg/webhook/admission/pod/agent_injector.go."""
    container = sidecar.container
    if container["name"] != "transformer-container" and not sidecar.is_native:
        yield "the sidecar's name is not transformer-container, so KServe does not prepare it"
    ports = [one["containerPort"] for one in container.get("ports", [])]
    if ports[:1] != [_SERVICE_PORT] and not sidecar.is_native:
        yield "the first port of the sidecar is not its data port, to which the Service leads"
    probe = container.get("readinessProbe", {})
    if "httpGet" not in probe:
        yield "without an HTTP probe of the model, the pod is Ready while it loads; with another, KServe's agent exits"
    if pod.mode == STANDARD:
        default = _DEFAULT_GRACE_SECONDS
        yield from _grace_faults(sidecar, pod.spec.get("terminationGracePeriodSeconds", default))
    upstream = sidecar.option("upstream_url")
    port = upstream.rsplit(":", 1)[1]
    words = [word for one in pod.containers if one is not container for word in one.get("args", [])]
    variables = [str(one.get("value")) for other in pod.containers for one in other.get("env", [])]
    if port not in variables and not any(word.endswith((f"={port}", f" {port}")) or word == port for word in words):
        yield f"nothing moves the model server to port {port}"


def _name_faults(pod: Pod, sidecar: Sidecar) -> Iterator[str]:
    """Source: INFERENCE_SERVICE_NAME is in v0.17.0 and later, and never in init containers."""
    name = sidecar.option("inference_service")
    if name not in {pod.owner["metadata"]["name"], "{{.Name}}"}:
        yield f"the name of the sidecar's service is {name}: KServe before 0.17 does not set it"
    if pod.is_runtime and name != "{{.Name}}":
        yield "a runtime is for services of any name: write {{.Name}}"


def _llm_faults(pod: Pod) -> Iterator[str]:
    """Source: config/llmisvcconfig/config-llm-template.yaml; workload.go in pkg/controller/v1alpha2/llmisvc."""
    sidecar = pod.sidecar
    if sidecar is None:
        return
    if not sidecar.is_native or sidecar.container.get("restartPolicy") != "Always":
        yield "only an init container with restartPolicy Always listens before vLLM is probed"
    if sidecar.option("port") != _LLM_PORT:
        yield f"the Service of an LLMInferenceService leads to port {_LLM_PORT}: the sidecar must listen there"
    if "prefill" in pod.owner["spec"]:
        yield f"with prefill, llm-d's routing sidecar has port {_LLM_PORT} already"
    port = sidecar.option("upstream_url").rsplit(":", 1)[1]
    variables = [one.get("value", "") for container in pod.containers for one in container.get("env", [])]
    if not any(f"--port {port}" in text for text in variables):
        yield f"nothing moves vLLM to port {port}: VLLM_ADDITIONAL_ARGS=--port {port}"
    # config_merge.go (shutdownTimeout): vLLM, which ends first, may use all but 5 s of the grace period.
    yield from _grace_faults(sidecar, _LLM_REST_SECONDS)
