"""The detector's memory of a stream, and its form in a store."""

from dataclasses import dataclass

import numpy as np
import orjson
from numpy.typing import NDArray

from driftgauge.drift.detector.request_correlation import SUMS
from driftgauge.drift.detector.span_sums import SPANS
from driftgauge.drift.detector.span_sums import SUMS as SPAN_SUMS

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DetectorState:
    """All that the detector remembers of the past rows.

    Args:
        key: Identifies the reference and the bets; a state with another key cannot be used.
        number: The number of the newest row that was fed, as the stream counts them; 0 before the first.
        rows: Rows fed since the last start.
        time: When rows were last fed, seconds since the epoch; 0 before the first.
        log_evidence: Shape `(d, b)`: the log of the evidence of each bet of each feature, in seconds; minus infinity
            at the start.
        factors: Shape `(d,)`: rows / effective rows of a window, at least 1; 0 where it is not known yet.
        since: Shape `(d,)`: when the feature's alarm began, seconds since the epoch; NaN without alarm.
        correlation: Shape `(SUMS, s)`: running sums of the correlation within requests, for the scores of all features.
        requests: Requests that `spans` has.
        spans: Shape `(SPAN_SUMS, SPANS, f)`, float32: running sums of dependence, for all measured scores.
    """

    key: str
    number: int
    rows: int
    time: float
    log_evidence: Floats
    factors: Floats
    since: Floats
    correlation: Floats
    requests: int
    spans: NDArray[np.float32]

    @property
    def latched(self) -> NDArray[np.bool_]:
        """Which features alarm: shape `(d,)`."""
        return ~np.isnan(self.since)


def pack(state: DetectorState) -> bytes:
    """The bytes of a state."""
    head = {
        "key": state.key,
        "number": state.number,
        "rows": state.rows,
        "time": state.time,
        "requests": state.requests,
        "shape": [*state.log_evidence.shape, state.correlation.shape[1], state.spans.shape[2]],
    }
    arrays = (state.log_evidence, state.factors, state.since, state.correlation)
    body = b"".join(np.ascontiguousarray(array, dtype="<f8").tobytes() for array in arrays)
    spans = np.ascontiguousarray(state.spans, dtype="<f4").tobytes()
    return orjson.dumps(head, option=orjson.OPT_APPEND_NEWLINE) + body + spans


def unpack(blob: bytes) -> DetectorState | None:
    """The state of bytes that `pack` made; `None` if they are of another form or damaged."""
    head, _, body = blob.partition(b"\n")
    try:
        facts = orjson.loads(head)
        d, b, s, f = (int(size) for size in facts["shape"])
        end = 8 * (d * b + 2 * d + SUMS * s)
        values = np.frombuffer(body[:end], dtype="<f8").copy()
        spans = np.frombuffer(body[end:], dtype="<f4").copy()
        evidence, factors, since, correlation = np.split(values, np.cumsum([d * b, d, d]))
        return DetectorState(
            key=str(facts["key"]),
            number=int(facts["number"]),
            rows=int(facts["rows"]),
            time=float(facts["time"]),
            log_evidence=evidence.reshape(d, b),
            factors=factors.reshape(d),
            since=since.reshape(d),
            correlation=correlation.reshape(SUMS, s),
            requests=int(facts["requests"]),
            spans=spans.reshape(SPAN_SUMS, SPANS, f),
        )
    except (KeyError, TypeError, ValueError, OverflowError):
        return None
