"""Posts bodies of labels at a fixed rate, from a thread, while something else is measured."""

import http.client
import json
import threading
import time
from collections.abc import Sequence
from http import HTTPStatus
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

_TIMEOUT_SECONDS = 30.0


class Poster:
    """Begins to post with the `with` block, and has posted all bodies at its end.

    Each body is due at a fixed time, whether or not the last one was replied to in time; one that is refused because
    the queue is full is not sent again.

    Args:
        url: The labels port, with the query.
        bodies: CSV.
        rate: Bodies a second.

    Attributes:
        accepted: Labels that were accepted until now.
    """

    def __init__(self, url: str, bodies: Sequence[bytes], rate: float) -> None:
        self._url = urlsplit(url)
        self._bodies = bodies
        self._rate = rate
        self._thread = threading.Thread(target=self._post_all)
        self.accepted = 0

    def __enter__(self) -> Self:
        """Begin."""
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Wait for the last body."""
        self._thread.join()

    def wait(self) -> None:
        """Wait until all bodies are posted."""
        self._thread.join()

    def _post_all(self) -> None:
        connection = http.client.HTTPConnection(self._url.netloc, timeout=_TIMEOUT_SECONDS)
        started = time.monotonic()
        for number, body in enumerate(self._bodies):
            time.sleep(max(0.0, started + number / self._rate - time.monotonic()))
            connection.request("POST", f"{self._url.path}?{self._url.query}", body, {"Content-Type": "text/csv"})
            response = connection.getresponse()
            reply = json.loads(response.read())
            if response.status == HTTPStatus.ACCEPTED:
                self.accepted += reply["accepted"]
        connection.close()
