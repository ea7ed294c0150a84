"""The proxy adds `Via` to requests and nothing to responses, and refuses a request that it has forwarded itself."""

import asyncio
import re
import socket
from dataclasses import replace

import pytest

from tests.support.proxied import SETTINGS, Proxied
from tests.support.upstream import OK, RawUpstream

VIA = re.compile(rb"\r\nVia: 1\.1 (driftgauge-[0-9a-f]{16})\r\n\r\n")


async def test_via_is_added_to_requests_alone(proxy: Proxied, upstream: RawUpstream) -> None:
    """Each request ends its head with `Via`, always with the same name; the response is the model server's."""
    request = b"GET /%d HTTP/1.1\r\nHost: model\r\nvia: 1.1 other\r\n\r\n"
    responses = [await proxy.ask(request % number) for number in (1, 2)]
    names = VIA.findall(upstream.received_with_via)

    assert [OK, OK] == responses
    assert (2, 1) == (len(names), len(set(names)))
    assert request % 1 + request % 2 == upstream.received


async def test_each_process_has_its_own_name() -> None:
    """Two proxies in a row do not take each other for a loop."""
    async with RawUpstream() as upstream, Proxied(upstream.port) as inner, Proxied(inner.port) as outer:
        response = await outer.ask(b"GET / HTTP/1.1\r\nHost: model\r\n\r\n")
        names = re.findall(rb"driftgauge-[0-9a-f]{16}", upstream.received_with_via)

    assert OK == response
    assert 2 == len(set(names))


@pytest.mark.parametrize("merge", [False, True], ids=["forwarded", "merged page"])
async def test_a_proxy_that_leads_back_to_itself_says_so(caplog: pytest.LogCaptureFixture, *, merge: bool) -> None:
    """A request that has passed this process is refused with 508 at once; response and log have the same sentence."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    async with Proxied(port, replace(SETTINGS, merge_metrics=merge), port=port) as proxied, asyncio.timeout(10):
        response = await proxied.ask(b"GET /metrics HTTP/1.1\r\nHost: model\r\n\r\n")

    assert any("The proxy's upstream_url leads back to the proxy." in message for message in caplog.messages)
    if merge:
        assert response.startswith(b"HTTP/1.1 200 ")
        assert b"the model server's metrics are left out" in response
    else:
        assert response.startswith(b"HTTP/1.1 508 ")
        assert b"leads back to the proxy" in response
