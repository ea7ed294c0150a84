"""Laws of bodies of labels, for generated ones."""

import csv
import io
import json
import math
from collections.abc import Mapping
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from driftgauge.protocol.category import text_of
from driftgauge.protocol.label_bodies import read_labels
from driftgauge.protocol.label_collector import LabelCollector
from driftgauge.protocol.label_values import MAX_MAGNITUDE, Label

TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\x00\r\n"), min_size=1, max_size=20)
VISIBLE = TEXTS.filter(lambda text: bool(text.strip()))
IDS = VISIBLE.map(str.strip)
NUMBERS = st.one_of(st.integers(-(2**60), 2**60), st.floats(allow_nan=False, allow_infinity=False))
VALUES = st.one_of(NUMBERS, st.booleans(), VISIBLE)
ITEMS = st.fixed_dictionaries(
    {"id": IDS, "label": VALUES},
    optional={"row": st.integers(0, 1000), "output": IDS, "time": st.floats(0, 1e10)},
)
BROKEN: st.SearchStrategy[Any] = st.sampled_from(
    [
        *(None, 3, [], {}, {"id": "1"}, {"label": 1}, {"id": "", "label": 1}, {"id": "1", "label": []}),
        *({"id": "1", "label": 2, "row": -1}, {"id": "1", "label": 2, "time": "noon"}, {"id": "1", "label": math.nan}),
        *({"id": "1", "labels": 5}, {"id": "1", "label": 1, "labels": [1]}, {"id": "1", "outputs": [1]}),
    ]
)


def labels_of(body: bytes, media_type: str) -> LabelCollector:
    """What is read of a body."""
    into = LabelCollector()
    read_labels(body, media_type, into)
    return into


def expected(item: Mapping[str, Any]) -> Label:
    """The label of an item, by the rules of the documentation."""
    value = item["label"]
    number = None
    if isinstance(value, str):
        number = labels_of(json.dumps({"id": "1", "label": value}).encode(), "application/json").labels[0].number
    elif abs(float(value)) <= MAX_MAGNITUDE:
        number = float(value)
    text = text_of(value)
    assert text is not None
    return Label(item["id"], item.get("row", 0), item.get("output"), number, text, item.get("time"))


@given(st.lists(ITEMS, max_size=8))
def test_json_of_every_form_has_the_same_labels(items: list[dict[str, Any]]) -> None:
    """A list, and a line each, give the labels of the items in their order."""
    lines = b"\n".join(json.dumps(item).encode() for item in items)
    wanted = list(map(expected, items))
    assert wanted == labels_of(json.dumps(items).encode(), "application/json").labels
    assert wanted == labels_of(lines, "application/x-ndjson").labels


@given(st.lists(ITEMS, max_size=8))
def test_csv_has_the_same_labels_as_json(items: list[dict[str, Any]]) -> None:
    """CSV gives the same ids, rows, outputs, times and category texts, and the same numbers where they are numbers."""
    written = io.StringIO()
    lines = csv.DictWriter(written, ("id", "label", "row", "output", "time"), restval="")
    lines.writeheader()
    lines.writerows([item | {"label": text_of(item["label"])} for item in items])
    read = labels_of(written.getvalue().encode(), "text/csv")
    assert 0 == read.malformed
    assert list(map(expected, items)) == read.labels


@given(st.lists(st.one_of(ITEMS.map(lambda item: (True, item)), BROKEN.map(lambda item: (False, item))), max_size=12))
def test_a_malformed_item_costs_nothing_else(items: list[tuple[bool, Any]]) -> None:
    """Each malformed item is counted once, and the labels are those of the body without it."""
    body = json.dumps([item for _, item in items]).encode()
    read = labels_of(body, "application/json")
    assert [expected(item) for good, item in items if good] == read.labels
    assert sum(not good for good, _ in items) == read.malformed
    assert min(read.malformed, 5) == len(read.sentences)


@given(IDS, st.lists(st.one_of(st.none(), NUMBERS), max_size=10), IDS)
def test_three_ways_to_label_a_batch(inference: str, values: list[float | None], output: str) -> None:
    """A list of labels, a label for each row, and a tensor of V2 give the same numbers for the same rows."""
    rows = [{"id": inference, "label": value, "row": row} for row, value in enumerate(values)]
    listed = labels_of(json.dumps({"id": inference, "labels": values}).encode(), "application/json").labels
    assert labels_of(json.dumps(rows).encode(), "application/json").labels == listed
    tensor = {"name": output, "datatype": "FP64", "shape": [len(values)], "data": values}
    body = json.dumps({"id": inference, "outputs": [tensor]}).encode()
    if values:
        tensors = labels_of(body, "application/json").labels
        assert [(one.row, one.number) for one in listed] == [(one.row, one.number) for one in tensors]
        assert all(one.output == output for one in tensors)
