"""A real Prometheus applies the relabelling of the PodMonitor to pods as its discovery describes them."""

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.support.kserve_examples import documents
from tests.support.parts import program
from tests.support.ports import free_port
from tests.support.processes import Child, get
from tests.support.waiting import wait_until

Discovered = tuple[str, str, str, int]
OURS = "registry.example/team/driftgauge:0.1.0"
DISCOVERED = (
    # container, image, address of the pod, declared port
    ("transformer-container", OURS, "127.0.0.1", 8080),
    ("transformer-container", OURS, "127.0.0.1", 9464),
    ("transformer-container", OURS, "::1", 8080),
    ("transformer-container", "registry.example/team/tokenizer:2", "127.0.0.2", 8080),
    ("kserve-container", "kserve/sklearnserver:v0.20.0", "127.0.0.3", 8085),
    ("queue-proxy", "knative/queue:1", "127.0.0.4", 8012),
)


def snake_case(rule: dict[str, Any]) -> dict[str, Any]:
    """A relabelling rule of the operator, with the keys of Prometheus."""
    return {re.sub("[A-Z]", lambda letter: f"_{letter[0].lower()}", key): value for key, value in rule.items()}


def target(container: str, image: str, address: str, port: int) -> dict[str, Any]:
    """A target of the pod role, which has one for each declared port.

    Source: https://prometheus.io/docs/prometheus/latest/configuration/configuration/#pod
    """
    host = f"[{address}]" if ":" in address else address
    labels = {"container_name": container, "container_image": image, "ip": address, "container_port_number": str(port)}
    described = {f"__meta_kubernetes_pod_{name}": value for name, value in labels.items()}
    return {"targets": [f"{host}:{port}"], "labels": described}


def active_targets(monitor: dict[str, Any], discovered: Sequence[Discovered], directory: Path) -> list[dict[str, Any]]:
    """What a real Prometheus scrapes of the discovered ports, by the relabelling of a monitor."""
    endpoint = monitor["spec"]["podMetricsEndpoints"][0]
    job = {
        "job_name": "sidecars",
        "metrics_path": endpoint["path"],
        "relabel_configs": [snake_case(rule) for rule in endpoint["relabelings"]],
        "static_configs": [target(*one) for one in discovered],
    }
    config, address = directory / "prometheus.yml", f"127.0.0.1:{free_port()}"
    config.write_text(json.dumps({"scrape_configs": [job]}))
    flags = (f"--config.file={config}", f"--storage.tsdb.path={directory / 'data'}", f"--web.listen-address={address}")
    with Child([program("prometheus"), *flags]):
        found: list[dict[str, Any]] = wait_until(
            lambda: json.loads(get(f"http://{address}/api/v1/targets"))["data"]["activeTargets"], "targets"
        )
    return found


def test_the_native_sidecar_is_a_target_beside_vllm(tmp_path: Path) -> None:
    """Of the ports of an LLMInferenceService's pod, only the sidecar's is scraped, as the job of the alerts."""
    discovered = (
        ("driftgauge", OURS, "127.0.0.1", 9464),
        ("main", "ghcr.io/llm-d/llm-d-cuda:v0.8.0", "127.0.0.1", 8000),
    )
    targets = active_targets(documents("llm-native-sidecar")[1], discovered, tmp_path)

    assert [("http://127.0.0.1:9464/metrics", "driftgauge-proxy")] == [
        (one["scrapeUrl"], one["labels"]["job"]) for one in targets
    ]


def test_each_sidecar_is_one_target_on_its_admin_port(tmp_path: Path) -> None:
    """Each sidecar is scraped once on 9464, whatever ports it declares; other images and containers are not."""
    targets = active_targets(documents("podmonitor")[0], DISCOVERED, tmp_path)

    assert {"http://127.0.0.1:9464/metrics", "http://[::1]:9464/metrics"} == {one["scrapeUrl"] for one in targets}
    assert 2 == len(targets)
    assert {"driftgauge-proxy"} == {one["labels"]["job"] for one in targets}


@pytest.mark.parametrize("name", ["podmonitor", "llm-native-sidecar"])
def test_monitors_have_the_label_of_kube_prometheus_stack(name: str) -> None:
    """The Prometheus of kube-prometheus-stack ignores monitors without `release`."""
    (monitor,) = [one for one in documents(name) if one["kind"] == "PodMonitor"]

    assert {"release": "prometheus"} == monitor["metadata"].get("labels")
