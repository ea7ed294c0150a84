"""The detector's state as bytes: the layout, and bytes that are refused."""

import math
import struct

import numpy as np
import pytest

from driftgauge.drift.detector.detector_state import ARRAYS, DetectorState, pack, unpack
from driftgauge.drift.detector.feature_detector import feature_detector
from tests.support.detectors import BUDGET

STATE = DetectorState(
    key="3/ab12/0.05",
    number=7,
    rows=5,
    time=1.5,
    began=0.5,
    requests=4,
    log_evidence=np.array([[0.5, -math.inf, 2.0], [3.0, 4.0, 5.0]]),
    since=np.array([math.nan, 9.0]),
    risen_at=np.array([6, 2**40]),
    leader=np.array([0, 2]),
    alarm_factor=np.array([1.0, 2.5]),
    half_gain=np.array([0.0, 0.1]),
    recovery=np.array([[0.0, 0.0, 0.0, 0.0], [0.1, 0.2, -0.3, -math.inf]]),
    raised=np.array([[0.0, 1.0], [1.0, 0.0]]),
    bounded_since=np.array([math.nan, 1.25]),
    alike_since=np.array([1.5, math.nan]),
    correlation=np.arange(14.0).reshape(7, 2),
    spans=np.arange(176, dtype=np.float32).reshape(11, 16, 1),
    rhythm=np.arange(6, dtype=np.float32).reshape(2, 3),
    ledger={"0123456789abcdef": 7},
)
SHAPES = "[[2,3],[2],[2],[2],[2],[2],[2,4],[2,2],[2],[2],[7,2],[11,16,1],[2,3]]"
HEAD = (
    '{"key":"3/ab12/0.05","number":7,"rows":5,"time":1.5,"began":0.5,"requests":4,'
    '"ledger":{"0123456789abcdef":7},"shapes":' + SHAPES + "}\n"
).encode()
BODY = b"".join(
    [
        struct.pack("<6f2d", 0.5, -math.inf, 2.0, 3.0, 4.0, 5.0, math.nan, 9.0),
        struct.pack("<4q", 6, 2**40, 0, 2),
        struct.pack("<4d", 1.0, 2.5, 0.0, 0.1),
        struct.pack("<8d", 0.0, 0.0, 0.0, 0.0, 0.1, 0.2, -0.3, -math.inf),
        struct.pack("<8d", 0.0, 1.0, 1.0, 0.0, math.nan, 1.25, 1.5, math.nan),
        struct.pack("<14f176f6f", *range(14), *range(176), *range(6)),
    ]
)


def test_layout() -> None:
    """The bytes are one line of JSON, then the arrays in order, little-endian."""
    assert HEAD + BODY == pack(STATE)


def test_unpacked_arrays_are_writable() -> None:
    """They are not views of the bytes."""
    state = unpack(pack(STATE))

    assert state is not None
    assert all(getattr(state, name).flags.writeable for name in ARRAYS)


def test_types_of_unpacked_arrays() -> None:
    """Numbers of rows and bets are integers, sums of spans and rhythm have single precision, all else is float64."""
    state = unpack(pack(STATE))

    assert state is not None
    others = {"risen_at": np.int64, "leader": np.int64, "spans": np.float32, "rhythm": np.float32}
    assert others == {name: getattr(state, name).dtype for name in others}
    rest = [getattr(state, name).dtype for name in ARRAYS if name not in others]
    assert [np.dtype(np.float64)] * 9 == rest


@pytest.mark.parametrize(
    "blob",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(HEAD, id="no arrays"),
        pytest.param(HEAD + BODY[:-8], id="a value short"),
        pytest.param(HEAD + BODY[:-1], id="a byte short"),
        pytest.param(HEAD + BODY + bytes(8), id="a value long"),
        pytest.param(b"[]\n" + BODY, id="no object"),
        pytest.param(b"{}\n" + BODY, id="no facts"),
        pytest.param(b"not json\n" + BODY, id="no json"),
        pytest.param(HEAD.replace(SHAPES.encode(), b"[[2]]") + BODY, id="one shape"),
        pytest.param(HEAD.replace(SHAPES.encode(), b"null") + BODY, id="no shapes"),
        pytest.param(HEAD.replace(b"[2,3],", b"null,") + BODY, id="no shape"),
        pytest.param(HEAD.replace(b"[2,3],", b"[-2,-3],") + BODY, id="negative sizes"),
        pytest.param(HEAD.replace(b"[2,3],", b"[4294967296,4294967296],") + BODY, id="an overflow"),
        pytest.param(HEAD.replace(b'"began":0.5,', b"") + BODY, id="an earlier version"),
        pytest.param(HEAD.replace(b'"number":7', b'"number":null') + BODY, id="no number"),
        pytest.param(HEAD.replace(b'"rows":5', b'"rows":1e999') + BODY, id="infinite rows"),
        pytest.param(HEAD.replace(b'"rows":5', b'"rows":-5') + BODY, id="negative rows"),
        pytest.param(HEAD.replace(b'"number":7', b'"number":9007199254740993') + BODY, id="rows beyond all streams"),
        pytest.param(HEAD.replace(b'"rows":5', b'"rows":"5"') + BODY, id="rows as text"),
        pytest.param(HEAD.replace(b'"time":1.5', b'"time":null') + BODY, id="no time"),
        pytest.param(HEAD.replace(b'cdef":7}', b'cdef":-7}') + BODY, id="a negative count"),
        pytest.param(HEAD.replace(b'{"0123456789abcdef":7}', b"[7]") + BODY, id="a ledger without writers"),
    ],
)
def test_other_bytes_are_no_state(blob: bytes) -> None:
    """Bytes with another layout, or cut short, give no state."""
    assert unpack(blob) is None


def test_a_state_of_an_earlier_build_has_an_empty_ledger() -> None:
    """Its evidence is worth keeping."""
    state = unpack(HEAD.replace(b'"ledger":{"0123456789abcdef":7},', b"") + BODY)

    assert state is not None
    assert ({}, 7) == (state.ledger, state.number)


def test_no_features() -> None:
    """A state without features is packed and unpacked too."""
    state = feature_detector([], BUDGET, 1, "").start()
    actual = unpack(pack(state))

    assert actual is not None
    assert (0, 0) == actual.log_evidence.shape
