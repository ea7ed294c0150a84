"""What an install prints: the block that goes into an InferenceService, ready to be copied."""

import pytest
import yaml

from tests.support.helm import Release, Values, render
from tests.support.manifests import custom_faults


def block(release: Release) -> dict[str, str | list[str]]:
    """The `logger:` block in the notes, read as YAML."""
    start = release.notes.index("spec:\n")
    text = release.notes[start : release.notes.index("\n\n", start)]
    logger: dict[str, str | list[str]] = yaml.safe_load(text)["spec"]["predictor"]["logger"]
    return logger


@pytest.mark.parametrize(
    ("name", "namespace", "values", "url"),
    [
        ("drift", "monitoring", {}, "http://drift-driftgauge.monitoring.svc.cluster.local/"),
        ("driftgauge", "ml", {}, "http://driftgauge.ml.svc.cluster.local/"),
        ("my-driftgauge", "ml", {}, "http://my-driftgauge.ml.svc.cluster.local/"),
        ("v1.2", "ml", {"nameOverride": "watch"}, "http://v1-2-watch.ml.svc.cluster.local/"),
        ("x", "ml", {"fullnameOverride": "gauge"}, "http://gauge.ml.svc.cluster.local/"),
        (
            "x",
            "ml",
            {"fullnameOverride": "gauge", "service": {"port": 8000}},
            "http://gauge.ml.svc.cluster.local:8000/",
        ),
        ("x", "ml", {"fullnameOverride": "g", "clusterDomain": "corp.example"}, "http://g.ml.svc.corp.example/"),
        ("a" * 53, "ml", {}, f"http://{'a' * 46}.ml.svc.cluster.local/"),
    ],
)
def test_the_block_names_the_service_that_is_installed(name: str, namespace: str, values: Values, url: str) -> None:
    """The URL is the Service's name, namespace and port; the mode, which KServe requires, is there."""
    release = render(values, name, namespace)
    service = release.one("Service")

    assert {"mode": "all", "url": url, "metadataHeaders": ["Inference-Header-Content-Length"]} == block(release)
    assert url.startswith(f"http://{service['metadata']['name']}.{service['metadata']['namespace']}.svc.")


def test_kserve_takes_the_block() -> None:
    """In an InferenceService, the block has only fields of the CRD, of the right type."""
    predictor = {"logger": block(render({})), "model": {"modelFormat": {"name": "sklearn"}}}
    service = {
        "apiVersion": "serving.kserve.io/v1beta1",
        "kind": "InferenceService",
        "metadata": {"name": "wine"},
        "spec": {"predictor": predictor},
    }

    assert [] == custom_faults(service)


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({}, "There are no references"),
        ({}, "There is no Redis"),
        ({}, "serviceMonitor.enabled is false"),
    ],
)
def test_the_notes_tell_what_is_left_out(values: Values, sentence: str) -> None:
    """The values as they come measure no drift and forget at a restart, and the notes say so."""
    assert sentence in render(values).notes


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"prometheusRule": {"enabled": True}}, "is therefore not in the PrometheusRule"),
        (
            {"prometheusRule": {"enabled": True}, "podMonitor": {"enabled": True}},
            "will fire for every model that this logger watches",
        ),
    ],
)
def test_the_notes_tell_what_becomes_of_the_alert_on_references(values: Values, sentence: str) -> None:
    """Without references it is left out, or fires for ever; with some, or disabled by name, there is no word of it."""
    referenced = render({**values, "references": {"existingClaim": "references"}})
    disabled = render({**values, "prometheusRule": {"enabled": True, "disabled": ["DriftgaugeReferenceMissing"]}})

    assert sentence in render(values).notes
    assert ["DriftgaugeReferenceMissing" in one.notes for one in (referenced, disabled)] == [False] * 2


def test_the_notes_keep_silent_on_what_is_there() -> None:
    """With references, Redis and a ServiceMonitor there is nothing to warn of."""
    notes = render(
        {
            "references": {"existingClaim": "references"},
            "redis": {"url": "redis://redis"},
            "serviceMonitor": {"enabled": True},
        }
    ).notes

    assert ["no references" in notes, "no Redis" in notes, "is false" in notes] == [False] * 3
