"""Sends what is planned: events of inferences, as KServe's agent posts them, and bodies of labels."""

import asyncio
import json
import secrets
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Final

import numpy as np
from aiohttp import ClientSession, TCPConnector
from numpy.typing import NDArray

from benchmarks.labels.plan import Body, Integers, exchange, names

NAMESPACE, SERVICE = "cellar", "wine"

_SENDERS: Final = 8
_REFUSED_SECONDS: Final = 0.2
"""Pause after a 503, which says that the queue is full; a client of the network would wait for `Retry-After`."""

_EVENT: Final = {
    "Content-Type": "application/json",
    "Ce-Specversion": "1.0",
    "Ce-Source": "http://localhost:9081/",
    "Ce-Component": "predictor",
    "Ce-Inferenceservicename": SERVICE,
    "Ce-Namespace": NAMESPACE,
}


class LostRequestError(Exception):
    """A request was refused for a reason that this load does not expect."""


class Accepted:
    """What the replies to labels said.

    Attributes:
        labels: Labels that were accepted.
        malformed: Labels that could not be read.
        refused: Requests that were refused because the queue was full, and sent again.
    """

    def __init__(self) -> None:
        self.labels = self.malformed = self.refused = 0


async def post_inferences(
    ports: Sequence[int], inferences: Iterable[int], sizes: Integers, times: NDArray[np.float64]
) -> None:
    """Post both events of each inference; inferences go to the replicas by turns.

    Args:
        ports: Data ports of the replicas.
        inferences: Their numbers.
        sizes: Rows of each inference.
        times: When each response passed.
    """
    left = iter(inferences)

    async def send() -> None:
        """Post inferences until none is left."""
        for inference in left:
            url = f"http://127.0.0.1:{ports[inference % len(ports)]}/"
            passed = datetime.fromtimestamp(float(times[inference]), UTC).isoformat()
            for kind, body in zip(("request", "response"), exchange(inference, int(sizes[inference])), strict=True):
                head = {"Ce-Id": names(inference)[0], "Ce-Type": f"org.kubeflow.serving.inference.{kind}"}
                head |= {"Ce-Time": passed, "Ce-Recordedtime": passed}
                async with client.post(url, data=body, headers=_EVENT | head) as reply:
                    if reply.status != HTTPStatus.OK:
                        raise LostRequestError(f"an event was refused with {reply.status}")

    async with _client() as client:
        await asyncio.gather(*(send() for _ in range(_SENDERS)))


async def post_labels(ports: Sequence[int], bodies: Iterable[Body], accepted: Accepted) -> None:
    """Post bodies of labels, each to any of the replicas; one that is refused because the queue is full comes again.

    Args:
        ports: Labels ports of the replicas.
        bodies: The bodies.
        accepted: Adds up what the replies say.
    """
    left = iter(bodies)

    async def send() -> None:
        """Post bodies until none is left."""
        for body in left:
            while not await _post(client, secrets.choice(ports), body, accepted):
                accepted.refused += 1
                await asyncio.sleep(_REFUSED_SECONDS)

    async with _client() as client:
        await asyncio.gather(*(send() for _ in range(_SENDERS)))


async def _post(client: ClientSession, port: int, body: Body, accepted: Accepted) -> bool:
    """Post one body. Returns whether it was accepted."""
    url = f"http://127.0.0.1:{port}/labels?namespace={NAMESPACE}&inference_service={SERVICE}"
    async with client.post(url, data=body.data, headers={"Content-Type": body.media_type}) as reply:
        text = await reply.text()
        if reply.status == HTTPStatus.SERVICE_UNAVAILABLE:
            return False
        if reply.status != HTTPStatus.ACCEPTED:
            raise LostRequestError(f"labels were refused with {reply.status}: {text}")
    found = json.loads(text)
    accepted.labels += found["accepted"]
    accepted.malformed += found["rejected"]["malformed"]
    return True


def _client() -> ClientSession:
    return ClientSession(connector=TCPConnector(limit=0))
