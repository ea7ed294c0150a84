"""Checks a pod against the `restricted` pod security standard.

Source: https://kubernetes.io/docs/concepts/security/pod-security-standards/ (Restricted, which includes Baseline)
"""

from collections.abc import Iterator

from tests.support.helm import Manifest

_VOLUMES = frozenset(
    {"configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "persistentVolumeClaim", "projected", "secret"}
)
_HOST_FIELDS = ("hostNetwork", "hostPID", "hostIPC")
_PROFILES = frozenset({"RuntimeDefault", "Localhost"})


def restricted_faults(pod: Manifest) -> list[str]:
    """The rules that a pod's spec breaks, one sentence each; empty if a restricted namespace admits the pod."""
    faults = [f"{field} is true" for field in _HOST_FIELDS if pod.get(field)]
    faults += [f"volume {one['name']} is of no allowed kind" for one in pod.get("volumes", []) if not _allowed(one)]
    faults += ["a sysctl is set"] if pod.get("securityContext", {}).get("sysctls") else []
    containers = pod["containers"] + pod.get("initContainers", []) + pod.get("ephemeralContainers", [])
    for container in containers:
        faults += [f"{container['name']}: {fault}" for fault in _container_faults(container, pod)]
    return faults


def _allowed(volume: Manifest) -> bool:
    return len(volume.keys() - {"name"}) == 1 and bool(_VOLUMES & set(volume))


def _container_faults(container: Manifest, pod: Manifest) -> Iterator[str]:
    own = container.get("securityContext", {})
    effective = pod.get("securityContext", {}) | own
    capabilities = own.get("capabilities", {})
    if own.get("privileged"):
        yield "privileged is true"
    if own.get("allowPrivilegeEscalation") is not False:
        yield "allowPrivilegeEscalation is not false"
    if "ALL" not in capabilities.get("drop", []) or set(capabilities.get("add", [])) - {"NET_BIND_SERVICE"}:
        yield "capabilities are not all dropped"
    if own.get("procMount", "Default") != "Default":
        yield "procMount is not Default"
    if any("hostPort" in port for port in container.get("ports", [])):
        yield "a hostPort is taken"
    yield from _identity_faults(effective)


def _identity_faults(effective: Manifest) -> Iterator[str]:
    if effective.get("runAsNonRoot") is not True:
        yield "runAsNonRoot is not true"
    if effective.get("runAsUser") == 0:
        yield "runAsUser is 0"
    if effective.get("seccompProfile", {}).get("type") not in _PROFILES:
        yield "seccompProfile is not RuntimeDefault or Localhost"
