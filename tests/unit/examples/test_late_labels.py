"""The demo's late labels, with a small HTTP server that records what it receives."""

import json
from collections.abc import AsyncIterator

import aiohttp
import numpy as np
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from examples.demo.errors import DemoError
from examples.demo.late_labels import LATE_ROWS, LateLabels


class Receiver:
    """Accepts every label, and records it."""

    def __init__(self) -> None:
        self.received: list[tuple[str, list[float]]] = []
        self.fewer = 0

    async def receive(self, request: web.Request) -> web.Response:
        """Record one inference's labels, and accept all but `fewer` of them."""
        body = json.loads(await request.read())
        self.received.append((body["id"], body["labels"]))
        return web.json_response({"accepted": len(body["labels"]) - self.fewer}, status=202)


@pytest.fixture
def receiver() -> Receiver:
    """What receives labels."""
    return Receiver()


@pytest.fixture
async def labels(receiver: Receiver) -> AsyncIterator[LateLabels]:
    """Labels that go to it."""
    app = web.Application()
    app.router.add_post("/labels", receiver.receive)
    async with TestServer(app) as server, aiohttp.ClientSession() as session:
        yield LateLabels(session, f"http://127.0.0.1:{server.port}/labels")


async def test_labels_come_200_wines_late(receiver: Receiver, labels: LateLabels) -> None:
    """Those of an inference are posted once more than 200 wines were sent from it on; the rest at the end."""
    half = np.full(LATE_ROWS // 2, 5.0)
    for name in ("a", "b"):
        await labels.add(name, half)
    early = list(receiver.received)
    await labels.add("c", half)
    late = list(receiver.received)
    await labels.flush()

    assert [] == early
    assert [("a", half.tolist())] == late
    assert ["a", "b", "c"] == [name for name, _ in receiver.received]
    assert 300 == labels.posted


async def test_labels_that_are_not_accepted_are_an_error(receiver: Receiver, labels: LateLabels) -> None:
    """The demo stops with the response if a label was rejected."""
    receiver.fewer = 1
    await labels.add("a", np.full(8, 5.0))

    with pytest.raises(DemoError, match=r'/labels did not accept 8 labels: 202 \{"accepted": 7\}'):
        await labels.flush()
