"""The newest results of each model, for the other replicas. A protocol; its adapter is `RedisResults`."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from driftgauge.inference.payload import Kind, ModelKey
from driftgauge.storage.ring import StreamKey


class ResultStore(Protocol):
    """Keeps one notice for each model, and one report for each of its streams. All methods raise only `StorageError`.

    A process that shares no store needs none. The notice is short and is read with the lease; it identifies the
    reports, which are read only if they are new.
    """

    @property
    def is_divided(self) -> bool:
        """Whether the results of models are in several places, of which some may be away while others reply."""

    async def group(self, models: Sequence[ModelKey]) -> list[list[ModelKey]]:
        """The models whose results are in one place, for each place: they can be read, or cannot, together."""

    async def publish(self, model: ModelKey, token: str, notice: bytes, reports: Mapping[Kind, bytes]) -> bool:
        """Replace the notice of a model and reports of its streams, all at once.

        Args:
            model: The model.
            token: The token of the term of its lease.
            notice: The notice.
            reports: The newest reports; a stream without one keeps that of before.

        Returns:
            Whether it was published; if not, the term has ended, and nothing was changed.
        """

    async def read(self, streams: Sequence[StreamKey]) -> list[bytes | None]:
        """Read reports, in order; `None` where there is none."""
