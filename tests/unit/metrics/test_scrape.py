"""A scraper gets the page that it asks for, from any thread."""

import gzip

from prometheus_client import CollectorRegistry, Counter, generate_latest

from driftgauge.metrics.scrape import scraper


def registry() -> CollectorRegistry:
    """Two counters."""
    found = CollectorRegistry()
    Counter("a", "First.", registry=found).inc()
    Counter("b", "Second.", registry=found)
    return found


def test_the_page_is_the_librarys() -> None:
    """In the text format that every scraper knows."""
    found = registry()
    page = scraper(found)("", "", "")

    assert (200, generate_latest(found)) == (page.status, page.body)
    assert page.headers["Content-Type"].startswith("text/plain")


def test_a_scraper_chooses() -> None:
    """Its format, its coding, its families."""
    page = scraper(registry())("application/openmetrics-text; version=1.0.0", "gzip", "name[]=b_total")

    assert page.headers["Content-Type"].startswith("application/openmetrics-text")
    assert "gzip" == page.headers["Content-Encoding"]
    assert gzip.decompress(page.body).endswith(b"b_total 0.0\n# EOF\n")
    assert b"a_total" not in gzip.decompress(page.body)
