"""The format of rows in Redis: the key of a stream and the fields of an entry.

One block is one stream entry. Its id is `<rows>-<milliseconds>`: the number of rows appended to the stream up to
and including this block, and the server's time of the append since the epoch. Its fields, in order:

    format     `1` or `2`
    schema     hash of the columns' names and kinds
    rows       number of rows, decimal
    time       when the newest row passed, seconds since the epoch, shortest exact decimal
    requests   only in format 2: the number of rows of each payload, in order, uint32, little-endian
    data       the rows, row by row, each value an IEEE 754 binary64, little-endian

In format 1 each row came in a payload of its own. Blocks of such rows are written in it, since most models receive
one row at a time; a process that only knows format 1 skips the other blocks. The id has the same form in every
format, since trimming counts rows by it.
"""

import math
import re
from collections.abc import Mapping
from urllib.parse import quote, unquote_to_bytes

import numpy as np
from numpy.typing import NDArray

from driftgauge.inference.payload import Kind, ModelKey
from driftgauge.storage.ring import Block, StreamKey

KEY_PATTERN = "driftgauge:{*}:*"
"""Pattern, in the syntax of Redis, of the keys of all streams. Few other keys match."""

_KEY = re.compile(rb"driftgauge:\{([^/{}]*)/([^/{}]*)/([^/{}]*)/([^/{}]*)\}:(request|response)")
_MALFORMED_KEY = re.compile(rb"driftgauge:\{.*\}:(request|response)", re.DOTALL)
_VALUE_BYTES = 8


def stream_key(stream: StreamKey) -> str:
    """The Redis key of a stream.

    Notes:
        Names are untrusted. All characters but ASCII letters, digits and `_.-~` are percent-encoded, so that
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
    """The stream of a Redis key; `None` if `stream_key` of no stream returns it."""
    found = _KEY.fullmatch(key)
    if found is None:
        return None
    try:
        names = [unquote_to_bytes(name).decode("utf-8", "surrogatepass") for name in found.group(1, 2, 3, 4)]
    except UnicodeDecodeError:
        return None
    stream = StreamKey(ModelKey(*names), Kind(found[5].decode()))
    return stream if stream_key(stream).encode() == key else None


def is_malformed(key: bytes) -> bool:
    """Whether a Redis key looks like that of a stream, but is none, such as `driftgauge:{a/%FF/b/c}:request`."""
    return _MALFORMED_KEY.fullmatch(key) is not None and parse_key(key) is None


def pack(block: Block) -> list[str | bytes]:
    """The fields and values of the entry of a block, alternating."""
    requests = None if _is_single(block) else np.ascontiguousarray(block.requests, dtype="<u4").tobytes()
    return [
        *("format", "1" if requests is None else "2"),
        *("schema", block.schema),
        *("rows", str(len(block.rows))),
        *("time", repr(block.time)),
        *(() if requests is None else ("requests", requests)),
        *("data", np.ascontiguousarray(block.rows, dtype="<f8").tobytes()),
    ]


def unpack(fields: Mapping[bytes, bytes]) -> Block | None:
    """The block of an entry; `None` if the entry has another format or is damaged."""
    try:
        rows, time = int(fields[b"rows"]), float(fields[b"time"])
        schema, data = fields[b"schema"].decode(), fields[b"data"]
        if rows < 1 or not data or len(data) % (rows * _VALUE_BYTES) or not math.isfinite(time):
            return None
        values = np.frombuffer(data, dtype="<f8").reshape(rows, -1)
        return Block(schema, values, time, _requests(fields))
    except (KeyError, ValueError):
        return None


def _is_single(block: Block) -> bool:
    """Whether each row came in a payload of its own."""
    return block.requests is None or len(block.requests) == len(block.rows)


def _requests(fields: Mapping[bytes, bytes]) -> NDArray[np.int64] | None:
    """The number of rows of each payload of an entry.

    Raises:
        KeyError: The entry lacks its format, or a field of its format.
        ValueError: Its format is unknown, or it is damaged.
    """
    match fields[b"format"]:
        case b"1":
            return None
        case b"2":
            return np.frombuffer(fields[b"requests"], dtype="<u4").astype(np.int64)
    raise ValueError(fields[b"format"])
