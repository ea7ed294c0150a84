"""The admin port with a token, and with TLS."""

import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import ClientError, ClientSession
from yarl import URL

from driftgauge.server.tls import HandshakeFailure, Tls, make_contexts
from tests.support.admin import AdminFixture
from tests.support.certificates import Authority
from tests.support.waiting import until

PATHS = ["/metrics", "/status", "/drift", "/", "/report", "/window", "/window?joined=1", "/runbooks/", "/nothing"]


@pytest.fixture
async def guarded() -> AsyncIterator[AdminFixture]:
    """A server that wants one token."""
    fixture = AdminFixture(captures=True, authorize=lambda authorization: authorization == "Bearer good")
    await fixture.open()
    yield fixture
    await fixture.admin.close()


@pytest.mark.parametrize("path", PATHS)
async def test_paths_with_a_token(guarded: AdminFixture, client: ClientSession, path: str) -> None:
    """Every path but health asks for the token, also one that does not exist."""
    async with client.get(guarded.url + path) as response:
        assert (401, 'Bearer realm="driftgauge"') == (response.status, response.headers["WWW-Authenticate"])
    async with client.get(guarded.url + path, headers={"Authorization": "Bearer good"}) as response:
        assert 401 != response.status


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
async def test_health_needs_no_token(guarded: AdminFixture, client: ClientSession, path: str) -> None:
    """The kubelet has no token."""
    async with client.get(guarded.url + path) as response:
        assert 200 == response.status


@pytest.mark.parametrize("path", ["/healthz/../metrics", "/healthz/", "//healthz", "/%68ealthz/../metrics", "/Healthz"])
async def test_no_way_around(guarded: AdminFixture, client: ClientSession, path: str) -> None:
    """A path that only resembles that of health shows nothing."""
    async with client.get(URL(guarded.url + path, encoded=True)) as response:
        assert response.status in {401, 404}
        assert b"driftgauge_" not in await response.read()


async def test_tls(tmp_path: Path, client: ClientSession) -> None:
    """With TLS a client that trusts the authority reads metrics; one that speaks plain HTTP is counted."""
    authority = Authority.make(tmp_path)
    contexts = make_contexts(*authority.sign("server"), None)
    failures: list[HandshakeFailure] = []
    fixture = AdminFixture(tls=Tls(lambda: contexts.admin, failures.append))
    await fixture.open()
    trusting: ssl.SSLContext = authority.client_context()
    try:
        async with client.get(f"{fixture.url}/metrics", ssl=trusting) as response:
            assert 200 == response.status
            assert b"driftgauge_build_info" in await response.read()
        with pytest.raises((ClientError, OSError)):
            await client.get(fixture.url.replace("https", "http") + "/metrics")
        await until(lambda: {HandshakeFailure.PROTOCOL} == set(failures))  # the client tries twice
    finally:
        await fixture.admin.close()
