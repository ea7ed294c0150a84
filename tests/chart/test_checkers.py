"""The checkers of the other tests find the faults that they are made for."""

import copy

import pytest

from tests.support.helm import Manifest, scenario
from tests.support.manifests import custom_faults, kubernetes_faults
from tests.support.pod_security import restricted_faults

GOOD: Manifest = {
    "securityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}},
    "containers": [
        {
            "name": "c",
            "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
        }
    ],
    "volumes": [{"name": "v", "emptyDir": {}}],
}


def test_the_restricted_standard_admits_a_pod_that_keeps_it() -> None:
    """The smallest valid pod has no fault."""
    assert [] == restricted_faults(GOOD)


@pytest.mark.parametrize(
    ("pod", "container", "fault"),
    [
        ({"hostNetwork": True}, {}, "hostNetwork is true"),
        ({"hostPID": True}, {}, "hostPID is true"),
        ({"volumes": [{"name": "v", "hostPath": {"path": "/"}}]}, {}, "volume v is of no allowed kind"),
        ({"volumes": [{"name": "v"}]}, {}, "volume v is of no allowed kind"),
        ({}, {"privileged": True}, "c: privileged is true"),
        ({}, {"allowPrivilegeEscalation": None}, "c: allowPrivilegeEscalation is not false"),
        ({}, {"capabilities": {"drop": ["NET_RAW"]}}, "c: capabilities are not all dropped"),
        ({}, {"capabilities": {"drop": ["ALL"], "add": ["SYS_TIME"]}}, "c: capabilities are not all dropped"),
        ({}, {"procMount": "Unmasked"}, "c: procMount is not Default"),
        ({}, {"runAsUser": 0}, "c: runAsUser is 0"),
        ({}, {"runAsNonRoot": False}, "c: runAsNonRoot is not true"),
        ({}, {"seccompProfile": {"type": "Unconfined"}}, "c: seccompProfile is not RuntimeDefault or Localhost"),
    ],
)
def test_the_restricted_standard_refuses_each_breach(pod: Manifest, container: Manifest, fault: str) -> None:
    """One breach gives one fault, which names it."""
    bad = copy.deepcopy(GOOD) | pod
    bad["containers"][0]["securityContext"] |= container

    assert [fault] == restricted_faults(bad)


def test_kubernetes_refuses_an_unknown_field_and_a_wrong_type() -> None:
    """The schemas are strict: a misspelt field and a number as text are refused."""
    deployment = scenario("minimal").one("Deployment")
    deployment["spec"]["template"]["spec"]["containers"][0]["imagee"] = "x"
    deployment["spec"]["replicas"] = "1"

    assert ["$.spec.replicas", "$.spec.template.spec.containers[0]"] == [
        fault.split(": ")[0] for fault in kubernetes_faults(deployment, "1.27.0")
    ]


def test_a_crd_refuses_an_unknown_field_and_a_wrong_value() -> None:
    """A field that the API server would drop silently, and an invalid duration, are refused."""
    monitor = scenario("monitors").one("ServiceMonitor")
    monitor["spec"]["endpoints"][0] |= {"interval": "15sec", "pth": "/metrics"}

    assert ["$.spec.endpoints[0]", "$.spec.endpoints[0].interval"] == [
        fault.split(": ")[0] for fault in custom_faults(monitor)
    ]


def test_a_kind_without_a_crd_is_a_fault() -> None:
    """An object that cannot be checked does not pass."""
    with pytest.raises(LookupError, match="no CRD for Thing"):
        custom_faults({"apiVersion": "monitoring.coreos.com/v1", "kind": "Thing"})
