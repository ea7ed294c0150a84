"""The load sends what its options say, and accepts only complete responses with status code 200."""

import sys
from argparse import Namespace
from collections import deque
from collections.abc import Sequence
from pathlib import Path
from typing import cast

import pytest

from benchmarks.children import Program, module
from benchmarks.load import Load, LoadArguments, measure
from benchmarks.proxy.bodies import v1, v2_binary, wires
from tests.support.ports import free_port

COUNT = 20


async def test_ids_differ_and_requests_take_turns() -> None:
    """Two requests that belong together have the same id in all their places, and others have other ids."""
    load = Load([b"a %b!" % (b"@" * 32), b"b %b!" % (b"@" * 32)], 6, together=2)
    requests = deque(load.next_request() for _ in range(6))

    assert {b"a": 3, b"b": 3} == {kind: sum(one.startswith(kind) for one in requests) for kind in (b"a", b"b")}
    assert 3 == len({one[2:34] for one in requests})


def send(port: int, request: Path, rate: float = 0) -> float:
    """The number of requests with a response."""
    arguments = Namespace(port=port, requests=(request,), count=COUNT, connections=3, rate=rate, together=1)
    return measure(cast("LoadArguments", arguments))["count"]


def command(response: str, port: int) -> Sequence[str]:
    """The command of a model with a kind of response."""
    return module("benchmarks.model", port, "--response", response)


@pytest.mark.parametrize("kind", wires())
def test_every_request_gets_a_response(tmp_path: Path, kind: str) -> None:
    """Every kind of request gets its response, in a closed loop and at a rate."""
    wire, port, path = wires()[kind], free_port(), tmp_path / "request"
    path.write_bytes(wire.request)
    with Program(command(wire.response, port), port):
        assert [COUNT, COUNT] == [send(port, path, rate) for rate in (0, 2_000)]


def test_an_error_ends_the_load(tmp_path: Path) -> None:
    """A response that is not 200 ends the load with an error, so that a proxy that fails quickly does not seem fast."""
    port, path = free_port(), tmp_path / "request"
    path.write_bytes(v1(1).request)
    files = [sys.executable, "-m", "http.server", str(port), "--bind", "127.0.0.1", "--directory", str(tmp_path)]
    with Program(files, port), pytest.raises(RuntimeError, match="not 200"):
        send(port, path)


def test_bodies_have_the_length_of_their_head() -> None:
    """The length in the head is that of the body."""
    for wire in [*wires().values(), v2_binary(2), v1(2)]:
        head, _, body = wire.request.partition(b"\r\n\r\n")
        assert b"Content-Length: %d" % len(body) in head
        assert len(body) == wire.body_bytes
