"""A scraper may select samples by name."""

import time
from urllib.parse import urlencode

import numpy as np
import pytest
from prometheus_client import CollectorRegistry
from prometheus_client.parser import text_string_to_metric_families

from driftgauge.inference.payload import PAYLOAD_KINDS
from driftgauge.metrics.registry import Metrics, render_scrape
from driftgauge.results.latest import Evaluation, LatestEvaluations, ReferenceFacts
from tests.support.models import WINE
from tests.support.reports import FOUND


@pytest.fixture
def registry() -> CollectorRegistry:
    """All families, with a sample of most."""
    metrics, latest = Metrics("200"), LatestEvaluations(90)
    metrics.model(WINE).count_missing(("alcohol",), np.array([1]))
    metrics.model(WINE).count_request("200")
    metrics.watch_evaluations(latest)
    metrics.watch_queue(lambda: 0, 1)
    metrics.watch_redis()
    metrics.watch_resending()
    for kind in PAYLOAD_KINDS:
        latest.publish(WINE, kind, Evaluation(FOUND, time.time(), 0.01, 999))
        latest.set_reference(WINE, kind, ReferenceFacts(1_599, "ab12", "/mnt/wine.csv", 0.0))
    return metrics.registry


def names_in(registry: CollectorRegistry, *names: str) -> set[str]:
    """The names of the samples in a scrape that selects these names."""
    query = urlencode({"name[]": names}, doseq=True)
    page = render_scrape(registry, "", "", query).body.decode()
    return {sample.name for family in text_string_to_metric_families(page) for sample in family.samples}


def test_every_sample_can_be_selected_by_its_name(registry: CollectorRegistry) -> None:
    """A scrape that selects it has it and nothing else, whichever collector it is from."""
    names = {sample.name for family in registry.collect() for sample in family.samples}

    assert {"request_count", "driftgauge_state", "driftgauge_request_bytes_total"} <= names
    assert {name: {name} for name in names} == {name: names_in(registry, name) for name in names}


def test_several_names_may_be_selected(registry: CollectorRegistry) -> None:
    """An unknown name selects nothing."""
    assert {"request_count", "request_sum"} == names_in(registry, "request_count", "request_sum", "nothing")
    assert set() == names_in(registry, "nothing")


def test_a_selected_sample_keeps_the_type_and_help_of_its_family(registry: CollectorRegistry) -> None:
    """A scrape of it is read as a full one is."""
    lines = render_scrape(registry, "", "", "name[]=request_count").body.decode().splitlines()

    assert "# TYPE request summary" in lines
    assert any(line.startswith("# HELP request Inference requests") for line in lines)
