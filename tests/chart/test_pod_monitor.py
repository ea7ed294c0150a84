"""The PodMonitor's relabelings in a real Prometheus, with pods as service discovery describes them."""

import json
import re
from collections.abc import Mapping

import pytest

from tests.support.helm import Manifest, Values, render
from tests.support.parts import program
from tests.support.ports import free_port
from tests.support.processes import Child, get
from tests.support.waiting import wait_until

NAME = "__meta_kubernetes_pod_container_name"
IMAGE = "__meta_kubernetes_pod_container_image"
PORT = "__meta_kubernetes_pod_container_port_number"
ADDRESS = "__meta_kubernetes_pod_ip"
PHASE = "__meta_kubernetes_pod_phase"
SIDECAR = {
    NAME: "transformer-container",
    IMAGE: "registry.example.com:5000/ml/driftgauge:0.1.0",
    PORT: "8080",
    ADDRESS: "127.0.0.1",
    PHASE: "Running",
}

Pods = list[dict[str, str]]
CASES: dict[str, tuple[Values, Pods]] = {
    "sidecar": ({}, [SIDECAR]),
    "version 6": ({}, [SIDECAR | {ADDRESS: "::1"}]),
    "two ports": ({}, [SIDECAR, SIDECAR | {PORT: "9464"}]),
    "others": (
        {},
        [
            SIDECAR | {NAME: "kserve-container"},
            SIDECAR | {IMAGE: "registry.example.com/ml/my-transformer:1"},
            SIDECAR | {IMAGE: "registry.example.com/ml/not-driftgauge:1"},
            SIDECAR | {IMAGE: "registry.example.com/driftgauge/transformer:1"},
        ],
    ),
    "not running": ({}, [SIDECAR | {PHASE: phase} for phase in ("Pending", "Succeeded", "Failed", "Unknown")]),
    "renamed": ({"imageName": "dg.v1"}, [SIDECAR | {IMAGE: f"mirror.example.com/dg.v1@sha256:{'0' * 64}"}]),
}

EMPTY = {"others", "not running"}
"""The cases without a target."""

Targets = dict[str, list[tuple[str, str]]]
"""Case -> URL and job of each target that is kept."""


def endpoint(values: Values) -> Manifest:
    """The only endpoint of the rendered PodMonitor."""
    (found,) = render({"podMonitor": {"enabled": True, **values}}).one("PodMonitor")["spec"]["podMetricsEndpoints"]
    assert isinstance(found, dict)
    return found


def snake_case(relabeling: Mapping[str, object]) -> dict[str, object]:
    """A relabeling in Prometheus' own spelling, which the operator writes."""
    return {re.sub("([A-Z])", lambda upper: "_" + upper[1].lower(), key): value for key, value in relabeling.items()}


def scrape_job(case: str) -> dict[str, object]:
    """The scrape job that the operator would make, with a list of pods instead of discovery."""
    values, pods = CASES[case]
    found = endpoint(values)
    return {
        "job_name": case,
        "metrics_path": found["path"],
        "scrape_interval": found["interval"],
        "static_configs": [{"targets": [f"127.0.0.{n}:8080"], "labels": pod} for n, pod in enumerate(pods, 1)],
        "relabel_configs": [snake_case(one) for one in found["relabelings"]],
    }


@pytest.fixture(scope="module")
def targets(tmp_path_factory: pytest.TempPathFactory) -> Targets:
    """The targets of one Prometheus in each case."""
    directory = tmp_path_factory.mktemp("prometheus")
    config = directory / "prometheus.yml"
    config.write_text(json.dumps({"scrape_configs": [scrape_job(case) for case in CASES]}))  # JSON is YAML
    url = f"http://127.0.0.1:{free_port()}"
    argv = [program("prometheus"), f"--config.file={config}", f"--storage.tsdb.path={directory / 'data'}"]
    with Child([*argv, f"--web.listen-address={url.removeprefix('http://')}"]) as prometheus:
        prometheus.await_response(f"{url}/-/ready")

        def known() -> Manifest | None:
            found: Manifest = json.loads(get(f"{url}/api/v1/targets"))["data"]
            seen = {one["scrapePool"] for one in found["activeTargets"]}
            return found if seen == CASES.keys() - EMPTY and found["droppedTargets"] else None

        active = wait_until(known, "the targets")["activeTargets"]
    kept: Targets = {case: [] for case in CASES}
    for one in active:
        kept[one["scrapePool"]].append((one["scrapeUrl"], one["labels"]["job"]))
    return kept


def test_a_sidecar_is_scraped_on_a_port_that_its_pod_does_not_declare(targets: Targets) -> None:
    """Knative allows only the data port to be declared; the target is port 9464 of the pod."""
    assert [("http://127.0.0.1:9464/metrics", "driftgauge-proxy")] == targets["sidecar"]


def test_a_sidecar_with_an_ipv6_address_is_scraped(targets: Targets) -> None:
    """The address is in brackets before the port."""
    assert [("http://[::1]:9464/metrics", "driftgauge-proxy")] == targets["version 6"]


def test_a_sidecar_that_declares_two_ports_is_one_target(targets: Targets) -> None:
    """Discovery finds a container once for each port; after relabeling both are the same target."""
    assert 1 == len(targets["two ports"])


def test_other_containers_are_no_targets(targets: Targets) -> None:
    """Neither the model server nor another transformer becomes a target that is down."""
    assert [] == targets["others"]


def test_pods_that_do_not_run_are_no_targets(targets: Targets) -> None:
    """A pod that downloads its model is Pending, and no target that is down.

    Source: https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#pod-phase
    """
    assert [] == targets["not running"]


def test_an_image_may_have_another_name(targets: Targets) -> None:
    """The values have the name that a mirror gives the image, with or without a digest."""
    assert 1 == len(targets["renamed"])


def test_the_pod_monitor_needs_no_declared_port() -> None:
    """`port` and `portNumber` would both drop a pod that does not declare the port (the CRD says so)."""
    assert {"path", "interval", "relabelings"} == set(endpoint({}))


def test_the_pod_monitor_selects_namespaces() -> None:
    """It selects pods with KServe's label, in every namespace or in those that are listed."""
    everywhere, some = (
        render({"podMonitor": {"enabled": True, "namespaces": names}}).one("PodMonitor")["spec"]
        for names in ([], ["models"])
    )

    assert ({"any": True}, {"matchNames": ["models"]}) == (everywhere["namespaceSelector"], some["namespaceSelector"])
    assert [{"key": "serving.kserve.io/inferenceservice", "operator": "Exists"}] == everywhere["selector"][
        "matchExpressions"
    ]
