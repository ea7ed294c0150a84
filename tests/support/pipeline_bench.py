"""A pipeline with what stands around it, and payloads for it."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager

from driftgauge.drift.profile import FeatureKind
from driftgauge.features.output_columns import OutputColumns
from driftgauge.inference.payload import Kind, ModelKey, Payload
from driftgauge.ingest.pipeline import Pipeline, PipelineSettings
from driftgauge.metrics.registry import Metrics
from driftgauge.reference.dataset import schema_hash
from driftgauge.reference.store import ReferenceStore
from driftgauge.storage.ring import RingBuffer, StreamKey, Window
from tests.support.models import WINE, labels
from tests.support.waiting import until

COLUMNS = {"alcohol": FeatureKind.NUMERIC, "ph": FeatureKind.NUMERIC}
REFERENCE = "alcohol,ph\n9.5,3.1\n10.5,3.3\n"
SETTINGS = PipelineSettings(
    queue_payloads=4,
    queue_bytes=1_000,
    queue_seconds=30,
    max_payload_bytes=500,
    window_rows=2_000,
    flush_interval_seconds=0.001,
    sample_ratio=1.0,
    max_rows_per_second=12_000,
    sample_memory_seconds=604_800,
)


def request(body: bytes, model: ModelKey = WINE, *, status: int | None = 200) -> Payload:
    """A request payload of a model."""
    return Payload(Kind.REQUEST, "id-1", model, body, json_length=None, status=status, time=5.0)


def response(body: bytes, model: ModelKey = WINE) -> Payload:
    """A response payload of a model."""
    return Payload(Kind.RESPONSE, "id-1", model, body, json_length=None, status=200, time=6.0)


class Bench:
    """A pipeline with what stands around it.

    Args:
        ring: Where rows go.
        references: The columns of each model.
        settings: The pipeline's bounds.
    """

    def __init__(self, ring: RingBuffer, references: ReferenceStore, settings: PipelineSettings) -> None:
        self.ring = ring
        self.now = 0.0
        self.metrics = Metrics("200")
        self.outputs = OutputColumns()
        self.pipeline = Pipeline(settings, ring, references, self.metrics, self.outputs, lambda: self.now)

    async def run_through(self, payload: Payload) -> None:
        """Offer one payload, and run the pipeline until it has ended."""
        task = asyncio.create_task(self.pipeline.run())
        before = sum(self.ends().values())
        self.pipeline.offer(payload)
        await until(lambda: sum(self.ends().values()) > before)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    async def take(self, *payloads: Payload) -> None:
        """Offer payloads, and run the pipeline until all of them have ended."""
        for payload in payloads:
            self.pipeline.offer(payload)
        self.pipeline.stop()
        await self.pipeline.run()

    async def window(
        self, model: ModelKey = WINE, kind: Kind = Kind.REQUEST, columns: Mapping[str, FeatureKind] = COLUMNS
    ) -> Window:
        """What the ring holds of a model."""
        schema = schema_hash(tuple(columns), tuple(columns.values()))
        return await self.ring.read(StreamKey(model, kind), schema, len(columns))

    def ends(self, model: ModelKey = WINE) -> dict[tuple[str, str, str], int]:
        """How many payloads of a model ended how: (kind, outcome, reason) -> number, zeros left out."""
        return {
            (sample.labels["kind"], sample.labels["outcome"], sample.labels["reason"]): int(sample.value)
            for family in self.metrics.registry.collect()
            for sample in family.samples
            if sample.name == "driftgauge_payloads_total"
            and sample.value
            and labels(model).items() <= sample.labels.items()
        }

    def value(self, name: str, **more: str) -> float | None:
        """One sample of the model `WINE`."""
        return self.metrics.registry.get_sample_value(name, labels(WINE, **more))


Build = Callable[..., Bench]


@asynccontextmanager
async def at_work(bench: Bench) -> AsyncIterator[None]:
    """Run the pipeline during the block."""
    task = asyncio.create_task(bench.pipeline.run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
