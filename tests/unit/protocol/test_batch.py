"""Messages that are read together give what each by itself gives, or nothing."""

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftgauge.errors import PayloadError
from driftgauge.inference.payload import Kind
from driftgauge.protocol.batch import DecodedBatch, decode_batch, parse_batch
from driftgauge.protocol.decode import decode
from driftgauge.protocol.limits import Limits
from driftgauge.protocol.tensor import Decoded

MARK = "0123456789abcdef"

NUMBERS = st.none() | st.booleans() | st.integers(-(2**60), 2**70) | st.floats(allow_nan=False, allow_infinity=False)
VALUES = NUMBERS | st.text(max_size=3)


def v1(rows: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Requests with some rows."""
    return st.fixed_dictionaries({"instances": st.lists(rows, max_size=3)})


def v2(data: st.SearchStrategy[Any], datatype: str) -> st.SearchStrategy[Any]:
    """Requests with one tensor, whose shape is right more often than not."""
    return st.lists(data, min_size=1, max_size=4).map(
        lambda values: {
            "id": "1",
            "inputs": [{"name": "x", "datatype": datatype, "shape": [len(values)], "data": values}],
        }
    )


ROWS = st.lists(NUMBERS, min_size=2, max_size=2)
MESSAGES = st.one_of(
    st.lists(v1(ROWS), min_size=1, max_size=4),
    st.lists(v1(st.lists(VALUES, min_size=1, max_size=2)), min_size=1, max_size=4),
    st.lists(v1(NUMBERS), min_size=1, max_size=4),
    st.lists(v1(st.fixed_dictionaries({"a": VALUES, "b": NUMBERS})), min_size=1, max_size=4),
    st.lists(v2(NUMBERS, "FP64"), min_size=1, max_size=4),
    st.lists(v2(VALUES, "BYTES"), min_size=1, max_size=4),
    st.lists(v2(NUMBERS, "INT64"), min_size=1, max_size=4),
    st.lists(v1(ROWS) | v2(NUMBERS, "FP64") | st.dictionaries(st.text(max_size=2), VALUES), min_size=1, max_size=4),
)


def alone(texts: list[bytes], kind: Kind) -> list[Decoded] | None:
    """Each by itself; `None` if any has a fault."""
    try:
        return [decode(text, kind, json_length=None, limits=Limits(2**20)) for text in texts]
    except PayloadError:
        return None


def parts_of(batch: DecodedBatch) -> list[list[tuple[str, object]]]:
    """The tensors of each message of a batch."""
    ends = np.cumsum(batch.counts)
    return [
        [(one.name, one.data[end - count : end].tolist()) for one in batch.decoded.tensors]
        for end, count in zip(ends, batch.counts, strict=True)
    ]


@given(MESSAGES)
def test_together_as_alone(messages: list[Any]) -> None:
    """Names, rows and values, whatever the messages hold."""
    texts = [json.dumps(message).encode() for message in messages]
    batch = decode_batch(texts, Kind.REQUEST, MARK)
    if batch is None:
        return
    found = alone(texts, Kind.REQUEST)
    assert found is not None
    expected = [[(one.name, one.data.tolist()) for one in decoded.tensors] for decoded in found]

    assert repr(expected) == repr(parts_of(batch))  # by their text: NaN is not equal to itself


def request(**changed: Any) -> dict[str, Any]:  # noqa: ANN401 - any member
    """A V2 request of two rows."""
    tensor = {"name": "x", "datatype": "FP64", "shape": [2, 2], "data": [1.5, 2, 3, 4], **changed}
    return {"inputs": [{name: value for name, value in tensor.items() if value is not ...}]}


GOOD = {
    "V1 rows": [{"instances": [[1, 2]]}, {"instances": [[3, None], [5, 6]]}],
    "V1 scalars": [{"instances": [1, 2]}, {"instances": [3]}],
    "V1 by name": [{"instances": [{"a": 1, "b": 2}]}, {"instances": [{"a": 3, "b": None}]}],
    "V1 text": [{"instances": [["a", 1]]}, {"instances": [["b", 2]]}],
    "V2 flat": [request(), request(shape=[1, 2], data=[5, 6])],
    "V2 nested": [request(data=[[1, 2], [3, 4]]), request(data=[[5, 6], [7, 8]])],
    "V2 text": [request(datatype="BYTES", data=["a", "b", "c", "d"]), request(datatype="BYTES", data=["e"] * 4)],
}


@pytest.mark.parametrize("messages", GOOD.values(), ids=GOOD)
def test_usual_messages_are_read_together(messages: list[Any]) -> None:
    """Or nothing would be gained."""
    texts = [json.dumps(message).encode() for message in messages]
    batch = decode_batch(texts, Kind.REQUEST, MARK)
    expected = alone(texts, Kind.REQUEST)

    assert batch is not None
    assert expected is not None
    assert [one.tensors[0].rows for one in expected] == batch.counts.tolist()


CHANGES: dict[str, dict[str, Any]] = {
    "without a name": {"name": ""},
    "name is no text": {"name": 1},
    "unknown datatype": {"datatype": "FP99"},
    "no shape": {"shape": ...},
    "shape is no list": {"shape": 2},
    "shape of no axis": {"shape": [], "data": [1]},
    "too many axes": {"shape": [1] * 65, "data": [1]},
    "no rows": {"shape": [0, 2], "data": []},
    "wrong size": {"shape": [3, 2]},
    "ragged": {"data": [[1, 2], [3]]},
    "deeper than its shape": {"data": [[[1], [2]], [[3], [4]]]},
    "data elsewhere": {"data": None},
    "a null among integers": {"datatype": "INT64", "data": [1, None, 3, 4]},
}
ODD = {
    "a fault in one": [b'{"instances":[[1]]}', b'{"instances":[[1]'],
    "no object": [b"[1]", b"[2]"],
    "no rows in one": [b'{"instances":[]}', b'{"instances":[[1]]}'],
    "other widths": [b'{"instances":[[1]]}', b'{"instances":[[1,2]]}'],
    "rows and scalars": [b'{"instances":[[1]]}', b'{"instances":[1]}'],
    "text in one": [b'{"instances":[["a"]]}', b'{"instances":[[1]]}'],
    "other names": [b'{"instances":[{"a":1}]}', b'{"instances":[{"b":1}]}'],
    "no names": [b'{"instances":[{}]}'],
    "text by name": [b'{"instances":[{"a":"x"}]}'],
    "empty rows": [b'{"instances":[[]]}'],
    "V1 and V2": [b'{"instances":[[1]]}', json.dumps(request()).encode()],
    "an event": [b'{"specversion":"1.0","inputs":[]}'],
    "no tensors": [b'{"inputs":[]}'],
    "a literal of Python": [b'{"instances":[[NaN]]}'],
    **{f"V2 {name}": [json.dumps(request(**change)).encode()] for name, change in CHANGES.items()},
    "V2 twice the same name": [json.dumps({"inputs": request()["inputs"] * 2}).encode()],
    "V2 other rows": [json.dumps({"inputs": [*request()["inputs"], *request(name="y", shape=[4])["inputs"]]}).encode()],
    "V2 other tensors": [json.dumps(request()).encode(), json.dumps(request(name="y")).encode()],
}


@pytest.mark.parametrize("texts", ODD.values(), ids=ODD)
def test_what_does_not_agree_is_left_to_be_read_alone(texts: list[bytes]) -> None:
    """Each then has its own end."""
    assert decode_batch(texts, Kind.REQUEST, MARK) is None


@given(st.lists(st.lists(st.sampled_from([*'[]{},:"1 ', f'"{MARK}"', f'"{MARK}",', "null"]), max_size=6), min_size=1))
def test_no_text_reaches_into_another(texts: list[list[str]]) -> None:
    """Texts that are no JSON by themselves never are together."""
    joined = ["".join(parts).encode() for parts in texts]
    found = parse_batch(joined, "fedcba9876543210")
    try:
        expected = [json.loads(text) for text in joined]
    except ValueError:
        expected = None

    assert found is None or expected == found


def test_a_text_that_spans_two_is_refused() -> None:
    """Neither half is JSON; only together they would be."""
    halves = [b'{"a":1},{"b":[{}', b'{"c":2}]}']

    assert parse_batch(halves, MARK) is None
