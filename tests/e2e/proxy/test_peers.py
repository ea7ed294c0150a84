"""Every raw request of the corpus, sent to our proxy, nginx and haproxy, each in front of a server that records it."""

from collections.abc import Callable
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from tests.support.framing_peers import (
    PEERS,
    measured_peer,
    outcomes,
    recorded,
    recorded_versions,
    recording_servers,
    version,
)
from tests.support.proxied import Proxied
from tests.support.request_corpus import ENTRIES, Outcome

VARYING = {"haproxy": {"trailer with a space before the colon"}}
"""To what a peer responds in two ways: haproxy 2.6 refuses such a trailer if it comes in a read of its own."""


def _differences(expected: dict[str, Outcome], found: dict[str, Outcome]) -> dict[str, tuple[str, str]]:
    return {name: (str(one), str(found[name])) for name, one in expected.items() if one != found[name]}


async def test_our_proxy() -> None:
    """Our proxy gives each request the responses, and forwards as many requests, as the corpus says."""
    expected = {entry.name: entry.ours for entry in ENTRIES}
    async with recording_servers() as upstreams, AsyncExitStack() as stack:
        proxies = [await stack.enter_async_context(Proxied(upstream.port)) for upstream in upstreams]
        found = await outcomes([proxy.port for proxy in proxies], upstreams, expected)

    assert {} == _differences(expected, found)


@pytest.mark.parametrize("name", PEERS)
async def test_peer(name: str, tmp_path: Path, record_property: Callable[[str, object], None]) -> None:
    """A peer of the recorded version does what docs/framing.md says; differences of another one are only reported."""
    expected = recorded()[name]
    differences: dict[str, tuple[str, str]] = {}
    for attempt in range(3):  # a peer may reset its connection before the client has read the response
        home = tmp_path / str(attempt)
        home.mkdir()
        found = _differences(expected, await measured_peer(name, home, expected))
        differences = {entry: pair for entry, pair in found.items() if entry not in VARYING.get(name, ())}
        if not differences:
            break
    record_property("differences", differences)

    assert version(name) != recorded_versions()[name] or {} == differences
