"""Stands in for a node of a cluster: serves the metrics of cAdvisor and kube-state-metrics for one predictor pod.

Names and labels are those of cAdvisor (docs/storage/prometheus.md in google/cadvisor) and of kube-state-metrics
(docs/metrics/workload/pod-metrics.md in kubernetes/kube-state-metrics).
"""

import itertools
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self

METRICS = frozenset(
    {
        "container_cpu_usage_seconds_total",
        "container_memory_working_set_bytes",
        "container_network_receive_bytes_total",
        "container_network_transmit_bytes_total",
        "kube_pod_container_resource_limits",
        "kube_pod_container_status_restarts_total",
    }
)
"""The cluster metrics that the dashboards may use."""


def page(namespace: str, pod: str, scrapes: int) -> str:
    """The text of a scrape; every counter grows with each scrape, by a fixed amount."""
    name = f'namespace="{namespace}",pod="{pod}"'
    one = f'{name},container="kserve-container"'
    lines = [
        f"container_cpu_usage_seconds_total{{{one}}} {0.25 * scrapes}",
        f'container_cpu_usage_seconds_total{{{name},container=""}} {0.3 * scrapes}',
        f"container_memory_working_set_bytes{{{one}}} {300 * 2**20}",
        f'container_network_receive_bytes_total{{{name},interface="eth0"}} {2000 * scrapes}',
        f'container_network_transmit_bytes_total{{{name},interface="eth0"}} {1000 * scrapes}',
        f'kube_pod_container_resource_limits{{{one},resource="memory",unit="byte"}} {512 * 2**20}',
        f"kube_pod_container_status_restarts_total{{{one}}} {scrapes // 30}",
    ]
    return "\n".join(lines) + "\n"


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, namespace: str, pod: str) -> None:
        self.names = (namespace, pod)
        self.scrapes = itertools.count(1)
        super().__init__(("127.0.0.1", 0), _Handler)


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        """Respond to a scrape."""
        body = b""
        if isinstance(self.server, _Server):
            body = page(*self.server.names, next(self.server.scrapes)).encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; version=0.0.4")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 the library sets the signature
        """Log nothing."""


class ClusterExporter:
    """An exporter on loopback, in a thread of this process.

    Args:
        namespace: Namespace of the pod.
        pod: Name of the pod.
    """

    def __init__(self, namespace: str, pod: str) -> None:
        self._server = _Server(namespace, pod)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})

    def __enter__(self) -> Self:
        """Start to listen."""
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop listening."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
