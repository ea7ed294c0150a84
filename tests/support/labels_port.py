"""A labels port over stores in memory."""

from collections.abc import Callable, Collection, Mapping
from typing import Any

from aiohttp import ClientSession

from driftgauge.inference.known_models import KnownModels
from driftgauge.labels.label_models import LabelModels
from driftgauge.labels.label_server import LabelServer
from driftgauge.server.tls import Tls
from tests.support.labelled import Labelled
from tests.support.models import WINE

CSV = "text/csv"
MAX_BODY_BYTES = 100_000


class LabelsPort:
    """The server, its matcher and its stores.

    Args:
        labelled: The matcher and its stores.
        authorize: Returns whether the value of an `Authorization` header has a valid token.
        tls: TLS of the port.
        max_body_bytes: Longest body.
        namespaces: Namespaces of which a reply may name models; `None` for all.
    """

    def __init__(
        self,
        labelled: Labelled | None = None,
        authorize: Callable[[str | None], bool] | None = None,
        tls: Tls | None = None,
        max_body_bytes: int = MAX_BODY_BYTES,
        namespaces: Collection[str] | None = None,
    ) -> None:
        self.labelled = labelled or Labelled()
        own = self.labelled
        self.models = LabelModels(
            KnownModels(0, [WINE]), own.ring, own.clock, are_missing=lambda: own.matcher.early > 0
        )
        own.candidates = self.models.candidates
        self.server = LabelServer(self.labelled.matcher, self.models, max_body_bytes, authorize, namespaces)
        self._tls = tls
        self.url = ""

    async def open(self) -> None:
        """Listen on a port that the system chooses."""
        scheme = "http" if self._tls is None else "https"
        number = await self.server.start("127.0.0.1", 0, self._tls)
        self.url = f"{scheme}://127.0.0.1:{number}/labels?namespace={WINE.namespace}"
        self.url += f"&inference_service={WINE.inference_service}"

    async def close(self) -> None:
        """Stop listening."""
        await self.server.close()

    async def post(
        self, client: ClientSession, body: bytes, content_type: str = CSV, headers: Mapping[str, str] | None = None
    ) -> tuple[int, dict[str, Any]]:
        """Post a body of labels of wine; returns status code and reply."""
        given = {"Content-Type": content_type, **(headers or {})}
        async with client.post(self.url, data=body, headers=given) as response:
            return response.status, await response.json()
