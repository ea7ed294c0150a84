"""The format of rows in Redis: the key of a stream and the fields of an entry.

One block is one stream entry. Its id is `<rows>-<milliseconds>`: the number of rows appended to the stream up to
and including this block, and the server's time of the append since the epoch. Its fields, in order:

    writer     who appended it, 16 hexadecimal digits
    total      rows that this writer has appended, up to and including this block, decimal
    format     `4`
    schema     hash of the columns' names and kinds
    rows       number of rows, decimal
    requests   the number of rows of each payload, in order, uint32
    times      when each payload passed, seconds since the epoch, IEEE 754 binary64
    ids        the first 64 bits of the BLAKE2b digest of each payload's id, uint64
    places     the number of each row in its payload, from 0, uint32; missing where the payloads have all
               their rows, in order
    data       the rows, row by row, each value an IEEE 754 binary64

All numbers in bytes are little-endian. Blocks of the formats 1 to 3, of earlier builds, have no writer; they are
skipped. The id of an entry has the same form in every format, since trimming counts rows by it.

Beside the stream lies a hash, `<key of the stream>:writers`. Its field `rows` is the number of rows appended to the
stream, and `looked` the number of the newest one that its evaluator has read. Every other field is a writer, with
`<sequence>:<total>:<milliseconds>:<base>`: the number of its last attempt, its rows, the server's time of the attempt,
and how many of its rows were appended before the hash knew it.
"""

import re
from collections.abc import Mapping
from urllib.parse import quote, unquote_to_bytes

import numpy as np

from driftgauge.inference.payload import Kind, ModelKey
from driftgauge.storage.ring import Block, StreamKey, WriterTotals

KEY_PATTERN = "driftgauge:{*}:*"
"""Pattern, in the syntax of Redis, of the keys of all streams. Few other keys match."""

_KEY = re.compile(rb"driftgauge:\{([^/{}]*(?:/[^/{}]*){3,4})\}:(request|response|outcome)")
_MALFORMED_KEY = re.compile(rb"driftgauge:\{.*\}:(request|response|outcome)", re.DOTALL)
_VALUE_BYTES = 8
FORMAT = "4"

ROWS_FIELD, LOOKED_FIELD = "rows", "looked"
"""Fields of the hash of the writers that are no writers."""

MAX_ROWS = 2**53
"""Numbers of rows are below: larger ones are not exact in a script of Redis."""

_MAX_DIGITS = 16
WRITER_BYTES = 8
_WRITER = re.compile(rb"[0-9a-f]{16}")
_ATTEMPT = re.compile(rb"([0-9]{1,16}):([0-9]{1,16}):[0-9]{1,16}:([0-9]{1,16})")


def stream_key(stream: StreamKey) -> str:
    """The Redis key of a stream.

    Notes:
        Names are untrusted. All characters but ASCII letters, digits and `_.-~` are percent-encoded, so that
        no two models share a key and each key has one hash tag, which keeps a model in one cluster slot.
        The revision is a fifth part of the tag only where it is known.

    Source:
        Redis cluster specification, hash tags, https://redis.io/docs/latest/operate/oss_and_stack/reference/cluster-spec/.
        RFC 3986 section 2.1, https://www.rfc-editor.org/rfc/rfc3986#section-2.1.
    """
    return model_key(stream.model, stream.kind)


def model_key(model: ModelKey, name: str) -> str:
    """The Redis key of something of a model, in the cluster slot of its streams; see `stream_key`."""
    # surrogatepass: a header that is not UTF-8 arrives with lone surrogates
    names = [quote(part, safe="", errors="surrogatepass") for part in model]
    tag = "/".join(names if model.revision else names[:-1])
    return f"driftgauge:{{{tag}}}:{name}"


def writers_key(stream: StreamKey) -> str:
    """The Redis key of the writers of a stream."""
    return f"{stream_key(stream)}:writers"


def parse_key(key: bytes) -> StreamKey | None:
    """The stream of a Redis key; `None` if `stream_key` of no stream returns it."""
    found = _KEY.fullmatch(key)
    if found is None:
        return None
    try:
        names = [unquote_to_bytes(name).decode("utf-8", "surrogatepass") for name in found[1].split(b"/")]
    except UnicodeDecodeError:
        return None
    stream = StreamKey(ModelKey(*names), Kind(found[2].decode()))
    return stream if stream_key(stream).encode() == key else None


def is_malformed(key: bytes) -> bool:
    """Whether a Redis key looks like that of a stream, but is none, such as `driftgauge:{a/%FF/b/c}:request`."""
    return _MALFORMED_KEY.fullmatch(key) is not None and parse_key(key) is None


def pack(block: Block) -> list[str | bytes]:
    """The fields and values of the entry of a block, alternating."""
    return [
        *("format", FORMAT),
        *("schema", block.schema),
        *("rows", str(len(block.rows))),
        *("requests", block.requests.astype("<u4").tobytes()),
        *("times", block.times.astype("<f8").tobytes()),
        *("ids", block.ids.astype("<u8").tobytes()),
        *(() if block.places is None else ("places", block.places.astype("<u4").tobytes())),
        *("data", np.ascontiguousarray(block.rows, dtype="<f8").tobytes()),
    ]


def parse_origin(fields: Mapping[bytes, bytes]) -> tuple[str, int] | None:
    """The writer of an entry, and how many rows it had appended then; `None` if the entry has none."""
    writer, total = fields.get(b"writer", b""), fields.get(b"total", b"")
    if not _WRITER.fullmatch(writer) or not total.isdigit() or len(total) > _MAX_DIGITS or int(total) >= MAX_ROWS:
        return None
    return writer.decode(), int(total)


def parse_writers(fields: Mapping[bytes, bytes]) -> WriterTotals:
    """What the hash of a stream says of its writers; fields that are not ours are left out."""
    totals, bases = {}, {}
    for name, value in fields.items():
        found = _ATTEMPT.fullmatch(value)
        if found is None or not _WRITER.fullmatch(name) or max(map(int, found.groups())) >= MAX_ROWS:
            continue
        writer, (_, total, base) = name.decode(), map(int, found.groups())
        totals[writer] = total
        if base:
            bases[writer] = base
    return WriterTotals(totals, bases)


def unpack(fields: Mapping[bytes, bytes]) -> Block | None:
    """The block of an entry; `None` if the entry has another format or is damaged."""
    try:
        rows, data, times = int(fields[b"rows"]), fields[b"data"], np.frombuffer(fields[b"times"], dtype="<f8")
        if fields[b"format"] != FORMAT.encode() or rows < 1 or not data or len(data) % (rows * _VALUE_BYTES):
            return None
        if not np.isfinite(times).all():
            return None
        places = fields.get(b"places")
        return Block(
            schema=fields[b"schema"].decode(),
            rows=np.frombuffer(data, dtype="<f8").reshape(rows, -1),
            requests=np.frombuffer(fields[b"requests"], dtype="<u4").astype(np.int64),
            times=times,
            ids=np.frombuffer(fields[b"ids"], dtype="<u8"),
            places=None if places is None else np.frombuffer(places, dtype="<u4").astype(np.int64),
        )
    except (KeyError, ValueError):
        return None
