"""The detector's state as bytes, to outlive the process.

    one line of JSON   key, number, rows, time, shape [d, b]; ends with a line feed
    log_evidence       d x b values, IEEE 754 binary64, little-endian, row by row
    factors, since     d values each

This room is pure: values in, bytes out.
"""

import numpy as np
import orjson

from sidecar.drift.sequential import DetectorState


def pack(state: DetectorState) -> bytes:
    """The bytes of a state."""
    head = {
        "key": state.key,
        "number": state.number,
        "rows": state.rows,
        "time": state.time,
        "shape": list(state.log_evidence.shape),
    }
    arrays = (state.log_evidence, state.factors, state.since)
    body = b"".join(np.ascontiguousarray(array, dtype="<f8").tobytes() for array in arrays)
    return orjson.dumps(head, option=orjson.OPT_APPEND_NEWLINE) + body


def unpack(blob: bytes) -> DetectorState | None:
    """The state of bytes that `pack` made; `None` if they are of another form or damaged."""
    head, _, body = blob.partition(b"\n")
    try:
        facts = orjson.loads(head)
        d, b = (int(size) for size in facts["shape"])
        values = np.frombuffer(body, dtype="<f8").copy()
        return DetectorState(
            key=str(facts["key"]),
            number=int(facts["number"]),
            rows=int(facts["rows"]),
            time=float(facts["time"]),
            log_evidence=values[: d * b].reshape(d, b),
            factors=values[d * b : d * b + d].reshape(d),
            since=values[d * b + d :].reshape(d),
        )
    except (KeyError, TypeError, ValueError, OverflowError):
        return None
