"""nginx and haproxy compared with our proxy: which requests of the corpus each of them forwards."""

import asyncio
import re
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.support.framing import CUT, PASSED, REFUSED
from tests.support.parts import program
from tests.support.processes import free_port
from tests.support.proxied import Proxied
from tests.support.raw_client import Wire
from tests.support.upstream import RawUpstream, responding
from tests.support.waiting import wait_until

_NGINX = """
daemon off; master_process off; pid {home}/pid; error_log {home}/log crit;
events {{ worker_connections 64; }}
http {{
  access_log off; client_body_temp_path {home}/a; proxy_temp_path {home}/b; fastcgi_temp_path {home}/c;
  uwsgi_temp_path {home}/d; scgi_temp_path {home}/e;
  server {{
    listen 127.0.0.1:{port};
    location / {{ proxy_pass http://127.0.0.1:{upstream}; proxy_http_version 1.1; proxy_request_buffering off;
      proxy_set_header Connection ""; proxy_set_header Host $http_host; }}
  }}
}}
"""
_HAPROXY = """
defaults
  mode http
  timeout connect 5s
  timeout client 5s
  timeout server 5s
frontend f
  bind 127.0.0.1:{port}
  default_backend b
backend b
  server s 127.0.0.1:{upstream}
"""
_PEERS = {"nginx": (_NGINX, "-c"), "haproxy": (_HAPROXY, "-f")}
_QUIET_SECONDS = 0.15
_RESPONSE = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"


def _listens(port: int) -> bool:
    with socket.create_connection(("127.0.0.1", port)):
        return True


@asynccontextmanager
async def _peer(name: str, upstream_port: int, home: Path) -> AsyncIterator[int]:
    """The port of a started peer in front of the model server."""
    text, flag = _PEERS[name]
    port = free_port()
    config = home / "config"
    config.write_text(text.format(home=home, port=port, upstream=upstream_port))
    child = await asyncio.create_subprocess_exec(
        program(name), flag, str(config), stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL
    )
    try:
        await asyncio.to_thread(wait_until, lambda: _listens(port), f"{name} to listen", 20)
        yield port
    finally:
        child.terminate()
        await child.wait()


@asynccontextmanager
async def _both(name: str, home: Path) -> AsyncIterator[tuple[RawUpstream, Proxied, int]]:
    """The model server, our proxy in front of it, and the port of the peer in front of it."""
    async with (
        RawUpstream(responding(_RESPONSE)) as upstream,
        Proxied(upstream.port) as proxy,
        _peer(name, upstream.port, home) as port,
    ):
        yield upstream, proxy, port


async def _whole_requests(port: int, upstream: RawUpstream, request: bytes) -> int:
    """The number of complete requests that the model server gets when a proxy receives `request`."""
    before = _found(upstream)
    wire = await Wire.connect(port)
    wire.send(request)
    try:
        async with asyncio.timeout(_QUIET_SECONDS):
            await wire.gone()
    except TimeoutError:
        pass  # the proxy waits for more bytes, or for the next request
    await wire.drop()
    return _found(upstream) - before


def _found(upstream: RawUpstream) -> int:
    return sum(_count(wire.received) for wire in upstream.wires)


def _count(received: bytes) -> int:
    found = 0
    while (end := received.find(b"\r\n\r\n")) >= 0:
        head, rest = received[:end].lower(), received[end + 4 :]
        if b"\r\ntransfer-encoding:" in head:
            last = re.search(rb"(?:^|\r\n)0+(?:;[^\r\n]*)?\r\n(?:[^\r\n]+\r\n)*\r\n", rest)
            if last is None:
                return found
            rest = rest[last.end() :]
        else:
            reported = re.search(rb"\r\ncontent-length: *(\d+)", head)
            length = int(reported[1]) if reported else 0
            if len(rest) < length:
                return found
            rest = rest[length:]
        found, received = found + 1, rest
    return found


@pytest.mark.parametrize("name", _PEERS)
async def test_we_are_at_least_as_strict(
    name: str, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    """Our proxy forwards no odd request as a complete one, whatever the peer does.

    The peer's count is a property of the test report (`--junit-xml`), since it changes with the peer's version.
    """
    async with _both(name, tmp_path) as (upstream, proxy, port):
        for case, request in {**REFUSED, **CUT}.items():
            ours = await _whole_requests(proxy.port, upstream, request)
            theirs = await _whole_requests(port, upstream, request)
            record_property(f"odd: {case}", theirs)

            assert (case, 0) == (case, ours)


@pytest.mark.parametrize("name", _PEERS)
async def test_we_are_not_stricter_than_necessary(
    name: str, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    """Our proxy forwards each valid request exactly once."""
    async with _both(name, tmp_path) as (upstream, proxy, port):
        for case, (request, _) in PASSED.items():
            ours = await _whole_requests(proxy.port, upstream, request)
            theirs = await _whole_requests(port, upstream, request)
            record_property(f"sound: {case}", theirs)

            assert (case, 1) == (case, ours)
