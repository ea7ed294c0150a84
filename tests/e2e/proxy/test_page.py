"""`merge_metrics`: one scrape of the data port returns the model server's metrics and ours; without it, only theirs."""

import asyncio
import subprocess
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path

import pytest

from driftgauge.proxy.metrics_page import MAX_PAGE_BYTES
from tests.support.pages import PYTHON_SERVER, UNTYPED, packed_response, page_response
from tests.support.parts import program
from tests.support.prometheus import Prometheus
from tests.support.proxied import SETTINGS, Proxied
from tests.support.raw_client import Wire, body_of, length_of, post
from tests.support.scrape import Samples
from tests.support.upstream import RawUpstream, Script, responding

SCRAPE = b"GET /metrics HTTP/1.1\r\nHost: pod\r\nAccept: application/openmetrics-text\r\nAccept-Encoding: gzip\r\n\r\n"
HURRIED = SCRAPE.replace(b"\r\n\r\n", b"\r\nX-Prometheus-Scrape-Timeout-Seconds: 0.2\r\n\r\n")
TYPE = b"Content-Type: text/plain; version=0.0.4; charset=utf-8\r\n"

NO_PAGE = {
    "none": (b"HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\nno", b"it responded with 404."),
    "redirected": (b"HTTP/1.1 302 Found\r\nLocation: /m\r\nContent-Length: 0\r\n\r\n", b"it responded with 302."),
    "JSON": (page_response(b'{"ready":true}', "application/json"), b"line 1 is not of the text format 0.0.4"),
    "OpenMetrics": (
        page_response(b"a 1\n", "application/openmetrics-text; version=1.0.0"),
        b"it responded in OpenMetrics",
    ),
    "corrupt": (page_response(b"\x1f\x8b\x08garbage"), b"The gzip body is"),
    "too long": (page_response(b"#" * (MAX_PAGE_BYTES + 1)), b"it is longer than 4194304 bytes."),
    "too long when unpacked": (
        packed_response(b"#" * (MAX_PAGE_BYTES + 1)),
        b"larger than 4194304 bytes when unpacked.",
    ),
    "broken off": (
        b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nup 1\n",
        b"closed the connection before its response was complete.",
    ),
    "not HTTP": (b"up 1\n", b"closed the connection before its response was complete."),
}


@pytest.fixture
async def merging(upstream: RawUpstream) -> AsyncIterator[Proxied]:
    """A proxy with `merge_metrics`."""
    async with Proxied(upstream.port, replace(SETTINGS, merge_metrics=True)) as proxy:
        yield proxy


def once(response: bytes) -> Script:
    """A script that responds to one request and closes."""

    async def play(wire: Wire) -> None:
        """Respond once."""
        await wire.message(bodiless=True)
        wire.send(response)
        await wire.flush()

    return play


async def test_by_default_the_path_goes_to_the_model(proxy: Proxied, upstream: RawUpstream) -> None:
    """Without `merge_metrics`, request and response of `/metrics` are forwarded byte for byte."""
    upstream.script = responding(page_response(PYTHON_SERVER), bodiless_requests=True)

    assert page_response(PYTHON_SERVER) == await proxy.ask(SCRAPE)
    assert SCRAPE == upstream.received


@pytest.mark.parametrize("response", [page_response, packed_response])
async def test_one_scrape_gets_both(
    merging: Proxied, upstream: RawUpstream, response: Callable[[bytes], bytes]
) -> None:
    """The page has the model server's families first and unchanged, then ours without those that both have."""
    upstream.script = responding(response(PYTHON_SERVER + UNTYPED), bodiless_requests=True)
    await merging.ask(post("/v1/models/wine:predict", b"{}"))
    message = await merging.ask(SCRAPE)
    samples = Samples.parse(body_of(message).decode())

    assert body_of(message).startswith(PYTHON_SERVER + UNTYPED)
    assert TYPE in message
    assert 1 == samples.total("request_count", model_name="wine", code="200")
    assert 4 == samples.total("request_predict_seconds_count")
    assert [4.2e07] == [sample.value for sample in samples.matching("process_resident_memory_bytes")]
    assert [7.25] == [sample.value for sample in samples.matching("process_cpu_seconds_total")]
    assert b"\n# driftgauge: left to the model server: process_cpu_seconds process_resident_memory_bytes\n" in message
    assert b" # {" not in message
    assert b"# EOF" not in message


async def test_the_model_is_asked_for_classic_text_with_the_scrapers_credentials(
    merging: Proxied, upstream: RawUpstream
) -> None:
    """Only the credentials of the scraper's head are forwarded: its Accept would select OpenMetrics."""
    upstream.script = responding(page_response(b"up 1\n"), bodiless_requests=True)
    await merging.ask(SCRAPE.replace(b"\r\n\r\n", b"\r\nAuthorization: Bearer t\r\n\r\n"))
    start, *lines = upstream.received.split(b"\r\n\r\n")[0].split(b"\r\n")

    assert b"GET /metrics HTTP/1.1" == start
    assert {
        b"Host: 127.0.0.1:%d" % upstream.port,
        b"Accept: text/plain;version=0.0.4",
        b"Accept-Encoding: identity",
        b"Authorization: Bearer t",
    } == set(lines)


@pytest.mark.parametrize(("response", "why"), NO_PAGE.values(), ids=NO_PAGE)
async def test_without_a_page_of_the_model_ours_stands_alone(
    merging: Proxied, upstream: RawUpstream, response: bytes, why: bytes
) -> None:
    """The response is 200 with one comment line that gives the reason, and with all of our families."""
    upstream.script = once(response)
    message = await merging.ask(SCRAPE)
    first = body_of(message).split(b"\n")[0]

    assert message.startswith(b"HTTP/1.1 200 OK\r\n")
    assert first.startswith(b"# driftgauge: the model server's metrics are left out: ")
    assert why in first
    assert Samples.parse(body_of(message).decode()).matching("process_cpu_seconds_total")


async def test_a_model_server_that_is_down_does_not_fail_the_scrape(merging: Proxied, upstream: RawUpstream) -> None:
    """A scrape returns our families while the model server is down."""
    await upstream.stop()

    assert b"cannot be reached." in body_of(await merging.ask(SCRAPE)).split(b"\n")[0]


async def test_a_silent_model_server_is_given_half_of_the_scrapes_time(merging: Proxied, upstream: RawUpstream) -> None:
    """The proxy stops waiting before the scrape times out, and closes the silent connection."""

    async def say_nothing(wire: Wire) -> None:
        """Read until the other end is gone."""
        await wire.gone()

    upstream.script = say_nothing
    message = await merging.ask(HURRIED)
    await upstream.open_is(0)

    assert b"did not respond in time." in body_of(message).split(b"\n")[0]


@pytest.mark.parametrize("reported", ["soon", "nan", "-1", ""])
async def test_an_invalid_scrape_timeout_is_ignored(merging: Proxied, upstream: RawUpstream, reported: str) -> None:
    """An invalid scrape timeout of an untrusted client cannot suppress the model server's metrics."""
    upstream.script = responding(page_response(b"up 1\n"), bodiless_requests=True)
    message = await merging.ask(HURRIED.replace(b"0.2", reported.encode()))

    assert body_of(message).startswith(b"up 1\n")


async def test_a_pooled_connection_that_was_closed_is_no_failure(merging: Proxied, upstream: RawUpstream) -> None:
    """When the model server has closed a pooled connection, the scrape is repeated on a new one."""
    upstream.script = once(page_response(b"up 1\n"))
    messages = [body_of(await merging.ask(SCRAPE)) for _ in range(3)]

    assert [b"up 1\n"] * 3 == [message[:5] for message in messages]


async def test_head_is_the_pages_head(merging: Proxied, upstream: RawUpstream) -> None:
    """The response to HEAD states a length and has no body, and the connection serves the next request."""
    upstream.script = responding(page_response(b"up 1\n"), bodiless_requests=True)
    wire = await merging.connect()
    wire.send(SCRAPE.replace(b"GET", b"HEAD") + SCRAPE)
    head = await wire.message(bodiless=True)
    whole = await wire.message()

    assert TYPE in head
    assert length_of(head) > 5
    assert whole.startswith(b"HTTP/1.1 200 OK\r\n")
    assert b"\r\n\r\nup 1\n" in whole


@pytest.mark.parametrize("target", ["/metrics/", "/metrics?name=up", "/metrics/wine", "/Metrics", "/v2/metrics"])
async def test_other_paths_are_the_models(merging: Proxied, upstream: RawUpstream, target: str) -> None:
    """The proxy responds to `/metrics` alone; all other targets are forwarded."""
    request = f"GET {target} HTTP/1.1\r\nHost: pod\r\n\r\n".encode()
    upstream.script = responding(page_response(b"theirs"), bodiless_requests=True)

    assert page_response(b"theirs") == await merging.ask(request)
    assert request == upstream.received


async def test_other_methods_are_the_models(merging: Proxied, upstream: RawUpstream) -> None:
    """A POST to `/metrics` is forwarded."""
    request = post("/metrics", b"x")

    assert (await merging.ask(request)).endswith(b"{}")
    assert request == upstream.received


async def test_a_client_that_leaves_harms_no_other(merging: Proxied, upstream: RawUpstream) -> None:
    """After a scraper resets while the model server makes its page, the next scrape gets a page."""
    asked = asyncio.Event()

    async def report_and_wait(wire: Wire) -> None:
        """Report that a request came, and wait for the other end to leave."""
        await wire.head()
        asked.set()
        await wire.gone()

    upstream.script = report_and_wait
    wire = await merging.connect()
    wire.send(SCRAPE)
    await asked.wait()
    wire.reset()
    await upstream.open_is(0)
    upstream.script = responding(page_response(b"up 1\n"), bodiless_requests=True)

    assert body_of(await merging.ask(SCRAPE)).startswith(b"up 1\n")


async def test_promtool_finds_no_fault(merging: Proxied, upstream: RawUpstream) -> None:
    """The merged page of two clean pages is clean: each family is there once, with HELP and TYPE."""
    upstream.script = responding(page_response(PYTHON_SERVER), bodiless_requests=True)
    merged = body_of(await merging.ask(SCRAPE))
    lint = subprocess.run(  # noqa: ASYNC221 - nothing else is to run
        [program("promtool"), "check", "metrics"], input=merged, capture_output=True, check=False, timeout=60
    )

    assert (0, b"", b"") == (lint.returncode, lint.stdout, lint.stderr)


async def test_promtool_finds_nothing_but_the_models_own_faults(merging: Proxied, upstream: RawUpstream) -> None:
    """The tool reports the same faults of untyped families for the merged page as for the model server's page."""
    upstream.script = responding(page_response(PYTHON_SERVER + UNTYPED), bodiless_requests=True)
    merged = body_of(await merging.ask(SCRAPE))
    found = [
        subprocess.run([program("promtool"), "check", "metrics"], input=text, capture_output=True, check=False)  # noqa: ASYNC221
        for text in (PYTHON_SERVER + UNTYPED, merged)
    ]

    assert found[0].stderr == found[1].stderr
    assert b"queue_depth" in found[1].stderr


async def test_a_real_prometheus_scrapes_both(merging: Proxied, upstream: RawUpstream, tmp_path: Path) -> None:
    """Prometheus stores series of the model server, of its untyped families, and of ours, from one target."""
    upstream.script = responding(page_response(PYTHON_SERVER + b"queue_depth 2\n"), bodiless_requests=True)
    with Prometheus({"pod": f"http://127.0.0.1:{merging.port}"}, tmp_path) as prometheus:
        await asyncio.to_thread(prometheus.wait_for, 'driftgauge_build_info{job="pod"} == 1')
        found = [
            await asyncio.to_thread(prometheus.query, expression)
            for expression in ("queue_depth", "process_cpu_seconds_total", "request_predict_seconds_count", "up")
        ]

    assert [[2], [7.25], [4], [1]] == [
        [series.value for series in one if series.labels["job"] == "pod"] for one in found
    ]
