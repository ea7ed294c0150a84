"""How rows lie in Redis: the key of a stream and the fields of an entry. This room does no I/O.

One block is one stream entry. Its id is `<rows>-<milliseconds>`: how many rows the stream has been given up
to and with this block, and the server's time at the append since the epoch. Its fields, in order:

    format   `1`
    schema   hash of the column names
    rows     number of rows, decimal
    time     when the newest row passed, seconds since the epoch, shortest exact decimal
    data     the rows, row by row, each value an IEEE 754 binary64, little-endian

The form of the id holds for every format: the trimming counts rows by it.
"""

import math
import re
from collections.abc import Mapping
from urllib.parse import quote, unquote_to_bytes

import numpy as np

from sidecar.payload import Kind, ModelKey
from sidecar.storage.ring import Block, StreamKey

KEY_PATTERN = "driftgauge:{*}:*"
"""Redis' own pattern of the keys of all streams, and of few others."""

_KEY = re.compile(rb"driftgauge:\{([^/{}]*)/([^/{}]*)/([^/{}]*)/([^/{}]*)\}:(request|response)")
_FORMAT = "1"
_VALUE_BYTES = 8


def stream_key(stream: StreamKey) -> str:
    """The Redis key of a stream.

    Notes:
        Names come from strangers. All but ASCII letters, digits and `_.-~` is percent-encoded, so that
        no two models share a key and each key has one hash tag, which keeps a model in one cluster slot.

    Source:
        Redis cluster specification, hash tags, https://redis.io/docs/latest/operate/oss_and_stack/reference/cluster-spec/.
        RFC 3986 section 2.1, https://www.rfc-editor.org/rfc/rfc3986#section-2.1.
    """
    model = stream.model
    names = (model.namespace, model.inference_service, model.component, model.model_name)
    # surrogatepass: a header that is not UTF-8 arrives with lone surrogates
    tag = "/".join(quote(name, safe="", errors="surrogatepass") for name in names)
    return f"driftgauge:{{{tag}}}:{stream.kind}"


def parse_key(key: bytes) -> StreamKey | None:
    """The stream of a Redis key; `None` if it is no stream's key."""
    found = _KEY.fullmatch(key)
    if found is None:
        return None
    names = [unquote_to_bytes(name).decode("utf-8", "surrogatepass") for name in found.group(1, 2, 3, 4)]
    return StreamKey(ModelKey(*names), Kind(found[5].decode()))


def pack(block: Block) -> list[str | bytes]:
    """The fields and values of a block's entry, one after the other."""
    data = np.ascontiguousarray(block.rows, dtype="<f8").tobytes()
    fields = {"format": _FORMAT, "schema": block.schema, "rows": str(len(block.rows)), "time": repr(block.time)}
    return [*(part for field in fields.items() for part in field), "data", data]


def unpack(fields: Mapping[bytes, bytes]) -> Block | None:
    """The block of an entry; `None` if the entry is of another format or damaged."""
    if fields.get(b"format") != _FORMAT.encode():
        return None
    try:
        rows, time = int(fields[b"rows"]), float(fields[b"time"])
        schema, data = fields[b"schema"].decode(), fields[b"data"]
    except (KeyError, ValueError):
        return None
    if rows < 1 or not data or len(data) % (rows * _VALUE_BYTES) or not math.isfinite(time):
        return None
    return Block(schema, np.frombuffer(data, dtype="<f8").reshape(rows, -1), time)
