"""The native load sends what its options say, to a native model or to any other, and fails where a response does."""

import asyncio
from collections import Counter
from itertools import pairwise
from pathlib import Path

import pytest

from benchmarks.native import programs as native
from benchmarks.proxy.bodies import small_wires
from tests.support.parts import program


@pytest.fixture(autouse=True)
def programs() -> None:
    """Wrk and nginx are installed, or the test is skipped."""
    program("wrk")
    program("nginx")


@pytest.mark.parametrize("kind", small_wires())
def test_the_model_responds_to_every_kind_of_request(tmp_path: Path, kind: str) -> None:
    """The native model responds to each small request, as often as the rate says."""
    wire, path = small_wires()[kind], tmp_path / "request"
    path.write_bytes(wire.request)
    with native.model(tmp_path, wire.response) as model:
        reported = native.send(model.port, [path], connections=4, seconds=1, rate=100, together=1)

    assert 90 <= reported["count"] <= 110


def test_a_failed_request_ends_the_load(tmp_path: Path) -> None:
    """A response of 400, since `Host` is missing, is an error, so that a proxy that fails does not seem fast."""
    path = tmp_path / "request"
    path.write_bytes(b"GET / HTTP/1.1\r\n\r\n")
    with native.model(tmp_path, "v1") as model, pytest.raises(RuntimeError, match="failed"):
        native.send(model.port, [path], connections=1, seconds=1, rate=0, together=1)


async def test_ids_are_shared_by_requests_that_belong_together(tmp_path: Path) -> None:
    """Two files take turns; each id is in both, in all its places, and in no third request."""
    paths = [tmp_path / name for name in ("a", "b")]
    for path in paths:
        mark = "@" * 32
        path.write_text(f"GET /{path.name} HTTP/1.1\r\nHost: model\r\nX-Request-Id: {mark}\r\nTrace: {mark}\r\n\r\n")
    heads: list[bytes] = []

    async def respond(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                heads.append(await reader.readuntil(b"\r\n\r\n"))
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        except asyncio.IncompleteReadError:
            writer.close()

    server = await asyncio.start_server(respond, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server:
        await asyncio.to_thread(native.send, port, paths, connections=1, seconds=1, rate=50, together=2)

    ids = [(head.split()[1], *(line.split(b": ")[1] for line in head.split(b"\r\n")[2:4])) for head in heads]
    assert all(first == second for _, first, second in ids)
    places = Counter(one for _, one, _ in ids)
    assert {2} == set(list(places.values())[1:-1])  # wrk makes one request to check the script, and sends it never
    assert all({b"/a", b"/b"} == {one[0], other[0]} for one, other in pairwise(ids))
