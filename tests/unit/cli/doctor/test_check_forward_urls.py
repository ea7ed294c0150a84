"""The targets of `forward_url` as the doctor finds them: real servers, to which nothing is sent."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from driftgauge.cli.doctor.check_forward_urls import check_event_url, check_forward_urls
from driftgauge.cli.doctor.finding import Finding, Level
from driftgauge.config.load import load
from driftgauge.config.options import LoggerConfig
from tests.support.certificates import Authority
from tests.support.ports import free_port


@asynccontextmanager
async def server(context: ssl.SSLContext | None = None) -> AsyncIterator[tuple[int, list[bytes]]]:
    """A server; yields its port and what it has received of each connection."""
    received: list[bytes] = []
    done = asyncio.Event()

    async def read(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Note the first byte that comes, if any does."""
        received.append(await reader.read(1))
        if received[-1]:
            writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()
        done.set()

    listening = await asyncio.start_server(read, "127.0.0.1", 0, ssl=context)
    try:
        yield listening.sockets[0].getsockname()[1], received
        if context is None:
            async with asyncio.timeout(5):
                await done.wait()
    finally:
        listening.close()


async def check(*urls: str) -> list[Finding]:
    """What the doctor finds at these URLs."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DRIFTGAUGE_FORWARD_URL", ",".join(urls))
        config = load("logger", {})
    assert isinstance(config, LoggerConfig)
    return await check_forward_urls(config)


async def test_a_target_that_can_be_reached_receives_no_byte() -> None:
    """A password in its URL is not shown."""
    async with server() as (port, received):
        (found,) = await check(f"http://me:s3cret@127.0.0.1:{port}/events")

    assert Level.OK == found.level
    assert f"127.0.0.1:{port}" in found.sentence
    assert "s3cret" not in found.sentence
    assert [b""] == received


async def test_each_target_that_cannot_be_reached_is_named() -> None:
    """In the order of the URLs, with the reason."""
    port = free_port()
    refused, unknown = await check(f"http://127.0.0.1:{port}/", "http://no-such-host.invalid/")

    assert [Level.FAIL] * 2 == [refused.level, unknown.level]
    assert f"127.0.0.1:{port}/ gives no connection to port {port} (Connection refused)" in refused.sentence
    assert "no-such-host.invalid" in unknown.sentence
    assert "cannot be resolved" in unknown.sentence


async def test_faults_of_tls_are_named(tmp_path: Path) -> None:
    """A port without TLS, and a certificate of an authority that is not known."""
    certificate, key = Authority.make(tmp_path).sign("server")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    async with server(context) as (port, _):
        (foreign,) = await check(f"https://127.0.0.1:{port}/")
    async with server() as (port, _):
        (plain,) = await check(f"https://127.0.0.1:{port}/")

    assert [Level.FAIL] * 2 == [foreign.level, plain.level]
    assert "a certificate that is not accepted" in foreign.sentence
    assert "does not speak TLS" in plain.sentence


async def test_without_targets_nothing_is_found() -> None:
    """The logger alone has the option, and it is empty by default."""
    config = load("logger", {})
    assert isinstance(config, LoggerConfig)

    assert [] == await check_forward_urls(config)


async def test_the_receiver_of_changes(tmp_path: Path) -> None:
    """It is found by the same connection, with the certificates of its own options."""
    assert [] == await check_event_url(load("proxy", {}))
    async with server() as (port, received):
        (found,) = await check_event_url(load("proxy", {"event_url": f"http://127.0.0.1:{port}/x?key=s3cret"}))
    assert (Level.OK, "event_url", [b""]) == (found.level, found.check, received)
    assert "s3cret" not in found.sentence
    (away,) = await check_event_url(load("proxy", {"event_url": f"http://127.0.0.1:{free_port()}/"}))
    assert Level.FAIL is away.level
    authority = Authority.make(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*authority.sign("localhost"))
    async with server(context) as (port, _):
        flags = {"event_url": f"https://localhost:{port}/", "event_ca_file": str(authority.file)}
        assert [Level.OK] == [one.level for one in await check_event_url(load("proxy", flags))]
    (unusable,) = await check_event_url(load("proxy", flags | {"event_ca_file": str(tmp_path / "none")}))
    assert (Level.FAIL, True) == (unusable.level, "cannot be read" in unusable.sentence)
