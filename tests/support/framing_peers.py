"""nginx, haproxy and our proxy in front of one kind of server each, and what each of them does with raw requests.

`python -m tests.support.framing_peers` measures nginx and haproxy and writes tests/data/framing_peers.json.
"""

import asyncio
import json
import re
import socket
import subprocess
import tempfile
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from tests.support.parts import program
from tests.support.ports import free_port
from tests.support.raw_client import DEADLINE_SECONDS, Wire
from tests.support.request_corpus import ENTRIES, Entry, Outcome
from tests.support.upstream import RawUpstream, responding
from tests.support.waiting import wait_until

RECORD = Path(__file__).parents[1] / "data" / "framing_peers.json"
LANES = 8
"""Servers of one kind that are tried at once: each has a model server of its own, so that their requests do not mix."""

_NGINX = """
daemon off; master_process off; pid {home}/pid; error_log {home}/log crit;
events {{ worker_connections 256; }}
http {{
  access_log off; client_body_temp_path {home}/a; proxy_temp_path {home}/b; fastcgi_temp_path {home}/c;
  uwsgi_temp_path {home}/d; scgi_temp_path {home}/e;
  {servers}
}}
"""
_NGINX_SERVER = """
  server {{
    listen 127.0.0.1:{port};
    location / {{ proxy_pass http://127.0.0.1:{upstream}; proxy_http_version 1.1; proxy_request_buffering off;
      proxy_set_header Connection ""; proxy_set_header Host $http_host; }}
  }}
"""
_HAPROXY = """
defaults
  mode http
  timeout connect 5s
  timeout client 5s
  timeout server 5s
{servers}
"""
_HAPROXY_SERVER = """
frontend f{port}
  bind 127.0.0.1:{port}
  default_backend b{port}
backend b{port}
  server s 127.0.0.1:{upstream}
"""
PEERS = {"nginx": (_NGINX, _NGINX_SERVER, "-c"), "haproxy": (_HAPROXY, _HAPROXY_SERVER, "-f")}
_QUIET_SECONDS = 0.15
_RESPONSE = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
_STATUS = re.compile(rb"HTTP/1\.[01] ([1-5][0-9]{2})")


def version(name: str) -> str:
    """The version of an installed peer, such as `1.22.1`; skips the test if it is not installed."""
    printed = subprocess.run([program(name), "-v"], capture_output=True, check=True, text=True)
    found = re.search(r"\d+(?:\.\d+)+", printed.stdout + printed.stderr)
    return found[0] if found else ""


def recorded() -> dict[str, dict[str, Outcome]]:
    """What the peers did when they were measured, by peer and entry. The record holds what differs from our proxy."""
    differences: dict[str, dict[str, tuple[list[int], int]]] = json.loads(RECORD.read_text())["differences"]
    found = {peer: {entry.name: entry.ours for entry in ENTRIES} for peer in PEERS}
    for name, outcomes_of in differences.items():
        for peer, (statuses, forwarded) in outcomes_of.items():
            found[peer][name] = Outcome(tuple(statuses), forwarded)
    return found


def recorded_versions() -> dict[str, str]:
    """The versions of the measured peers."""
    versions: dict[str, str] = json.loads(RECORD.read_text())["versions"]
    return versions


@asynccontextmanager
async def started_peer(name: str, upstreams: Sequence[RawUpstream], home: Path) -> AsyncIterator[list[int]]:
    """The ports of a started peer, one in front of each model server."""
    template, server, flag = PEERS[name]
    ports = [free_port() for _ in upstreams]
    servers = [
        server.format(port=port, upstream=upstream.port) for port, upstream in zip(ports, upstreams, strict=True)
    ]
    config = home / "config"
    config.write_text(template.format(home=home, servers="".join(servers)))
    child = await asyncio.create_subprocess_exec(
        program(name), flag, str(config), stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL
    )
    try:
        await asyncio.to_thread(wait_until, lambda: _listens(ports[-1]), f"{name} to listen", 20)
        yield ports
    finally:
        child.terminate()
        await child.wait()


def _listens(port: int) -> bool:
    with socket.create_connection(("127.0.0.1", port)):
        return True


async def outcomes(
    ports: Sequence[int], upstreams: Sequence[RawUpstream], expected: Mapping[str, Outcome]
) -> dict[str, Outcome]:
    """What the servers do with all entries.

    Args:
        ports: Where they listen.
        upstreams: The model server behind each.
        expected: What is expected of each entry: as many responses are awaited, and a moment for more of them.
    """
    lanes = [
        _try_entries(port, upstream, ENTRIES[lane :: len(ports)], expected)
        for lane, (port, upstream) in enumerate(zip(ports, upstreams, strict=True))
    ]
    return {name: outcome for found in await asyncio.gather(*lanes) for name, outcome in found.items()}


async def _try_entries(
    port: int, upstream: RawUpstream, entries: Sequence[Entry], expected: Mapping[str, Outcome]
) -> dict[str, Outcome]:
    return {one.name: await _outcome(port, upstream, one.raw, expected.get(one.name)) for one in entries}


async def _outcome(port: int, upstream: RawUpstream, raw: bytes, expected: Outcome | None) -> Outcome:
    before = _forwarded(upstream)
    wire = await Wire.connect(port)
    wire.send(raw)
    try:
        async with asyncio.timeout(DEADLINE_SECONDS):
            while expected is not None and len(_statuses(wire)) < len(expected.statuses) and await wire.some():
                pass
        async with asyncio.timeout(_QUIET_SECONDS if expected is not None else 10 * _QUIET_SECONDS):
            await wire.gone()
    except (TimeoutError, ConnectionError):
        pass  # it waits for more bytes, or for the next request; or it has reset the connection
    await wire.drop()
    return Outcome(_statuses(wire), _forwarded(upstream) - before)


def _statuses(wire: Wire) -> tuple[int, ...]:
    return tuple(int(code) for code in _STATUS.findall(wire.received))


def _forwarded(upstream: RawUpstream) -> int:
    return sum(_complete_requests(wire.received) for wire in upstream.wires)


def _complete_requests(received: bytes) -> int:
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


@asynccontextmanager
async def recording_servers() -> AsyncIterator[list[RawUpstream]]:
    """Model servers that respond with 200 and an empty body, one for each lane."""
    async with AsyncExitStack() as stack:
        servers = [RawUpstream(responding(_RESPONSE)) for _ in range(LANES)]
        yield [await stack.enter_async_context(server) for server in servers]


async def measured_peer(name: str, home: Path, expected: Mapping[str, Outcome]) -> dict[str, Outcome]:
    """What a peer does with all entries."""
    async with recording_servers() as upstreams, started_peer(name, upstreams, home) as ports:
        return await outcomes(ports, upstreams, expected)


def main() -> None:
    """Measure the peers and write the record."""
    found: dict[str, dict[str, Outcome]] = {}
    for name in PEERS:
        with tempfile.TemporaryDirectory() as home:
            found[name] = asyncio.run(measured_peer(name, Path(home), {}))
    differences = {
        entry.name: {name: found[name][entry.name] for name in PEERS if found[name][entry.name] != entry.ours}
        for entry in ENTRIES
    }
    lines = [f"  {json.dumps(name)}: {json.dumps(outcome)}" for name, outcome in differences.items() if outcome]
    versions = json.dumps({name: version(name) for name in PEERS})
    RECORD.write_text(f'{{\n "versions": {versions},\n "differences": {{\n' + ",\n".join(lines) + "\n }\n}\n")


if __name__ == "__main__":
    main()
