"""Which responses labels meet where V1 and V2 responses of one model name their columns differently."""

import numpy as np
import pytest

from driftgauge.drift.profile import FeatureKind
from driftgauge.features.outputs import extract_outputs
from driftgauge.inference.payload import Kind, ModelKey
from driftgauge.ingest.label_feed import layout_of_columns
from driftgauge.protocol.decode import decode_unpacked
from driftgauge.protocol.limits import Limits
from driftgauge.storage.labels import LabelOutcome, StoredLabel, WaitingResponse
from driftgauge.storage.memory import MemoryRing
from driftgauge.storage.memory_labels import MemoryLabels

MODEL = ModelKey("prod", "wine", "predictor", "wine")
V1 = b'{"predictions": [6]}'
ONE = b'{"outputs": [{"name": "quality", "datatype": "INT64", "shape": [1], "data": [6]}]}'
TWO = (
    b'{"outputs": [{"name": "quality", "datatype": "INT64", "shape": [1], "data": [6]},'
    b' {"name": "price", "datatype": "INT64", "shape": [1], "data": [9]}]}'
)
MET, UNKNOWN = LabelOutcome.MATCHED, LabelOutcome.UNKNOWN


@pytest.mark.parametrize(
    ("bodies", "outcomes"),
    [
        ([ONE, V1, ONE], [MET, MET, MET]),
        ([V1, ONE, V1], [UNKNOWN, MET, MET]),
        ([TWO, V1, TWO], [MET, UNKNOWN, MET]),
        ([TWO, V1, TWO, V1], [UNKNOWN, MET, UNKNOWN, MET]),
    ],
)
async def test_labels_meet_the_responses_that_are_named_as_the_newest(
    bodies: list[bytes], outcomes: list[LabelOutcome]
) -> None:
    """V1 takes the names of V2 if there are as many, as docs/labels.md says; the others are unknown to labels."""
    store = MemoryLabels(MemoryRing(100), clock=lambda: 10.0)
    known: dict[str, FeatureKind] = {}
    for number, body in enumerate(bodies):
        decoded = decode_unpacked(body, Kind.RESPONSE, json_length=None, limits=Limits(2**20), columns=frozenset())
        found = extract_outputs(decoded, known, frozenset())
        known = dict(zip(found.columns, found.kinds, strict=True))
        layout = layout_of_columns(found.columns, found.kinds)
        assert layout is not None
        await store.put(MODEL, layout, [WaitingResponse((number,), 1.0, np.asarray(found.values))])
    newest = await store.layout(MODEL)
    assert newest is not None
    matches = await store.match(MODEL, newest, [StoredLabel(number, 0, 0, 6.0) for number in range(len(bodies))])

    assert [match.outcome for match in matches] == outcomes
