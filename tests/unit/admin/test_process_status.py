"""What `/status` remembers of scrapes, and shows."""

import orjson

from driftgauge import __version__
from driftgauge.admin.process_status import OWN_AGENT, LastScrape, status_as_json
from driftgauge.build_kind import build_kind
from tests.support.clock import ManualClock


def test_the_newest_scrape_is_remembered() -> None:
    """One, with its time, the address and at most 200 characters of the user agent."""
    clock = ManualClock()
    scrapes = LastScrape(clock)
    assert scrapes.newest is None
    scrapes.record("10.0.0.1", "Prometheus/3")
    scrapes.record(None, "x" * 1_000 + "\udc80")

    assert {"time": clock(), "address": "", "user_agent": "x" * 200} == scrapes.newest


def test_the_doctor_is_no_scraper() -> None:
    """It reads the metrics to look at them, and must not hide that no one else does."""
    scrapes = LastScrape()
    scrapes.record("127.0.0.1", OWN_AGENT)

    assert scrapes.newest is None


def test_the_status_has_the_version_and_why_the_process_is_not_ready() -> None:
    """Beside what the composition root says."""
    found = orjson.loads(status_as_json("draining", LastScrape(), {"mode": "proxy"}))

    known = {"version": __version__, "build": build_kind(), "not_ready": "draining", "last_scrape": None}
    assert known | {"mode": "proxy"} == found
