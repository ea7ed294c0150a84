"""A replica that has seen no response of a model evaluates its predictions by the columns that another one shares."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftgauge.drift.profile import FeatureKind
from driftgauge.features.output_columns import OutputColumns, OutputLayout
from driftgauge.inference.payload import Kind
from driftgauge.monitoring.baseline import Baselines
from driftgauge.monitoring.shared_columns import SharedColumns, pack_columns, unpack_columns
from driftgauge.reference.dataset import schema_hash
from driftgauge.storage.memory import MemoryRing, MemoryStates
from driftgauge.storage.ring import Block, StreamKey, id_digests
from tests.support.models import IRIS, WINE

RESPONSES = StreamKey(WINE, Kind.RESPONSE)
LAYOUT = OutputLayout(("quality", "price"), (FeatureKind.CATEGORICAL, FeatureKind.NUMERIC), {1.0: "good"})


def seen(layout: OutputLayout = LAYOUT) -> OutputColumns:
    """The columns of a replica that has seen responses."""
    columns = OutputColumns()
    columns.record(WINE, layout)
    return columns


async def test_a_baseline_is_taken_by_who_has_seen_no_response() -> None:
    """Without columns there is none; when another replica has shared them, it has their names, kinds and texts."""
    ring, states = MemoryRing(100), MemoryStates()
    rows = np.array([[1.0, 2.5]] * 30)
    ids = id_digests(map(str, range(30)))
    block = Block(schema_hash(LAYOUT.columns, LAYOUT.kinds), rows, np.ones(30, dtype=np.int64), np.arange(30.0), ids)
    await ring.append(RESPONSES, block)
    holder = Baselines(ring, states, OutputColumns(), 20)
    other = Baselines(ring, states, seen(), 20)

    assert await holder.get(RESPONSES, "", 1.0, "term") is None
    await other.share_columns(RESPONSES, 2.0)
    baseline = await holder.get(RESPONSES, "", 3.0, "term")
    assert baseline is not None
    assert (LAYOUT.columns, LAYOUT.kinds, 20) == (baseline.columns, baseline.kinds, len(baseline.rows))
    assert {1.0: "good"} == baseline.categories


async def test_new_columns_become_known_within_a_minute() -> None:
    """A new version of the model has other columns: they are shared at once, and loaded after a minute."""
    states = MemoryStates()
    blind = SharedColumns(states, OutputColumns())
    await SharedColumns(states, seen()).share(RESPONSES, 0.0)
    first = await blind.find(RESPONSES, 1.0)
    newer = OutputLayout(("grade",), (FeatureKind.NUMERIC,), {})
    await SharedColumns(states, seen(newer)).share(RESPONSES, 2.0)

    assert first is not None
    assert LAYOUT.columns == first.columns
    for now, columns in ((30.0, LAYOUT.columns), (62.0, newer.columns)):
        found = await blind.find(RESPONSES, now)
        assert found is not None
        assert columns == found.columns


async def test_columns_of_forgotten_models_are_forgotten() -> None:
    """Those that are in the store can be loaded again."""
    states = MemoryStates()
    sharing, blind = SharedColumns(states, seen()), SharedColumns(states, OutputColumns())
    await sharing.share(RESPONSES, 0.0)
    assert await blind.find(RESPONSES, 0.0) is not None
    await states.delete(RESPONSES, "columns")
    for one in (sharing, blind):
        one.retain({IRIS})

    assert await blind.find(RESPONSES, 1.0) is None
    await sharing.share(RESPONSES, 1.0)
    assert await blind.find(RESPONSES, 1.0) is not None


@given(
    st.lists(st.tuples(st.text(max_size=8), st.sampled_from(FeatureKind)), min_size=1, max_size=5),
    st.dictionaries(st.floats(allow_nan=False, allow_infinity=False), st.text(max_size=5), max_size=4),
)
def test_columns_are_read_as_they_were_saved(columns: list[tuple[str, FeatureKind]], texts: dict[float, str]) -> None:
    """Any names, kinds and texts."""
    layout = OutputLayout(tuple(name for name, _ in columns), tuple(kind for _, kind in columns), texts)
    found = unpack_columns(pack_columns(layout))

    assert found is not None
    assert (layout.columns, layout.kinds, layout.categories) == (found.columns, found.kinds, found.categories)


@pytest.mark.parametrize(
    "blob",
    [
        b"",
        b"{}",
        b"[[],[],[]]",
        b'[["a"],["b"],[]]',
        b'[["a"],[],[]]',
        b"[1,2]",
        b"[" * 9999,
        b'[["a"],["numeric"],[[1%b,"b"]]]' % (b"0" * 400),
    ],
)
def test_other_bytes_are_no_columns(blob: bytes) -> None:
    """Bytes of another program raise nothing."""
    assert unpack_columns(blob) is None
