"""Whatever the targets do, each event has exactly one outcome at each of them."""

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack

import uvloop
from hypothesis import given, settings
from hypothesis import strategies as st

from driftgauge.http1.head_parser import read_request
from driftgauge.logger.fan_out.fan_out import FanOut
from driftgauge.logger.fan_out.target import ForwardLimits
from driftgauge.metrics.registry import Metrics
from driftgauge.outgoing.retry import Backoff
from tests.support.event_server import CLOSE, ERROR, HANG, OK, EventServer, Respond

HEAD = b"POST / HTTP/1.1\r\nHost: a\r\nce-id: 1\r\n\r\n"
UNSENDABLE = b"POST / HTTP/1.1\r\nHost: a\r\nce-id: \xff\r\n\r\n"
LIMITS = ForwardLimits(30, 2**20, seconds=0.2, backoff=Backoff(0.001, 0.01), attempt_seconds=0.05)

RESPONSES = [
    OK,
    ERROR,
    CLOSE,
    HANG,
    b"HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n",
    b"HTTP/1.1 429 Wait\r\nRetry-After: 1\r\nContent-Length: 0\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    b"\x16\x03\x01 no HTTP",
]


@settings(max_examples=25)
@given(
    scripts=st.lists(st.lists(st.sampled_from(RESPONSES), min_size=1, max_size=6), min_size=1, max_size=3),
    messages=st.lists(st.tuples(st.sampled_from([HEAD, UNSENDABLE]), st.integers(1, 12)), max_size=12),
    is_cut_off=st.booleans(),
)
def test_every_event_has_one_outcome(
    scripts: Sequence[Sequence[bytes | None]],
    messages: Sequence[tuple[bytes, int]],
    is_cut_off: bool,  # noqa: FBT001 - drawn by Hypothesis
) -> None:
    """At each target sent and dropped events add up to those that came, and nothing waits any more."""
    uvloop.run(_send(scripts, messages, is_cut_off=is_cut_off))


async def _send(
    scripts: Sequence[Sequence[bytes | None]], messages: Sequence[tuple[bytes, int]], *, is_cut_off: bool
) -> None:
    metrics = Metrics("")
    servers = [EventServer(_cycle(script)) for script in scripts]
    async with AsyncExitStack() as stack:
        for server in servers:
            await stack.enter_async_context(server.listening())
        fan_out = FanOut([server.url for server in servers], LIMITS, metrics.watch_forwarding())
        async with fan_out.running():
            for head, events in messages:
                fan_out.offer(read_request(head), b"{}", events)
                await asyncio.sleep(0)
            if not is_cut_off:
                await fan_out.flush()
    expected = sum(events for _, events in messages)
    for server in servers:
        assert expected == _total(metrics, "driftgauge_forwarded_events_total", server)
        assert 0 == _total(metrics, "driftgauge_forward_queue_events", server)
        assert 0 == _total(metrics, "driftgauge_forward_queue_bytes", server)


def _cycle(script: Sequence[bytes | None]) -> Respond:
    return lambda number: script[number % len(script)]


def _total(metrics: Metrics, name: str, server: EventServer) -> float:
    return sum(
        sample.value
        for family in metrics.registry.collect()
        for sample in family.samples
        if sample.name == name and sample.labels["target"] == server.shown
    )
