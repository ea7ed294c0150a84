"""The detector's state as bytes: the layout, and bytes that are refused."""

import math
import struct

import numpy as np
import pytest

from driftgauge.drift.detector.detector_state import DetectorState, pack, unpack
from driftgauge.drift.detector.request_correlation import no_sums
from driftgauge.drift.detector.span_sums import no_spans

STATE = DetectorState(
    key="1/ab12/0.05",
    number=7,
    rows=5,
    time=1.5,
    log_evidence=np.array([[0.5, -math.inf, 2.0], [3.0, 4.0, 5.0]]),
    factors=np.array([1.0, 2.5]),
    since=np.array([math.nan, 9.0]),
    correlation=np.arange(14.0).reshape(7, 2),
    requests=4,
    spans=np.arange(176, dtype=np.float32).reshape(11, 16, 1),
)
HEAD = b'{"key":"1/ab12/0.05","number":7,"rows":5,"time":1.5,"requests":4,"shape":[2,3,2,1]}\n'
BODY = struct.pack("<10d", 0.5, -math.inf, 2.0, 3.0, 4.0, 5.0, 1.0, 2.5, math.nan, 9.0) + struct.pack(
    "<14d176f", *range(14), *range(176)
)


def test_layout() -> None:
    """The bytes are one line of JSON, then the arrays in order, little-endian."""
    assert HEAD + BODY == pack(STATE)


def test_unpacked_arrays_are_writable() -> None:
    """They are not views of the bytes."""
    state = unpack(pack(STATE))

    assert state is not None
    arrays = (state.log_evidence, state.factors, state.since, state.correlation, state.spans)
    assert all(array.flags.writeable for array in arrays)


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
        pytest.param(HEAD.replace(b"[2,3,2,1]", b"[2]") + BODY, id="one dimension"),
        pytest.param(HEAD.replace(b"[2,3,2,1]", b"null") + BODY, id="no shape"),
        pytest.param(HEAD.replace(b'"number":7', b'"number":null') + BODY, id="no number"),
        pytest.param(HEAD.replace(b'"rows":5', b'"rows":1e999') + BODY, id="infinite rows"),
    ],
)
def test_other_bytes_are_no_state(blob: bytes) -> None:
    """Bytes with another layout, or cut short, give no state."""
    assert unpack(blob) is None


def test_no_features() -> None:
    """A state without features is packed and unpacked too."""
    state = DetectorState(
        key="",
        number=0,
        rows=0,
        time=0.0,
        log_evidence=np.empty((0, 0)),
        factors=np.empty(0),
        since=np.empty(0),
        correlation=no_sums(0),
        requests=0,
        spans=no_spans(0),
    )
    actual = unpack(pack(state))

    assert actual is not None
    assert (0, 0) == actual.log_evidence.shape
