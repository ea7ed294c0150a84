"""A pipeline with a reference."""

from pathlib import Path

import pytest

from driftgauge.ingest.pipeline import PipelineSettings
from driftgauge.reference.store import ReferenceStore
from driftgauge.storage.memory import MemoryRing
from driftgauge.storage.ring import RingBuffer
from tests.support.pipeline_bench import REFERENCE, SETTINGS, Bench, Build


@pytest.fixture
def build(tmp_path: Path) -> Build:
    """Makes a bench, with a reference of `WINE` only."""

    def make(
        ring: RingBuffer | None = None, settings: PipelineSettings = SETTINGS, reference: str = REFERENCE
    ) -> Bench:
        (tmp_path / "wine.csv").write_text(reference)
        references = ReferenceStore(None, tmp_path)
        references.refresh(0.0)
        return Bench(MemoryRing(2000) if ring is None else ring, references, settings)

    return make
