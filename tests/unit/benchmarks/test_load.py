"""The load asks for what it says, and takes nothing for an answer that is none."""

import asyncio
from argparse import Namespace
from collections import deque
from pathlib import Path
from typing import cast

import pytest

from benchmarks.load import Load, Told, measured
from benchmarks.model import ANSWERS, ModelConnection
from benchmarks.proxy.bodies import v1, v2_binary, wires, without_id


async def test_ids_differ_and_requests_take_turns() -> None:
    """Two that belong together share one."""
    load = Load([b"a %b!" % (b"@" * 32), b"b %b!" % (b"@" * 32)], 6)
    found = deque(load.next_request() for _ in range(6))

    assert {b"a": 3, b"b": 3} == {kind: sum(one.startswith(kind) for one in found) for kind in (b"a", b"b")}
    assert 3 == len({one[2:34] for one in found})


async def _run(answer: bytes, requests: tuple[Path, ...], **options: float) -> dict[str, float]:
    server = await asyncio.get_running_loop().create_server(lambda: ModelConnection(answer, 0.0), "127.0.0.1", 0)
    told = {"port": server.sockets[0].getsockname()[1], "requests": requests, "count": 20, "connections": 3, "rate": 0}
    try:
        return await measured(cast("Told", Namespace(**{**told, **options})))
    finally:
        server.close()


@pytest.mark.parametrize("rate", [0, 2_000])
@pytest.mark.parametrize("kind", wires())
async def test_every_request_is_answered(tmp_path: Path, kind: str, rate: float) -> None:
    """In a closed loop and at a rate."""
    wire = wires()[kind]
    path = tmp_path / "request"
    path.write_bytes(wire.request)

    assert 20 == (await _run(ANSWERS[wire.answer], (path,), rate=rate))["count"]


async def test_an_error_ends_the_load(tmp_path: Path) -> None:
    """A proxy that fails quickly must not look quick."""
    path = tmp_path / "request"
    path.write_bytes(v1(1).request)
    with pytest.raises(RuntimeError, match="not 200"):
        await _run(b"HTTP/1.1 502 Bad Gateway\r\ncontent-length: 0\r\n\r\n", (path,))


def test_bodies_are_as_long_as_they_say() -> None:
    """And the small one has the length that others measure with."""
    for wire in [*wires().values(), v2_binary(2), without_id(v1(2))]:
        head, _, body = wire.request.partition(b"\r\n\r\n")
        assert b"Content-Length: %d" % len(body) in head
        assert len(body) == wire.body_bytes

    assert 376 == wires()["376 B"].body_bytes
