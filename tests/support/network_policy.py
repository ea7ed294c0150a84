"""Decides what a NetworkPolicy admits, as the API describes it.

Source: https://kubernetes.io/docs/reference/kubernetes-api/policy-resources/network-policy-v1/
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from tests.support.helm import Manifest

Labels = Mapping[str, str]


@dataclass(frozen=True)
class Pod:
    """A pod, as far as policies select it.

    Args:
        namespace: Its namespace.
        labels: Its labels.
        namespace_labels: Labels of the namespace, besides the one with its name.
    """

    namespace: str
    labels: Labels
    namespace_labels: Labels = field(default_factory=dict)


def admits(policy: Manifest, sender: Pod, port: int) -> bool:
    """Whether a policy lets a pod connect to a port of the pods that it selects.

    Args:
        policy: The NetworkPolicy. Its peers have selectors; an address range admits no pod here.
        sender: The pod that connects.
        port: Number of the port.
    """
    here = policy["metadata"]["namespace"]
    return any(
        any(_is_peer(peer, sender, here) for peer in rule.get("from", [{}]))
        for rule in policy["spec"].get("ingress", [])
        if not rule.get("ports") or port in [one["port"] for one in rule["ports"]]
    )


def _is_peer(peer: Manifest, pod: Pod, here: str) -> bool:
    if not peer:
        return True  # a rule without `from` is about every sender
    if "ipBlock" in peer:
        return False
    names = {"kubernetes.io/metadata.name": pod.namespace}
    elsewhere = "namespaceSelector" in peer and _selects(peer["namespaceSelector"], {**pod.namespace_labels, **names})
    return (elsewhere or ("namespaceSelector" not in peer and pod.namespace == here)) and _selects(
        peer.get("podSelector", {}), pod.labels
    )


def _selects(selector: Manifest, labels: Labels) -> bool:
    return selector.get("matchLabels", {}).items() <= labels.items() and all(
        _holds(one, labels) for one in selector.get("matchExpressions", [])
    )


def _holds(expression: Manifest, labels: Labels) -> bool:
    key, values = expression["key"], expression.get("values", [])
    match expression["operator"]:
        case "Exists":
            return key in labels
        case "DoesNotExist":
            return key not in labels
        case "In":
            return labels.get(key) in values
        case _:
            return labels.get(key) not in values
