"""The sidecar of each manifest works, started as a process with exactly its arguments and variables."""

import json
import shutil
from pathlib import Path
from urllib.error import HTTPError

import pytest

from tests.support.echo_model import EchoModel, response_to
from tests.support.kserve_examples import KNATIVE_REVISION, Pod, llm_pod, pods, started
from tests.support.ports import free_port
from tests.support.processes import get
from tests.support.scrape import Samples
from tests.support.traffic import ask, body_of, wrong_responses
from tests.support.waiting import wait_until

PODS = pods()
WINE = Path(__file__).parents[2] / "examples" / "wine" / "red.csv"
every_pod = pytest.mark.parametrize("pod", PODS, ids=[pod.example for pod in PODS])


@pytest.fixture
def volume(tmp_path: Path) -> Path:
    """The reference volume, as the command in the examples' comments fills it."""
    shutil.copy(WINE, tmp_path / "wine.csv")
    return tmp_path


def revision_of(pod: Pod) -> str:
    """The revision of the sidecar: that of Knative or of the pod's label, or none where events have none either."""
    if pod.fits_knative:
        return KNATIVE_REVISION
    return "stable" if pod.example in {"sidecar-standard", "custom-predictor"} else ""


@every_pod
def test_the_model_responds_through_it(pod: Pod, volume: Path) -> None:
    """Readiness and inferences get the responses of the model, and all requests are counted for one model."""
    with EchoModel() as model, started(pod, model.port, volume) as running:
        ready = get(running.url(pod.sidecar["readinessProbe"]))
        wrong = wrong_responses(running.ports[8080], [body_of([[9.4, 3.5, 0.6]])] * 3)
        samples = wait_until(
            lambda: Samples.parse(get(running.at(9464, "/metrics")).decode()), "a scrape of the admin port"
        )
    counted = samples.matching("request_count", code="200", inference_service="wine", model_name="wine")
    namespace = "default" if pod.sidecar.get("env") else ""

    assert {"ready": True} == json.loads(ready)
    assert [] == wrong
    assert [(3, namespace)] == [(sample.value, sample.labels["inference_service_namespace"]) for sample in counted]
    assert [revision_of(pod)] == [sample.labels["revision"] for sample in counted]


@every_pod
def test_readiness_depends_on_the_model(pod: Pod, volume: Path) -> None:
    """While the model server cannot be reached the pod is not Ready, but the sidecar is alive."""
    with started(pod, free_port(), volume) as running:
        with pytest.raises(HTTPError) as refused:
            get(running.url(pod.sidecar["readinessProbe"]))
        alive = get(running.url(pod.sidecar.get("livenessProbe", {"httpGet": {"port": 9464, "path": "/healthz"}})))

    assert 502 == refused.value.code
    assert b"alive\n" == alive


@every_pod
def test_the_reference_is_found_where_it_is_mounted(pod: Pod, volume: Path) -> None:
    """The sidecar loads the thousand rows of the reference, which is the key of the service's name."""
    with EchoModel() as model, started(pod, model.port, volume) as running:
        samples = Samples.parse(get(running.at(9464, "/metrics")).decode())

    assert 1000 == samples.total("driftgauge_reference_rows", model_name="wine")


def test_the_native_sidecar_passes_chats_to_vllm(volume: Path) -> None:
    """Chat completions and the health path reach vLLM's port; only the former count, for the LLMInferenceService."""
    path, body = "/v1/chat/completions", b'{"model": "llama", "messages": []}'
    with EchoModel() as model, started(llm_pod(), model.port, volume) as running:
        health = get(running.at(8080, "/health"))
        status, response = ask(running.ports[8080], body, path)
        samples = wait_until(lambda: Samples.parse(get(running.at(9464, "/metrics")).decode()), "a scrape")
    counted = samples.matching("request_count", code="200", inference_service="llama")

    assert (b'{"ready":true}', 200, response_to(body)) == (health, status, response)
    assert [1] == [sample.value for sample in counted]


@pytest.mark.parametrize(
    "pod",
    [pod for pod in PODS if "prometheus.io/port" in pod.annotations],
    ids=[pod.example for pod in PODS if "prometheus.io/port" in pod.annotations],
)
def test_the_annotations_name_a_page_with_our_metrics(pod: Pod, volume: Path) -> None:
    """The page that the annotations name has driftgauge's families; the echoing model has none."""
    with EchoModel() as model, started(pod, model.port, volume) as running:
        page = get(running.at(int(pod.annotations["prometheus.io/port"]), pod.annotations["prometheus.io/path"]))

    assert page.startswith(b"# driftgauge: the model server's metrics are left out: ")
    assert 1 == Samples.parse(page.decode()).total("driftgauge_build_info")
