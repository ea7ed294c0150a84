"""The row on the predictor pods: CPU, memory, restarts and network, from cAdvisor and kube-state-metrics."""

from grafana_foundation_sdk.models.dashboard import Panel

from charts.dashboards.board import Row
from charts.dashboards.panels import graph
from charts.dashboards.promql import CLUSTER
from charts.dashboards.queries import Query
from charts.dashboards.style import DASHED, Text
from charts.dashboards.units import BYTES, BYTES_PER_SECOND, CORES, count

_PODS = CLUSTER + ', namespace=~"$namespace", pod=~"${inference_service}-(predictor|transformer|explainer)-.*"'
"""KServe names pods `<inference service>-<component>-...`."""

_CONTAINERS = _PODS + ', container!="", container!="POD"'
"""Leaves out the sum over a pod and its pause container."""

_BY_CONTAINER = "sum by (cluster, namespace, pod, container)"
_CONTAINER = "{{cluster}} {{pod}} {{container}}"


def infrastructure() -> Row:
    """Make the row, which shows whether a fault is one of the platform or of the model and its data."""
    return Row("Infrastructure", (_cpu(), _memory(), _restarts(), _network()))


def _cpu() -> Panel:
    text = Text(
        "CPU of the predictor pods",
        "Cores in use, for each container (cAdvisor). A model at its limit is slow although its data have not changed.",
        CORES,
    )
    used = f"{_BY_CONTAINER} (rate(container_cpu_usage_seconds_total{{{_CONTAINERS}}}[$__rate_interval]))"
    return graph(text, Query(used, _CONTAINER))


def _memory() -> Panel:
    text = Text(
        "Memory of the predictor pods",
        "Working set of each container (cAdvisor), and its limit (dashed, kube-state-metrics). A container that "
        "reaches its limit is killed and restarts.",
        BYTES,
    )
    used = f"{_BY_CONTAINER} (container_memory_working_set_bytes{{{_CONTAINERS}}})"
    limit = f'{_BY_CONTAINER} (kube_pod_container_resource_limits{{resource="memory", {_PODS}}})'
    queries = Query(used, _CONTAINER), Query(limit, f"limit {_CONTAINER}")
    return graph(text, *queries, overrides={"^limit": [DASHED]})


def _restarts() -> Panel:
    text = Text(
        "Restarts in the last hour",
        "How often each container was restarted (kube-state-metrics). Without Redis a restart empties the window.",
        count("restarts"),
    )
    restarts = f"{_BY_CONTAINER} (increase(kube_pod_container_status_restarts_total{{{_PODS}}}[1h]))"
    return graph(text, Query(restarts, _CONTAINER))


def _network() -> Panel:
    text = Text(
        "Network of the predictor pods",
        "Bytes a second that each pod received, and as negative values those that it sent (cAdvisor).",
        BYTES_PER_SECOND,
    )
    received, sent = (
        f"sum by (cluster, namespace, pod) (rate(container_network_{way}_bytes_total{{{_PODS}}}[$__rate_interval]))"
        for way in ("receive", "transmit")
    )
    queries = Query(received, "{{cluster}} {{pod}} received"), Query(f"-{sent}", "{{cluster}} {{pod}} sent")
    return graph(text, *queries, limits=(None, None))
