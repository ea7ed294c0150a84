"""The id of a V2 response is handed on by each way of decoding; it decides nothing else."""

import json
import struct
from typing import Any

import numpy as np
import pytest

from driftgauge.inference.payload import Kind
from driftgauge.protocol.batch import decode_batch
from driftgauge.protocol.chunked_json import decode_in_slices
from driftgauge.protocol.decode import decode
from driftgauge.protocol.limits import Limits
from driftgauge.protocol.tensor import Decoded
from driftgauge.protocol.v2 import response_id

LIMITS = Limits(2**20)
ABSENT = object()


def body(id_: object = ABSENT, member: str = "outputs", values: int = 3) -> dict[str, Any]:
    """A message of one tensor, with this `id`."""
    numbers = [float(number) for number in range(values)]
    tensor = {"name": "y", "datatype": "FP64", "shape": [values], "data": numbers}
    return ({} if id_ is ABSENT else {"id": id_}) | {"model_name": "m", member: [tensor]}


def decoded(message: dict[str, Any], kind: Kind = Kind.RESPONSE) -> Decoded:
    """The message, decoded by itself."""
    return decode(json.dumps(message).encode(), kind, json_length=None, limits=LIMITS)


@pytest.mark.parametrize(
    ("id_", "expected"),
    [
        ("order-4711", "order-4711"),
        ("\u00fc" * 300, "\u00fc" * 256),
        ("", None),
        (ABSENT, None),
        (None, None),
        (4711, None),
        (True, None),
        (["order-4711"], None),
        ({"a": 1}, None),
    ],
)
def test_only_a_text_is_an_id(id_: object, expected: str | None) -> None:
    """In each way of decoding, and the tensors are the same whatever it is."""
    message, text = body(id_), json.dumps(body(id_)).encode()
    event = {"specversion": "1.0", "id": "other", "source": "s", "type": "t", "data": message}
    long = json.dumps(body(id_, values=20_000)).encode()
    sliced, batch = decode_in_slices(long, Kind.RESPONSE), decode_batch([text, text], Kind.RESPONSE, "0123")

    assert sliced is not None
    assert batch is not None
    assert expected == decoded(message).id == decoded(event).id == sliced.id
    assert ([] if expected is None else [expected] * 2) == list(batch.ids)
    assert np.array_equal(decoded(body()).tensors[0].data, decoded(message).tensors[0].data)


def test_binary_tensors_have_an_id_too() -> None:
    """It is in the JSON part."""
    tensor = {"name": "y", "datatype": "FP32", "shape": [1], "parameters": {"binary_data_size": 4}}
    text = json.dumps({"id": "a", "outputs": [tensor]}).encode()
    raw = text + struct.pack("<f", 1.5)

    assert decode(raw, Kind.RESPONSE, json_length=len(text), limits=LIMITS).id == "a"


def test_the_id_of_a_request_is_not_handed_on() -> None:
    """Labels are for responses."""
    text = json.dumps(body("a", "inputs")).encode()
    batch = decode_batch([text], Kind.REQUEST, "0123")

    assert decoded(body("a", "inputs"), Kind.REQUEST).id is None
    assert batch is not None
    assert not batch.ids
    assert response_id({"id": "a"}, Kind.REQUEST) is None


def test_messages_of_a_batch_keep_their_own_ids() -> None:
    """One without an id has none."""
    texts = [json.dumps(body(id_)).encode() for id_ in ("a", ABSENT, "c")]
    batch = decode_batch(texts, Kind.RESPONSE, "0123")

    assert batch is not None
    assert ["a", None, "c"] == list(batch.ids)
