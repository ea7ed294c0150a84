"""The row of the pods: CPU, memory, restarts and network, from cAdvisor and kube-state-metrics."""

from charts.dashboards.board import Row
from charts.dashboards.panels import DASHED, Query, Text, graph

_PODS = 'namespace=~"$namespace", pod=~"${inference_service}-(predictor|transformer|explainer)-.*"'
"""KServe names pods `<inference service>-<component>-...`."""

_CONTAINERS = _PODS + ', container!="", container!="POD"'
"""Neither the sum over a pod nor its pause container."""

_BY_CONTAINER = "sum by (namespace, pod, container)"
_CONTAINER = "{{pod}} {{container}}"


def infrastructure() -> Row:
    """What tells a fault of the platform from one of the model or of the data."""
    cpu = Text(
        "CPU of the predictor pods",
        "Cores in use, for each container (cAdvisor). A model at its limit answers slowly "
        "without any change of its data.",
        "none",
    )
    memory = Text(
        "Memory of the predictor pods",
        "Working set of each container (cAdvisor), and its limit as a dashed line (kube-state-metrics). Where the two "
        "meet, the container is killed and restarts.",
        "bytes",
    )
    restarts = Text(
        "Restarts in the last hour",
        "How often each container was restarted (kube-state-metrics). Without Redis a restart empties the window.",
        "short",
    )
    network = Text(
        "Network of the predictor pods",
        "Bytes a second that each pod received, and below zero those that it sent (cAdvisor).",
        "Bps",
    )
    received, sent = (
        f"sum by (namespace, pod) (rate(container_network_{way}_bytes_total{{{_PODS}}}[$__rate_interval]))"
        for way in ("receive", "transmit")
    )
    used = f"{_BY_CONTAINER} (rate(container_cpu_usage_seconds_total{{{_CONTAINERS}}}[$__rate_interval]))"
    resident = f"{_BY_CONTAINER} (container_memory_working_set_bytes{{{_CONTAINERS}}})"
    limit = f'{_BY_CONTAINER} (kube_pod_container_resource_limits{{resource="memory", {_PODS}}})'
    restarted = f"{_BY_CONTAINER} (increase(kube_pod_container_status_restarts_total{{{_PODS}}}[1h]))"
    return Row(
        "Infrastructure",
        (
            graph(cpu, Query(used, _CONTAINER)),
            graph(
                memory, Query(resident, _CONTAINER), Query(limit, f"limit {_CONTAINER}"), overrides={"^limit": [DASHED]}
            ),
            graph(restarts, Query(restarted, _CONTAINER)),
            graph(
                network,
                Query(received, "{{pod}} received"),
                Query(f"-{sent}", "{{pod}} sent"),
                limits=(None, None),
            ),
        ),
    )
