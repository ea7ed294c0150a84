"""JSON text as Python clients write it, and nothing but PayloadError for what is none."""

import base64
import math

import pytest

from driftgauge.errors import Reason
from driftgauge.protocol.json_text import check_parse_cost, from_base64, object_end, parse, serialise
from tests.support.payloads import refusal


def test_literals_of_python() -> None:
    """NaN, Infinity and -Infinity are read as the doubles that they name."""
    nan, high, low = parse(b"[NaN, Infinity, -Infinity]")

    assert math.isnan(nan)
    assert (math.inf, -math.inf) == (high, low)


def test_byte_order_mark() -> None:
    """A byte order mark before the text is ignored, as RFC 8259, section 8.1 allows."""
    assert {"a": 1} == parse(b'\xef\xbb\xbf{"a": 1}')


def test_sixty_four_bits_are_exact() -> None:
    """The largest unsigned and the smallest signed integer of 64 bits are exact."""
    assert [2**64 - 1, -(2**63)] == parse(b"[18446744073709551615, -9223372036854775808]")


def test_number_beyond_doubles() -> None:
    """A number that no double holds is an infinity or an exact integer, not an error of the text."""
    assert [math.inf, 10**400] == parse(b"[1e999, 1" + b"0" * 400 + b"]")


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"{",
        b"nan",
        b'{"a": 1} x',
        b'"\xff"',
        b'"\\ud800"',
        b'{"\\uDFFF": NaN}',
        b"[" * 100_000,
        b"[" * 100_000 + b"]" * 100_000,
        b"1" + b"0" * 5000,
    ],
)
def test_not_json(text: bytes) -> None:
    """Broken, too deep, half a surrogate pair, too many digits: each is malformed."""
    assert Reason.MALFORMED == refusal(lambda: parse(text))[0]


def test_whole_surrogate_pair_beside_nan() -> None:
    """A whole surrogate pair is a character also in a text that only the lenient reader takes."""
    key = next(iter(parse(b'{"\\ud83c\\udf77": NaN}')))

    assert "\N{WINE GLASS}" == key


def test_end_counts_bytes() -> None:
    """The end of the JSON part is an offset in bytes, whatever characters it holds."""
    text = ' {"name": "\N{WINE GLASS}é"}'.encode()

    assert len(text) == object_end(text + b"\xff\x00{}")


@pytest.mark.parametrize("text", [b"\x00\x01", b"[" * 100_000])
def test_no_end(text: bytes) -> None:
    """Bytes that begin with no JSON value are malformed."""
    assert Reason.MALFORMED == refusal(lambda: object_end(text))[0]


@pytest.mark.parametrize("value", [None, [None, 1], {"a": [1.5, "é"]}, [math.inf], [2**70, {"b": -math.inf}]])
def test_serialised_is_parsed_to_the_same(value: object) -> None:
    """What is written is read back as it was, infinities and long integers too."""
    assert value == parse(serialise(value))


def test_base64() -> None:
    """A string in base64 is its bytes."""
    assert b"\xff\x00" == from_base64("/wA=")


@pytest.mark.parametrize("value", ["/wA", "/w A=", "é", "!", 5, None, b"/wA="])
def test_not_base64(value: object) -> None:
    """A string of other characters or of a wrong length, and what is no string, is malformed."""
    assert Reason.MALFORMED == refusal(lambda: from_base64(value))[0]


def test_too_deep_to_write() -> None:
    """A value that is nested too deeply to be written is malformed."""
    value: list[object] = []
    for _ in range(200_000):
        value = [value]

    assert Reason.MALFORMED == refusal(lambda: serialise(value))[0]


def test_long_base64() -> None:
    """A text of several pieces gives the same bytes as in one call, and padding within it is malformed."""
    data = bytes(range(256)) * 3_001
    text = base64.b64encode(data).decode()

    assert data == from_base64(text)
    assert Reason.MALFORMED is refusal(lambda: from_base64(base64.b64encode(data[:196_607]).decode() + text))[0]


@pytest.mark.parametrize(
    ("item", "cost"), [(b"[],", 2), (b"{},", 2), (b"1,", 1), (b'"",', 1), (b"\\n", 1), (b"x" * 200, 2)]
)
def test_parse_cost_is_bounded(item: bytes, cost: int) -> None:
    """A text with more values, escapes or bytes than the limit allows is refused, one with fewer is not."""
    check_parse_cost(item * (1_000 // cost), 1_100)

    assert Reason.TOO_COMPLEX is refusal(lambda: check_parse_cost(item * (1_200 // cost), 1_100))[0]
