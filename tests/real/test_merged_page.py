"""With `merge_metrics`, the page of a real model server and that of driftgauge form one valid page."""

import subprocess
from collections.abc import Iterator
from urllib.request import Request, urlopen

import pytest

from tests.support import wine
from tests.support.exchange import Message, send
from tests.support.parts import program
from tests.support.processes import Driftgauge, get
from tests.support.scrape import Samples

pytestmark = [pytest.mark.real_server, pytest.mark.timeout(300)]

OPENMETRICS = "application/openmetrics-text; version=1.0.0"


@pytest.fixture(scope="module")
def merging(kserve_url: str) -> Iterator[Driftgauge]:
    """A proxy in front of the KServe server, after one inference."""
    flags = ("--upstream-url", kserve_url, "--inference-service", "wine", "--merge-metrics", "true")
    with Driftgauge("proxy", *flags) as proxy:
        send(proxy.url, Message("/v1/models/wine:predict", wine.v1(wine.ROWS), {"Content-Type": "application/json"}))
        yield proxy


def test_the_page_has_the_metrics_of_kserve_and_driftgauge(merging: Driftgauge, kserve_url: str) -> None:
    """The page has KServe's histograms, driftgauge's counts, and the process metrics of the model server once."""
    samples = Samples.parse(get(f"{merging.url}/metrics").decode())
    alone = Samples.parse(get(f"{kserve_url}/metrics").decode())

    assert {sample.name for sample in alone} <= {sample.name for sample in samples}
    assert samples.total("request_predict_seconds_count") >= 1
    assert 1 == samples.total("request_count", code="200")
    assert 1 == len(samples.matching("process_resident_memory_bytes"))
    assert alone.total("process_start_time_seconds") == samples.total("process_start_time_seconds")


def test_a_scraper_that_accepts_openmetrics_gets_classic_text(merging: Driftgauge) -> None:
    """The page is always classic text, which is the only format that qpext reads."""
    with urlopen(Request(f"{merging.url}/metrics", headers={"Accept": OPENMETRICS}), timeout=10) as response:  # noqa: S310
        kind, page = response.headers["Content-Type"], response.read()

    assert kind.startswith("text/plain; version=0.0.4")
    assert b"# EOF" not in page


def test_promtool_finds_no_fault(merging: Driftgauge) -> None:
    """`promtool check metrics` accepts the merged page, and reports no error."""
    page = get(f"{merging.url}/metrics")
    lint = subprocess.run(
        [program("promtool"), "check", "metrics"], input=page, capture_output=True, check=False, timeout=60
    )

    assert (0, b"") == (lint.returncode, lint.stderr)
