"""What a body is, is seen from its bytes."""

import base64
import gzip
from collections.abc import Callable
from typing import Any

import numpy as np
import orjson
import pytest

from driftgauge.errors import PayloadError, Reason
from driftgauge.inference.payload import Kind
from driftgauge.protocol.decode import decode
from driftgauge.protocol.limits import MAX_NAMES, MAX_PARSED_BYTES, Limits
from tests.support.payloads import Sent, as_json, gzipped, read, refusal, structured_event, tables, v2

V1_BODY = b'{"instances": [[1, 2]]}'
V1_TABLE = {"": [[1.0, 2.0]]}


@pytest.mark.parametrize("body", [b"", b" \r\n", gzipped(b"")])
def test_empty(body: bytes) -> None:
    """A body of nothing or of white space is empty, also when compressed."""
    assert Reason.EMPTY == refusal(lambda: read(body))[0]


@pytest.mark.parametrize("body", [b"null", b"[1]", b'"x"', b"1", b"\x00\x00\x00\x00\x05hello", b"{", b"a=1"])
def test_no_message(body: bytes) -> None:
    """A body that is no JSON object is malformed, a gRPC frame for one."""
    assert Reason.MALFORMED == refusal(lambda: read(body))[0]


def test_too_large() -> None:
    """A body beyond the limit is refused before it is parsed."""
    reason, sentence = refusal(lambda: decode(b"{" * 11, Kind.REQUEST, json_length=None, limits=Limits(10)))

    assert (Reason.TOO_LARGE, "The body is larger than 10 bytes when unpacked.") == (reason, sentence)


def test_gzip() -> None:
    """A gzip body is unpacked without being announced, for V1 and for V2 binary alike."""
    body, json_length = v2([Sent("x", "FP32", np.ones(2), binary=True)])

    assert V1_TABLE == tables(read(gzipped(V1_BODY)))
    assert {"x": [1.0, 1.0]} == tables(read(gzipped(body), json_length=json_length))
    assert {"x": [1.0, 1.0]} == tables(read(gzipped(body)))


def test_kind_chooses_the_member() -> None:
    """Of a body that holds both halves, a request's inputs and a response's outputs are read."""
    body = as_json({"instances": [1], "predictions": [2]})

    assert {"": [1.0]} == tables(read(body, Kind.REQUEST))
    assert {"": [2.0]} == tables(read(body, Kind.RESPONSE))


def test_json_length_of_all() -> None:
    """A JSON length that is the whole body is right for a message without binary tensors."""
    assert V1_TABLE == tables(read(V1_BODY, json_length=len(V1_BODY)))


@pytest.mark.parametrize("json_length", [-1, 0, 5, len(V1_BODY) + 1])
def test_wrong_json_length(json_length: int) -> None:
    """A JSON length that cuts the JSON part or exceeds the body is malformed."""
    assert Reason.MALFORMED == refusal(lambda: read(V1_BODY, json_length=json_length))[0]


def test_bytes_after_v1() -> None:
    """V1 has no bytes after its JSON part."""
    body = V1_BODY + b"\x00"

    assert Reason.MALFORMED == refusal(lambda: read(body))[0]
    assert Reason.MALFORMED == refusal(lambda: read(body, json_length=len(V1_BODY)))[0]


def test_white_space_before_the_tensors() -> None:
    """White space may stand around the JSON part, as a serializer writes it."""
    text, chunk = v2([Sent("x", "FP32", np.ones(2), binary=True)])[0].split(b"}]}")

    assert {"x": [1.0, 1.0]} == tables(read(b" \n" + text + b"}]}\r\n " + chunk))


def test_tensors_that_look_like_json() -> None:
    """Bytes of tensors that are themselves JSON are not taken for a part of the message."""
    body, _ = v2([Sent("x", "UINT8", np.frombuffer(b'}]}{"a":1}', dtype="u1"), binary=True)])

    assert {"x": list(b'}]}{"a":1}')} == tables(read(body))


def test_tensors_that_look_blank() -> None:
    """Bytes of tensors that are all white space to JSON are still tensors."""
    body, _ = v2([Sent("x", "UINT8", np.array([32, 10]), binary=True)])

    assert {"x": [32, 10]} == tables(read(body))


@pytest.mark.parametrize(
    "changes",
    [
        {"data": {"instances": [[1, 2]]}},
        {"data": '{"instances": [[1, 2]]}'},
        {"data": ..., "data_base64": base64.b64encode(V1_BODY).decode()},
        {"data": None, "data_base64": base64.b64encode(gzipped(V1_BODY)).decode()},
    ],
    ids=["object", "text", "base64", "base64 of gzip"],
)
def test_cloudevent_as_input(changes: dict[str, Any]) -> None:
    """A CloudEvent in structured mode is a valid input of KServe's servers: its data are decoded."""
    assert V1_TABLE == tables(read(as_json(structured_event(**changes))))


def test_cloudevent_of_v2() -> None:
    """The data of an event may be V2, in JSON as in bytes."""
    body, _ = v2([Sent("x", "FP32", np.ones(2), binary=True)])
    event = structured_event(data=..., data_base64=base64.b64encode(body).decode())

    assert {"x": [1.0, 1.0]} == tables(read(as_json(event)))


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"data": ...}, Reason.MALFORMED),
        ({"data": [1]}, Reason.MALFORMED),
        ({"data": "text"}, Reason.MALFORMED),
        ({"data": ""}, Reason.EMPTY),
        ({"data_base64": "@"}, Reason.MALFORMED),
        ({"data_base64": "é"}, Reason.MALFORMED),
        ({"data_base64": 1}, Reason.MALFORMED),
        ({"data": {"specversion": "1.0", "data": {}}}, Reason.UNSUPPORTED),
    ],
)
def test_cloudevent_without_a_message(changes: dict[str, Any], reason: Reason) -> None:
    """An event whose data are no message, or another event, is refused."""
    assert reason == refusal(lambda: read(as_json(structured_event(**changes))))[0]


@pytest.mark.parametrize("wrap", [bytes, gzip.compress])
@pytest.mark.parametrize("item", [b"[]", b"{}", b'["a"]', b'{"a":1}', b"[[]]", b'"a"', b'null,"a"', b'"a:b,c"'])
def test_a_body_whose_values_take_much_memory_is_refused_before_it_is_parsed(
    item: bytes, wrap: Callable[[bytes], bytes]
) -> None:
    """Whatever its lists and objects hold, and compressed or not."""
    body = b'{"instances":[' + b",".join([item] * (MAX_PARSED_BYTES // 50)) + b"]}"

    with pytest.raises(PayloadError, match="of memory, more than 40") as caught:
        decode(wrap(body), Kind.REQUEST, json_length=None, limits=Limits(2**24))

    assert Reason.TOO_COMPLEX is caught.value.reason


def test_rows_of_numbers_are_decoded_however_many_they_are() -> None:
    """They are parsed in slices, so their number holds nothing up."""
    rows = MAX_PARSED_BYTES // 50
    body = b'{"instances":[' + b",".join([b"[1.5]"] * rows) + b"]}"

    decoded = decode(body, Kind.REQUEST, json_length=None, limits=Limits(2**24))

    assert [rows] == [tensor.rows for tensor in decoded.tensors]


@pytest.mark.parametrize(
    "message",
    [
        {"instances": [["red", "Bordeaux", 7.5, 1978]] * 100_000},
        {"instances": [{"alcohol": 9.5, "residual_sugar": 2.25, "volatile_acidity": 0.735, "pH": 3.1}] * 45_000},
        {"inputs": [{"name": "x", "datatype": "BYTES", "shape": [400_000], "data": ["wine"] * 400_000}]},
    ],
    ids=["rows of texts", "rows by name", "a V2 tensor of texts"],
)
def test_bodies_of_3_mb_and_more_as_people_send_them_are_decoded(message: dict[str, Any]) -> None:
    """The limit is for bodies of many tiny values."""
    body = orjson.dumps(message)
    assert len(body) > 2.5e6

    assert decode(body, Kind.REQUEST, json_length=None, limits=Limits(2**22)).tensors


def _named(names: int) -> dict[str, object]:
    return {f"f{index}": 1 for index in range(names)}


@pytest.mark.parametrize(
    ("kind", "form"),
    [
        (Kind.REQUEST, lambda names: {"instances": [_named(names)]}),
        (Kind.REQUEST, lambda names: {"instances": [{name: 1} for name in _named(names)]}),
        (Kind.REQUEST, lambda names: {"inputs": _named(names)}),
        (Kind.RESPONSE, lambda names: {"predictions": [_named(names)]}),
        (Kind.RESPONSE, lambda names: {"outputs": _named(names)}),
        (
            Kind.REQUEST,
            lambda names: {
                "inputs": [{"name": n, "datatype": "INT8", "shape": [1], "data": [1]} for n in _named(names)]
            },
        ),
    ],
    ids=["V1 row", "V1 rows", "V1 columns", "V1 prediction", "V1 outputs", "V2"],
)
def test_a_body_of_too_many_names_is_refused(kind: Kind, form: Callable[[int], dict[str, Any]]) -> None:
    """Each name becomes an array of its own, wherever the protocol has names."""
    limits = Limits(2**23, names=20)

    assert 20 == len(decode(as_json(form(20)), kind, json_length=None, limits=limits).tensors)
    with pytest.raises(PayloadError, match="21 tensors or columns, more than 20") as caught:
        decode(as_json(form(21)), kind, json_length=None, limits=limits)

    assert Reason.TOO_COMPLEX is caught.value.reason
    assert MAX_NAMES >= 10_000, "a wide model has thousands of features"
