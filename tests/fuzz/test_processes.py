"""The real proxy and logger get changed and random requests while a second client sends one request each 5 ms.

The second client's latencies are printed (`make fuzz` shows them), and nothing is asserted of them.
"""

import asyncio
import os
import random
import statistics
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.support.framing import CHUNKED
from tests.support.messages import REQUESTS
from tests.support.payloads import agent_headers, as_json, gzipped, structured_event
from tests.support.processes import Driftgauge
from tests.support.raw_client import Wire, body_of, post
from tests.support.request_corpus import ENTRIES
from tests.support.upstream import RawUpstream

MESSAGES = int(os.environ.get("FUZZ_EXAMPLES") or 300)
SEED = int(os.environ.get("FUZZ_SEED") or 1)
HOSTILE_CLIENTS = 4
PAUSE_SECONDS = 0.005
PATH = "/v1/models/wine:predict"

HEAVY = [
    CHUNKED + b"1\r\nx\r\n" * 50_000 + b"0\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: m\r\n\r\n" * 2_000,
    post(PATH, gzipped(b'{"instances": [' + b"[[],[]]," * 100_000 + b"[]]}")),
    post(PATH, b'{"instances": [' + b"{}," * 100_000 + b"{}]}"),
    post(PATH, as_json({"instances": [{f"name {index}": index for index in range(20_000)}]})),
    post("/", b"[" + b"{}," * 100_000 + b"{}]", "Content-Type: application/cloudevents-batch+json"),
    post("/", as_json(structured_event(data=[[]] * 100_000)), "Content-Type: application/cloudevents+json"),
    post("/", b'{"instances": [[1.5]]}' * 1000, *(f"{name}: {value}" for name, value in agent_headers())),
]
"""Valid requests that are much work for their size, for both modes."""


def _messages(seed: int) -> list[bytes]:
    """What the hostile clients send: the corpus and the heavy ones, most of them with a few bytes changed."""
    choose = random.Random(seed)  # noqa: S311 - not for secrets
    corpus = [*REQUESTS, *(entry.raw for entry in ENTRIES)]
    found = [*HEAVY]
    for _ in range(MESSAGES):
        raw = bytearray(choose.choice(corpus if choose.random() < 0.98 else HEAVY))
        for _ in range(choose.randrange(4)):
            at = choose.randrange(len(raw) + 1)
            raw[at : at + choose.randrange(3)] = choose.randbytes(choose.randrange(3))
        found.append(bytes(raw))
    choose.shuffle(found)
    return found


async def _send(port: int, messages: Sequence[bytes]) -> None:
    """Send each message on a connection of its own, end our side, and read until the server has ended its side."""
    for message in messages:
        wire = await Wire.connect(port)
        wire.send(message)
        try:
            wire.finish()
            await wire.gone()
        except OSError:
            pass  # the server has refused the message and closed already
        finally:
            await wire.drop()


async def _ask_steadily(port: int, hostile: asyncio.Future[list[None]], request: bytes, expected: bytes) -> list[float]:
    """Send a request each 5 ms until the others are done; returns the latencies in seconds."""
    latencies: list[float] = []
    wire = await Wire.connect(port)
    while not hostile.done():
        begun = time.perf_counter()
        wire.send(request)
        response = await wire.message()
        latencies.append(time.perf_counter() - begun)
        assert response.startswith(b"HTTP/1.1 200 OK\r\n")
        assert expected == body_of(response)
        await asyncio.sleep(PAUSE_SECONDS)
    await wire.drop()
    return latencies


async def _run(port: int, request: bytes, expected: bytes, name: str) -> None:
    messages = _messages(SEED)
    hostile = asyncio.gather(*(_send(port, messages[lane::HOSTILE_CLIENTS]) for lane in range(HOSTILE_CLIENTS)))
    latencies = sorted(await _ask_steadily(port, hostile, request, expected))
    await hostile
    median, p99 = statistics.median(latencies), latencies[len(latencies) * 99 // 100]
    sys.stdout.write(
        f"\n{name}: {len(messages)} hostile messages, {len(latencies)} requests beside them: "
        f"median {median * 1e3:.1f} ms, p99 {p99 * 1e3:.1f} ms, maximum {latencies[-1] * 1e3:.1f} ms\n"
    )


async def _echo(wire: Wire) -> None:
    """Respond with the request's body until the connection ends."""
    while True:
        body = body_of(await wire.message())
        wire.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body))


@pytest.fixture
def reference(tmp_path: Path) -> Path:
    """A reference of a number and a category."""
    path = tmp_path / "wine.csv"
    path.write_text("alcohol,colour\n" + "9.5,red\n10.5,white\n" * 50)
    return path


@pytest.mark.timeout(0)
async def test_proxy(reference: Path) -> None:
    """Each response to the second client is right, and the proxy serves on."""
    body = as_json({"instances": [[9.5, "red"]]})
    async with RawUpstream(_echo) as upstream:
        flags = (f"--upstream-url=http://127.0.0.1:{upstream.port}", f"--reference={reference}")
        proxy = await asyncio.to_thread(Driftgauge("proxy", *flags).__enter__)
        with proxy:
            await _run(proxy.port, post(PATH, body), body, "proxy")
            samples = await asyncio.to_thread(proxy.metrics)

            assert samples.total("request_count", code="200") > 0
            assert samples.total("request_count", code="500") == 0
            assert "Traceback" not in proxy.stderr


@pytest.mark.timeout(0)
async def test_logger(reference: Path) -> None:
    """Each response to the second client is right, and the logger serves on."""
    event = post("/", b'{"instances": [[9.5, "red"]]}', *(f"{name}: {value}" for name, value in agent_headers()))
    logger = await asyncio.to_thread(Driftgauge("logger", f"--reference-dir={reference.parent}").__enter__)
    with logger:
        await _run(logger.port, event, b"", "logger")
        samples = await asyncio.to_thread(logger.metrics)

        assert samples.total("driftgauge_payloads_total", kind="request") > 0
        assert "Traceback" not in logger.stderr
