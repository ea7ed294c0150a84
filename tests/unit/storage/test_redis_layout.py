"""The layout in Redis is fixed, since other programs may rely on it."""

import fnmatch
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from driftgauge.inference.payload import Kind, ModelKey
from driftgauge.storage.redis_layout import KEY_PATTERN, is_malformed, pack, parse_key, stream_key, unpack
from driftgauge.storage.ring import Block, StreamKey

ROWS: NDArray[np.float64] = np.array([[1.0, -2.0, 0.5], [0.0, np.inf, 3.0]])

# IEEE 754 binary64, least byte first; written down by hand from the exponents
DATA = bytes.fromhex(
    "000000000000f03f" "00000000000000c0" "000000000000e03f"
    "0000000000000000" "000000000000f07f" "0000000000000840"
)  # fmt: skip

# 1700000000.25 and 0.5 as binary64
TIMES = bytes.fromhex("00001040fc54d941000000000000e03f")

# three rows of two columns: the first payload had two rows, the second one
FIELDS = {
    b"format": b"4",
    b"schema": b"ab12",
    b"rows": b"3",
    b"requests": bytes.fromhex("0200000001000000"),
    b"times": TIMES,
    b"ids": bytes.fromhex("0100000000000000" "00000000000000ff"),
    b"data": DATA,
}  # fmt: skip

BLOCK = Block(
    schema="ab12",
    rows=ROWS.reshape(3, 2),
    requests=np.array([2, 1]),
    times=np.array([1700000000.25, 0.5]),
    ids=np.array([1, 0xFF00000000000000], dtype=np.uint64),
)


def test_the_key_of_ordinary_names_is_plain() -> None:
    """DNS names stand as they are, with the model between braces."""
    model = ModelKey("cellar", "wine-2", "predictor", "wine_v1.0")

    assert stream_key(StreamKey(model, Kind.REQUEST)) == "driftgauge:{cellar/wine-2/predictor/wine_v1.0}:request"
    assert stream_key(StreamKey(model, Kind.RESPONSE)) == "driftgauge:{cellar/wine-2/predictor/wine_v1.0}:response"


@pytest.mark.parametrize(
    ("name", "escaped"),
    [
        ("", ""),
        ("a}b{c", "a%7Db%7Bc"),
        ("a/b", "a%2Fb"),
        ("a%2Fb", "a%252Fb"),
        ("a\r\n\x00b", "a%0D%0A%00b"),
        ("wün", "w%C3%BCn"),
        ("\udcff", "%ED%B3%BF"),
    ],
)
def test_odd_characters_of_a_name_are_percent_encoded(name: str, escaped: str) -> None:
    """No name can end the hash tag or reach into its neighbour."""
    model = ModelKey("n", "i", "predictor", name)

    assert f"driftgauge:{{n/i/predictor/{escaped}}}:request" == stream_key(StreamKey(model, Kind.REQUEST))


def test_a_known_revision_is_a_fifth_name_in_the_key() -> None:
    """An empty one leaves the key as it is."""
    stable = ModelKey("cellar", "wine", "predictor", "wine", "stable")
    odd = stable._replace(revision="v/2}")

    assert stream_key(StreamKey(stable, Kind.REQUEST)) == "driftgauge:{cellar/wine/predictor/wine/stable}:request"
    assert stream_key(StreamKey(odd, Kind.REQUEST)) == "driftgauge:{cellar/wine/predictor/wine/v%2F2%7D}:request"


def test_the_fields_of_a_block() -> None:
    """Names, order and bytes of an entry are as the layout says."""
    packed = pack(BLOCK)

    assert ["format", "schema", "rows", "requests", "times", "ids", "data"] == packed[::2]
    assert [value if isinstance(value, bytes) else value.encode() for value in packed[1::2]] == list(FIELDS.values())


def test_columns_that_are_not_contiguous_are_packed_row_by_row() -> None:
    """The order in memory does not reach the wire."""
    assert DATA == pack(replace(BLOCK, rows=np.asfortranarray(BLOCK.rows)))[-1]


def test_a_block_is_read_from_its_fields() -> None:
    """The schema, the rows, and length, time and id of each payload come back."""
    block = unpack(FIELDS)

    assert block is not None
    assert block.schema == "ab12"
    assert ROWS.tobytes() == block.rows.tobytes()
    assert block.rows.shape == (3, 2)
    assert np.dtype(np.int64) == block.requests.dtype
    assert [2, 1] == block.requests.tolist()
    assert [1700000000.25, 0.5] == block.times.tolist()
    assert [1, 0xFF00000000000000] == block.ids.tolist()


@pytest.mark.parametrize(
    "fault",
    [
        {b"format": b"1"},
        {b"format": b"2"},
        {b"format": b"3"},
        {b"format": b"5"},
        {b"rows": b"4"},
        {b"rows": b"0"},
        {b"rows": b"-1"},
        {b"rows": b"two"},
        {b"times": TIMES[:8]},
        {b"times": TIMES[:-1]},
        {b"times": TIMES[:8] + bytes.fromhex("000000000000f07f")},
        {b"ids": b""},
        {b"ids": bytes(15)},
        {b"ids": bytes(24)},
        {b"schema": b"\xff"},
        {b"data": b""},
        {b"data": DATA[:-1]},
        {b"data": DATA[:-8]},
    ],
    ids=repr,
)
def test_a_damaged_entry_is_no_block(fault: dict[bytes, bytes]) -> None:
    """Another format, a wrong length or a field that cannot be read gives nothing, and no error."""
    assert unpack({**FIELDS, **fault}) is None


@pytest.mark.parametrize(
    "requests",
    [b"", b"\x03", b"\x03\0\0\0\0", b"\x04\0\0\0", b"\x03\0\0\0\0\0\0\0", b"\x02\0\0\0\xff\xff\xff\xff"],
    ids=repr,
)
def test_an_entry_whose_payloads_do_not_add_up_is_no_block(requests: bytes) -> None:
    """Too many rows, too few, none in a payload, or bytes left over."""
    assert unpack({**FIELDS, b"requests": requests}) is None


@pytest.mark.parametrize("missing", sorted(FIELDS))
def test_an_entry_without_a_field_is_no_block(missing: bytes) -> None:
    """Every field is needed."""
    assert unpack({name: value for name, value in FIELDS.items() if name != missing}) is None


OLD_FIELDS = {b"schema": b"ab12", b"rows": b"3", b"time": b"1700000000.25", b"data": DATA}


@pytest.mark.parametrize("more", [{b"format": b"1"}, {b"format": b"2", b"requests": FIELDS[b"requests"]}], ids=repr)
def test_a_block_of_an_earlier_build_is_no_block(more: dict[bytes, bytes]) -> None:
    """The times and ids of its payloads are unknown."""
    assert unpack({**OLD_FIELDS, **more}) is None


@pytest.mark.parametrize("name", ["", "wine", "a}b{c", "a/b", "a%2Fb", "a\r\n\x00b", "wün", "\udcff"])
@pytest.mark.parametrize("kind", list(Kind))
@pytest.mark.parametrize("revision", ["", "v2", "wine-predictor-00002", "a}/b", "\udcff"])
def test_a_stream_is_read_from_its_key(name: str, kind: Kind, revision: str) -> None:
    """Whatever the model and its revision are called."""
    stream = StreamKey(ModelKey(name, "wine", name, "v1", revision), kind)

    assert stream == parse_key(stream_key(stream).encode())


@pytest.mark.parametrize(
    "key",
    [
        b"",
        b"driftgauge:pair:{ab}",
        b"driftgauge:{a/b/c}:request",
        b"x:{a/b/c/d}:request",
        b"driftgauge:{a/b/c/d}:request:detector",
    ],
)
def test_other_keys_are_no_streams(key: bytes) -> None:
    """Other programs may use the same Redis."""
    assert parse_key(key) is None


def test_the_pattern_of_all_streams_finds_every_key() -> None:
    """Redis looks for it with its own matching, of which `fnmatch` has what is used here."""
    key = stream_key(StreamKey(ModelKey("", "wine", "predictor", "a}b{c"), Kind.REQUEST))

    assert fnmatch.fnmatchcase(key, KEY_PATTERN)


@pytest.mark.parametrize(
    "key",
    [
        b"driftgauge:{a/%FF/predictor/b}:request",
        b"driftgauge:{a/%E9/predictor/b}:response",
        b"driftgauge:{a/\xff/predictor/b}:request",
        b"driftgauge:{a/%41/predictor/b}:request",
        b"driftgauge:{a/%zz/predictor/b}:request",
        b"driftgauge:{a/b}:request",
        b"driftgauge:{a/b/c/d/}:request",
        b"driftgauge:{a/b/c/d/e/f}:request",
        b"driftgauge:{a/b/c/d/%FF}:request",
        b"driftgauge:{a/b\n/c/d}:request",
        b"driftgauge:{}:response",
    ],
)
def test_malformed_keys_are_no_streams(key: bytes) -> None:
    """A key that looks like that of a stream, but that no stream has, is malformed."""
    assert parse_key(key) is None
    assert is_malformed(key)


@pytest.mark.parametrize(
    "key",
    [
        b"driftgauge:{a/b/c/d}:request",
        b"driftgauge:{a/b/c/d/e}:request",
        b"driftgauge:{a/b/c/d}:request:detector",
        b"driftgauge:pair:{ab}",
        b"x",
    ],
)
def test_keys_of_other_kinds_are_not_malformed(key: bytes) -> None:
    """Keys of streams, of states, of pairs and of other programs are not malformed."""
    assert not is_malformed(key)
