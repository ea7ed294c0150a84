"""The tasters' grades, which come later than the model's: each is posted some wines after the model graded its wine."""

import json
from collections import deque

import aiohttp
import numpy as np
from numpy.typing import NDArray

from examples.demo.errors import DemoError

LATE_ROWS = 200
"""Wines that are sent between a wine and its label."""

ACCEPTED = 202


class LateLabels:
    """Keeps labels of inferences until they are due, and posts them.

    Args:
        session: The HTTP client.
        url: Where labels are posted.
    """

    def __init__(self, session: aiohttp.ClientSession, url: str) -> None:
        self._session = session
        self._url = url
        self._waiting: deque[tuple[str, list[float]]] = deque()
        self._waiting_rows = 0
        self.posted = 0

    async def add(self, inference_id: str, labels: NDArray[np.float64]) -> None:
        """Keep the labels of an inference, and post those that are due: of `LATE_ROWS` wines before."""
        self._waiting.append((inference_id, labels.tolist()))
        self._waiting_rows += labels.size
        while self._waiting_rows > LATE_ROWS:
            await self._post_next()

    async def flush(self) -> None:
        """Post all labels that are left."""
        while self._waiting:
            await self._post_next()

    async def _post_next(self) -> None:
        """Post the labels of one inference, one for each of its rows; raises `DemoError` unless they are accepted."""
        inference_id, labels = self._waiting.popleft()
        self._waiting_rows -= len(labels)
        body = json.dumps({"id": inference_id, "labels": labels}).encode()
        headers = {"Content-Type": "application/json"}
        try:
            async with self._session.post(self._url, data=body, headers=headers) as response:
                text = await response.text()
        except (aiohttp.ClientError, TimeoutError) as error:
            raise DemoError(f"POST {self._url} got no response: {error!r}") from error
        if response.status != ACCEPTED or json.loads(text).get("accepted") != len(labels):
            raise DemoError(f"POST {self._url} did not accept {len(labels)} labels: {response.status} {text[:200]}")
        self.posted += len(labels)
