"""What Knative refuses in a pod, although every schema accepts it. Features that are off by default count as off.

Knative's webhook checks the Knative Service that KServe creates: `kubectl apply` of the InferenceService succeeds, and
the refusal is only in an event of the service and in KServe's log.

Source: knative/serving v0.48.1, pkg/apis/serving/k8s_validation.go and fieldmask.go; rules name their function there.
"""

from collections.abc import Iterator

from tests.support.helm import Manifest

_REFUSED_FIELDS = (
    *(
        "activeDeadlineSeconds",
        "affinity",
        "dnsConfig",
        "dnsPolicy",
        "hostAliases",
        "hostIPC",
        "hostNetwork",
        "hostPID",
    ),
    *("initContainers", "nodeName", "nodeSelector", "priorityClassName", "restartPolicy", "runtimeClassName"),
    *("schedulerName", "shareProcessNamespace", "terminationGracePeriodSeconds", "tolerations"),
    *("topologySpreadConstraints",),
)
_PORT_NAMES = ("", "h2c", "http1")
_RESERVED_PORTS = (8008, 8012, 8013, 8022, 9090, 9091)
_RESERVED_VARIABLES = ("K_SERVICE", "K_CONFIGURATION", "K_REVISION")


def knative_faults(pod: Manifest) -> Iterator[str]:
    """Why Knative would refuse a pod.

    Args:
        pod: A pod spec with all its containers; other keys, such as those of a predictor, are ignored.
    """
    yield from (f"Knative refuses {field}" for field in _REFUSED_FIELDS if field in pod)
    yield from _port_faults(pod["containers"])
    yield from _volume_faults(pod)
    for container in pod["containers"]:
        faults = [*_container_faults(container), *_probe_faults(container), *_variable_faults(container)]
        yield from (f"{container['name']}: {fault}" for fault in faults)


def _port_faults(containers: list[Manifest]) -> Iterator[str]:
    """Source: validateContainersPorts, validateContainerPorts."""
    ports = [port for container in containers for port in container.get("ports", [])]
    if len(ports) > 1:
        yield "Knative refuses more than one port in all containers"
    if not ports and len(containers) > 1:
        yield "Knative refuses several containers of which none has a port"
    for port in ports:
        if port.get("name", "") not in _PORT_NAMES:
            yield f"Knative refuses the port name {port['name']}"
        if port["containerPort"] in _RESERVED_PORTS:
            yield f"Knative reserves port {port['containerPort']}"


def _volume_faults(pod: Manifest) -> Iterator[str]:
    """Source: ValidateVolumes, validateVolumeMounts."""
    volumes = [one["name"] for one in pod.get("volumes", [])]
    mounts = [mount for container in pod["containers"] for mount in container.get("volumeMounts", [])]
    names = {mount["name"] for mount in mounts}
    yield from (f"Knative refuses the volume {name}, which nothing mounts" for name in volumes if name not in names)
    yield from (f"Knative refuses the mount of {name}, which is no volume" for name in sorted(names - set(volumes)))


def _container_faults(container: Manifest) -> Iterator[str]:
    """Source: validate, ContainerMask."""
    if container["name"] == "queue-proxy":
        yield "Knative reserves this name"
    if "lifecycle" in container:
        yield "Knative refuses lifecycle"


def _probe_faults(container: Manifest) -> Iterator[str]:
    """Source: validateReadinessProbe, validateSidecarContainer; for liveness, resources/deploy.go of pkg/reconciler."""
    readiness, liveness = container.get("readinessProbe"), container.get("livenessProbe")
    if not container.get("ports") and (readiness or liveness):
        yield "Knative refuses a probe in a container without a port"
        return
    for field in ("timeoutSeconds", "failureThreshold"):
        if readiness and readiness.get(field) and not readiness.get("periodSeconds"):
            yield f"Knative refuses {field} of readinessProbe without periodSeconds"
    port = (container.get("ports") or [{}])[0]
    action = (liveness or {}).get("httpGet") or (liveness or {}).get("tcpSocket") or {}
    if action.get("port", port.get("containerPort")) != port.get("containerPort"):
        yield f"Knative moves livenessProbe from port {action['port']} to port {port['containerPort']}"


def _variable_faults(container: Manifest) -> Iterator[str]:
    """Source: validateEnv, validateEnvValueFrom, EnvVarSourceMask."""
    reserved = {*_RESERVED_VARIABLES, *(["PORT"] if container.get("ports") else [])}
    for variable in container.get("env", []):
        if variable["name"] in reserved:
            yield f"Knative reserves the variable {variable['name']}"
        if {"fieldRef", "resourceFieldRef"} & set(variable.get("valueFrom", {})):
            yield f"Knative refuses the downward API, which {variable['name']} uses"
