"""A scraper gets the format, the coding and the families that it asks for."""

import gzip

import pytest
from prometheus_client import CollectorRegistry, Counter, generate_latest

from driftgauge.metrics.registry import render_scrape


@pytest.fixture
def registry() -> CollectorRegistry:
    """A registry of two counters."""
    registry = CollectorRegistry()
    Counter("a", "First.", registry=registry).inc()
    Counter("b", "Second.", registry=registry)
    return registry


def test_the_default_is_the_classic_text_format(registry: CollectorRegistry) -> None:
    """Every scraper can read it."""
    page = render_scrape(registry, "", "", "")

    assert generate_latest(registry) == page.body
    assert page.headers["Content-Type"].startswith("text/plain")


def test_a_scraper_chooses_format_coding_and_families(registry: CollectorRegistry) -> None:
    """It does so by `Accept`, `Accept-Encoding` and the query."""
    page = render_scrape(registry, "application/openmetrics-text; version=1.0.0", "gzip", "name[]=b_total")

    assert page.headers["Content-Type"].startswith("application/openmetrics-text")
    assert "gzip" == page.headers["Content-Encoding"]
    assert gzip.decompress(page.body).endswith(b"b_total 0.0\n# EOF\n")
    assert b"a_total" not in gzip.decompress(page.body)


@pytest.mark.parametrize(
    ("coding", "compressed"),
    [("br, GZIP;q=1.0", True), ("identity", False), ("gzipped", False), ("gzip;q=0", False)],
)
def test_gzip_is_used_only_if_accepted(registry: CollectorRegistry, coding: str, *, compressed: bool) -> None:
    """Codings are separated by commas, their case is ignored, and they may have a weight."""
    assert compressed == ("Content-Encoding" in render_scrape(registry, "", coding, "").headers)
