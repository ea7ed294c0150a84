"""Payloads, events, states and scrapes of a running process, as sentences."""

import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest

from driftgauge import __version__
from driftgauge.cli.doctor.check_traffic import ADVICE, check_traffic
from driftgauge.cli.doctor.finding import Finding, Level, fail, ok, warn
from driftgauge.cli.doctor.running_process import RunningProcess, ask_process, check_process, read_samples
from driftgauge.errors import Reason
from tests.support.ports import free_port

URL = "http://127.0.0.1:9464"
LABELS = 'inference_service_namespace="prod",inference_service="wine"'
PAGE = f"""\
# TYPE driftgauge_payloads_total counter
driftgauge_payloads_total{{{LABELS},kind="request",outcome="accepted",reason=""}} 12
driftgauge_payloads_total{{{LABELS},kind="request",outcome="rejected",reason="wrong_width"}} 3
driftgauge_payloads_total{{{LABELS},kind="request",outcome="rejected",reason="new"}} 1
driftgauge_payloads_total{{{LABELS},kind="request",outcome="sampled_out",reason=""}} 2
driftgauge_payloads_total{{{LABELS},kind="request",outcome="dropped",reason="storage"}} 0
# TYPE request summary
request_count{{{LABELS},code=""}} 15
request_sum{{{LABELS},code=""}} 15
# TYPE driftgauge_state gauge
driftgauge_state{{{LABELS},state="ok"}} 0
driftgauge_state{{{LABELS},state="cannot_tell"}} 1
"""


def process(page: str = "", **status: Any) -> RunningProcess:  # noqa: ANN401 - values of JSON
    """A process that shows a page of metrics and a status."""
    facts = {"version": __version__, "mode": "logger", "not_ready": None, "last_scrape": None} | status
    return RunningProcess(URL, facts, read_samples(page.encode()))


def scraped(age_seconds: float) -> dict[str, Any]:
    """A status with a scrape."""
    return {"last_scrape": {"time": time.time() - age_seconds, "address": "10.0.0.1", "user_agent": "Prometheus/3"}}


def by_check(findings: list[Finding], check: str) -> list[Finding]:
    """The findings of a check."""
    return [finding for finding in findings if finding.check == check]


def test_every_reason_has_an_advice() -> None:
    """None is without a word on what to do."""
    assert set(ADVICE) == set(Reason)


def test_payloads_that_are_lost_are_warnings_with_an_advice() -> None:
    """By outcome and reason; what was accepted or sampled out is ok, and zeros are left out."""
    assert [
        ok("payloads", "12 requests accepted"),
        warn("payloads", "1 request was rejected as new: see the log"),
        warn("payloads", f"3 requests were rejected as wrong_width: {ADVICE[Reason.WRONG_WIDTH]}"),
        ok("payloads", "2 requests sampled out"),
    ] == by_check(check_traffic(process(PAGE), "proxy"), "payloads")


@pytest.mark.parametrize(
    ("models", "revisions", "advice"),
    [
        (0, 0, "correct the client's path"),
        (2, 0, "more than max_models"),
        (0, 2, "more live revisions"),
    ],
)
def test_payloads_of_other_models_have_three_causes(models: int, revisions: int, advice: str) -> None:
    """A wrong path of the client, or, where they were refused, too many models or revisions."""
    page = f"""\
# TYPE driftgauge_payloads_total counter
driftgauge_payloads_total{{{LABELS},kind="request",outcome="dropped",reason="other_model"}} 7
# TYPE driftgauge_refused_models_total counter
driftgauge_refused_models_total {models}
# TYPE driftgauge_refused_revisions_total counter
driftgauge_refused_revisions_total {revisions}
"""
    (found,) = by_check(check_traffic(process(page), "proxy"), "payloads")

    assert found.sentence.startswith("7 requests were dropped as other_model: ")
    assert advice in found.sentence


@pytest.mark.parametrize(("mode", "hint"), [("proxy", "send one to the data port"), ("logger", "see logger.url")])
def test_no_payload_at_all_is_a_warning(mode: str, hint: str) -> None:
    """With what to do in that mode."""
    found = by_check(check_traffic(process(), mode), "payloads")

    assert [(Level.WARN, True)] == [(one.level, hint in one.sentence) for one in found]


def test_the_logger_lists_its_services() -> None:
    """The proxy has one and lists none; a logger without events is a warning."""
    assert [ok("events", "prod/wine: 15 requests")] == by_check(check_traffic(process(PAGE), "logger"), "events")
    assert [] == by_check(check_traffic(process(PAGE), "proxy"), "events")
    assert [Level.WARN] == [one.level for one in by_check(check_traffic(process(), "logger"), "events")]


def test_annotations_that_cannot_be_read_are_a_warning() -> None:
    """The events count, but without a revision."""
    page = "# TYPE driftgauge_unreadable_annotations_total counter\ndriftgauge_unreadable_annotations_total 3\n"
    found = by_check(check_traffic(process(PAGE + page), "logger"), "events")

    assert [Level.WARN, Level.OK] == [one.level for one in found]
    assert found[0].sentence.startswith("the annotations of 3 could not be read")


def test_services_beyond_twenty_are_counted() -> None:
    """A logger may have hundreds."""
    lines = "".join(f'request_count{{inference_service="s{number}"}} {number + 1}\n' for number in range(25))
    found = by_check(check_traffic(process("# TYPE request summary\n" + lines), "logger"), "events")

    assert 21 == len(found)
    assert [ok("events", "s24: 25 requests"), ok("events", "and 5 services more")] == [found[0], found[-1]]


def test_who_scraped_last() -> None:
    """A recent scrape is ok, an old one and none are warnings, also where Prometheus may read the data port."""
    recent = by_check(check_traffic(process(**scraped(12)), "proxy"), "scrape")[0]
    old = by_check(check_traffic(process(**scraped(900)), "proxy"), "scrape")[0]
    none = by_check(check_traffic(process(), "proxy"), "scrape")[0]
    merged = by_check(check_traffic(process(merge_metrics=True), "proxy"), "scrape")[0]

    assert [Level.OK, Level.WARN, Level.WARN, Level.WARN] == [one.level for one in (recent, old, none, merged)]
    assert merged.sentence.startswith("not known: with merge_metrics")
    assert recent.sentence.endswith(" s ago by Prometheus/3 at 10.0.0.1")


def test_an_older_version_says_less() -> None:
    """Without `/status` its version is that of the metrics, and differs."""
    info = '# TYPE driftgauge_build_info gauge\ndriftgauge_build_info{version="0.0.9"} 1\n'
    older = RunningProcess(URL, {}, read_samples(info.encode()))

    assert [Level.WARN, Level.WARN] == [one.level for one in check_process(older, URL)]
    assert "driftgauge 0.0.9 at" in check_process(older, URL)[0].sentence
    assert [Level.WARN] == [one.level for one in by_check(check_traffic(older, "proxy"), "scrape")]


def test_the_process_its_readiness_and_its_states() -> None:
    """Not ready is a failure; no verdict at all is a warning."""
    ready, unready = check_process(process(PAGE), URL), check_process(process(not_ready="draining"), URL)

    assert [
        ok("process", f"driftgauge {__version__} (logger) at {URL}"),
        ok("ready", "the process is ready"),
        warn("state", f"no model has a verdict (1 cannot_tell): the page at {URL}/ has the reasons"),
    ] == ready
    assert fail("ready", "the process is not ready: draining") in unready


async def test_nothing_runs() -> None:
    """A warning: doctor may be run before the start."""
    url = f"http://127.0.0.1:{free_port()}"

    assert await ask_process(url) is None
    assert [Level.WARN] == [one.level for one in check_process(None, url)]


def test_a_finding_is_one_line() -> None:
    """Whatever it quotes."""
    assert r"a\nb\x1b" == ok("x", "a\nb\x1b").sentence


FOREIGN = b'{"version": "1", "flags": {}, "ports": {}, "references": %b, "last_scrape": %b, "config_file": %b}'


@pytest.mark.parametrize(
    "body",
    [
        b"<html>",
        b"[]",
        b'{"version": "1"}',
        b'{"version": "1", "ports": 3, "flags": [1]}',
        FOREIGN % (b"[]", b'{"at": 1}', b"null"),
        FOREIGN % (b"[]", b'{"time": "now"}', b"null"),
        FOREIGN % (b"[1]", b"null", b"null"),
        FOREIGN % (b'[{"path": "x"}]', b"null", b"null"),
        FOREIGN % (b"[]", b"null", b"7"),
        b'{"version": "1", "mode": [], "flags": {}, "ports": {}, "references": []}',
    ],
)
async def test_another_program_on_the_admin_port_is_no_process(body: bytes) -> None:
    """Whatever it responds."""

    class Handler(BaseHTTPRequestHandler):
        """Responds with the body to every GET."""

        def do_GET(self) -> None:
            """Respond."""
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the signature is the library's
            """Log nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            found = await ask_process(f"http://127.0.0.1:{server.server_address[1]}")
        finally:
            server.shutdown()
            thread.join()

    assert found is None


def test_a_lowered_sample_ratio_is_a_warning() -> None:
    """With the model, its ratio and what to do; a version that does not say it is fine."""
    lowered = [{"model": "prod/wine/predictor/wine", "sample_ratio": 0.3125}]
    sampling = {"sample_ratio": 1.0, "models_lowered": 1, "lowered": lowered}

    assert [
        warn(
            "sampling",
            "0.31 of the inferences of prod/wine/predictor/wine are read, not 1: more come than can be read; give the "
            "container more CPU, or add replicas",
        )
    ] == by_check(check_traffic(process(PAGE, sampling=sampling), "logger"), "sampling")
    assert [] == by_check(check_traffic(process(PAGE), "logger"), "sampling")
