"""The notes of an install: the block for an InferenceService, ready to be copied."""

import pytest
import yaml

from tests.support.helm import Release, Values, render
from tests.support.manifests import custom_faults
from tests.support.markdown_blocks import ROOT

LABEL_PAGES = ("docs/install.md", "charts/driftgauge/README.md")
"""Pages that say how to find the label by which a Prometheus selects monitors and rules."""


def block(release: Release) -> dict[str, str | list[str]]:
    """Parse the `logger:` block in the notes as YAML."""
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
    """The URL has the Service's name, namespace and port; the block has the mode, which KServe requires."""
    release = render(values, name, namespace)
    service = release.one("Service")

    assert {"mode": "all", "url": url, "metadataHeaders": ["Inference-Header-Content-Length"]} == block(release)
    assert url.startswith(f"http://{service['metadata']['name']}.{service['metadata']['namespace']}.svc.")


def test_kserve_accepts_the_block() -> None:
    """In an InferenceService the block has only fields of the CRD, with the right types."""
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
        ({}, "admits events of pods of InferenceServices alone"),
        (
            {"prometheusRule": {"enabled": True}},
            "http://drift-driftgauge.monitoring.svc.cluster.local:9464/runbooks/, which is inside the cluster",
        ),
    ],
)
def test_the_notes_name_what_is_missing(values: Values, sentence: str) -> None:
    """With the default values drift is not measured, rows are lost at a restart, and the notes say so."""
    assert sentence in render(values).notes


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"prometheusRule": {"enabled": True}}, "is therefore not in the PrometheusRule"),
        (
            {"prometheusRule": {"enabled": True}, "podMonitor": {"enabled": True}},
            "will fire for every model that this logger monitors",
        ),
    ],
)
def test_the_notes_explain_the_alert_on_references(values: Values, sentence: str) -> None:
    """Without references it is left out, or fires forever; with some, or disabled by name, it is not mentioned."""
    referenced = render({**values, "references": {"existingClaim": "references"}})
    disabled = render({**values, "prometheusRule": {"enabled": True, "disabled": ["DriftgaugeReferenceMissing"]}})

    assert sentence in render(values).notes
    assert ["DriftgaugeReferenceMissing" in one.notes for one in (referenced, disabled)] == [False] * 2


def test_the_notes_do_not_mention_what_is_set() -> None:
    """With references, Redis and a ServiceMonitor there is no warning."""
    notes = render(
        {
            "references": {"existingClaim": "references"},
            "redis": {"url": "redis://redis"},
            "serviceMonitor": {"enabled": True},
            "networkPolicy": {"eventsFrom": [{"namespaceSelector": {}}]},
            "monitoring": {"release": "prometheus"},
            "prometheusRule": {"enabled": True, "runbookBaseUrl": "https://runbooks.example"},
        }
    ).notes

    hints = ("no references", "no Redis", "is false", "admits events", "inside the cluster", "monitoring.release")
    assert [] == [hint for hint in hints if hint in notes]


def test_the_label_is_asked_of_prometheus_itself() -> None:
    """Notes and pages print what Prometheus selects by; the name of a Helm release need not contain `prometheus`."""
    pages = {name: (ROOT / name).read_text() for name in LABEL_PAGES}
    pages["notes"] = render({"podMonitor": {"enabled": True}}).notes
    command = "kubectl get prometheus --all-namespaces -o jsonpath='{..ruleSelector}'"

    assert [] == [name for name, text in pages.items() if command not in text or "helm list" in text]
