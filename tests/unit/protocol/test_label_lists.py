"""Long JSON lists of labels: all that may be posted is read, in slices, and what is longer is refused."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from driftgauge.errors import PayloadError, Reason
from driftgauge.protocol.label_bodies import read_labels
from driftgauge.protocol.label_collector import MAX_LABELS, LabelCollector
from driftgauge.protocol.label_lists import parse_list


def four_members(number: int) -> dict[str, Any]:
    """A label with an id, a row, a time and a value."""
    return {"id": f"order-{number:012d}", "label": 6, "row": number % 5, "time": 1772366400.5}


def sagemaker(number: int) -> dict[str, Any]:
    """A record of SageMaker."""
    event = {"eventId": f"0c7b6ed4-6e9c-4ee5-8f0f-{number:012d}", "inferenceId": f"order-{number:012d}"}
    return {"groundTruthData": {"data": "1", "encoding": "CSV"}, "eventMetadata": event, "eventVersion": "0"}


def tensors(number: int) -> dict[str, Any]:
    """A V2 response of four outputs, with texts in which nothing can be cut."""
    one = {"datatype": "BYTES", "shape": [1], "data": ["x}, {y"]}
    return {"id": str(number), "outputs": [{"name": name, **one} for name in "abcd"]}


@pytest.mark.parametrize(("form", "labels"), [(four_members, 1), (sagemaker, 1), (tensors, 4)])
def test_as_many_labels_as_may_be(form: Any, labels: int) -> None:  # noqa: ANN401 - a function of any record
    """A list of 20,000 labels is read in each form; with one more it is refused by their number."""
    items = [form(number) for number in range(MAX_LABELS // labels)]
    pauses = 0

    def rest() -> None:
        nonlocal pauses
        pauses += 1

    assert items == parse_list(json.dumps(items).encode(), rest)
    assert pauses >= len(json.dumps(items)) // 65_536
    into = LabelCollector()
    read_labels(json.dumps(items).encode(), "application/json", into)
    assert (MAX_LABELS, 0) == (len(into.labels), into.malformed)
    with pytest.raises(PayloadError, match="more than 20000 labels") as caught:
        read_labels(json.dumps([*items, form(0)]).encode(), "application/json", LabelCollector())
    assert Reason.TOO_COMPLEX is caught.value.reason


@pytest.mark.parametrize(
    ("body", "part"),
    [
        (b"[" + b"{}," * 200_000 + b"{}]", "as long as 406002 values, 320000 at most"),
        (b"[" + b"[]," * 50_000 + b"{}]", "no valid JSON list of objects"),
        (b'{"labels": [' + b"1," * 70_000 + b"1]}", "no valid JSON list of objects"),
        (b"[" + b'{"id": 1, "label": 2},' * 30_000 + b"}]", "no valid JSON list of objects"),
    ],
)
def test_what_is_too_long(body: bytes, part: str) -> None:
    """A text of more values, or one that cannot be cut, is refused with a sentence."""
    with pytest.raises(PayloadError, match=part):
        parse_list(body, lambda: None)


_VALUES = st.recursive(
    st.none() | st.text('}{,[]"\\ x', max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("},{", max_size=3), inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=10)
@given(st.lists(st.dictionaries(st.text("}{,", max_size=3), _VALUES, max_size=3), min_size=1, max_size=5))
def test_slices_are_the_list(objects: list[dict[str, Any]]) -> None:
    """Whatever texts and nested objects a list has, its slices have its elements, each once and in order."""
    items = (objects + [{"id": 1, "label": None}] * 20) * 800
    text = json.dumps(items).encode()
    assert items == parse_list(text, lambda: None)
