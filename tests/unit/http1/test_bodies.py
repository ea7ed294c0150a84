"""Bodies are read out of their framing, and their ends are found."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftgauge.http1.bodies import Body, Chunked, KnownLength, UntilClose
from driftgauge.http1.grammar import CHUNKS_PER_TURN, MAX_TRAILER_BYTES, BrokenBodyError
from tests.support.framing import CHUNKED, CUT


def _fed(body: Body, *pieces: bytes) -> bytes:
    return b"".join(body.feed(piece) for piece in pieces)


def test_known_length() -> None:
    """A body of known length ends after that many bytes, and the bytes after it are its rest."""
    body = KnownLength(5)

    assert b"abcde" == _fed(body, b"abc", b"defg")
    assert (True, b"fg") == (body.done, body.rest)


def test_known_length_in_one() -> None:
    """A body of known length that comes in one piece is complete and has no rest."""
    body = KnownLength(3)

    assert b"abc" == _fed(body, b"abc")
    assert (True, b"") == (body.done, body.rest)


def test_empty_body_is_complete_at_once() -> None:
    """A body of length 0 is complete without any byte."""
    assert KnownLength(0).done


def test_until_close() -> None:
    """All bytes of a body without a length are content, and only the end of the connection ends it."""
    body = UntilClose()

    assert b"abc" == _fed(body, b"a", b"bc")
    assert not body.done
    assert body.is_ended_by_close


WIRE = b'3\r\nabc\r\n0A;x="y"\r\n0123456789\r\n0\r\nX-A: 1\r\nHost: evil\r\nx-a:2 \r\n\r\nNEXT'


@given(cuts=st.lists(st.integers(0, len(WIRE)), max_size=12))
def test_chunks_are_the_same_however_they_are_cut(cuts: list[int]) -> None:
    """Content, trailers and rest do not depend on how the bytes were split."""
    ends = [0, *sorted(cuts), len(WIRE)]
    body = Chunked()
    content, rest = b"", b""
    for start, end in pairwise(ends):
        if body.done:
            rest += WIRE[start:end]
        else:
            content += body.feed(WIRE[start:end])
            rest = body.rest

    assert b"abc0123456789" == content
    assert [(b"X-A", b"1"), (b"x-a", b"2")] == list(body.trailers)
    assert b"NEXT" == rest


@given(pieces=st.lists(st.binary(min_size=1, max_size=300), max_size=8), rest=st.binary(max_size=20))
def test_what_was_put_in_chunks_comes_out(pieces: list[bytes], rest: bytes) -> None:
    """Any content in chunks of any size is read as that content."""
    wire = b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n" + rest
    body = Chunked()

    assert b"".join(pieces) == body.feed(wire)
    assert (True, rest, ()) == (body.done, body.rest, body.trailers)


@given(noise=st.binary(max_size=80))
def test_noise_yields_no_other_content(noise: bytes) -> None:
    """Random bytes either raise `BrokenBodyError` or give content that was in them."""
    body = Chunked()
    try:
        content = body.feed(noise)
    except BrokenBodyError:
        return

    assert content in noise or len(content) < len(noise)


BROKEN = {name: raw.removeprefix(CHUNKED) for name, raw in CUT.items()}


@pytest.mark.parametrize("wire", BROKEN.values(), ids=BROKEN)
@pytest.mark.parametrize("step", [1, 100_000])
def test_odd_chunks_are_broken(wire: bytes, step: int) -> None:
    """Malformed chunks raise `BrokenBodyError`, whether they come at once or byte by byte."""
    body = Chunked()
    with pytest.raises(BrokenBodyError):
        _fed(body, *(wire[at : at + step] for at in range(0, len(wire), step)))


@pytest.mark.parametrize(
    "wire",
    [b"1" * 2000, b"0\r\nX: " + b"x" * MAX_TRAILER_BYTES],
    ids=["a size without end", "trailers without end"],
)
def test_what_has_no_end_is_not_buffered(wire: bytes) -> None:
    """A size line or trailers beyond the limit raise `BrokenBodyError` before they end."""
    with pytest.raises(BrokenBodyError):
        Chunked().feed(wire)


@pytest.mark.parametrize("size_line", [b"1", b"01", b"1;x=y"], ids=["usual", "leading zero", "extension"])
def test_one_call_reads_a_limited_number_of_chunks(size_line: bytes) -> None:
    """A call reads `CHUNKS_PER_TURN` chunks at most; the rest is read by the next calls, each as much as the first."""
    body, content, calls = Chunked(), b"", 0
    body.rest = (size_line + b"\r\nx\r\n") * (2 * CHUNKS_PER_TURN + 5) + b"0\r\n\r\n"
    while not body.done:
        piece = body.feed(body.rest)
        content += piece
        calls += 1

        assert len(piece) <= CHUNKS_PER_TURN

    assert (2 * CHUNKS_PER_TURN + 5, 3) == (len(content), calls)
    assert b"" == body.rest


@given(
    sizes=st.lists(st.integers(1, 5000), max_size=12),
    forms=st.lists(st.sampled_from([b"%x\r\n", b"%X\r\n", b"0%x\r\n", b"%x;a\r\n"]), min_size=12, max_size=12),
    cuts=st.lists(st.integers(0, 60_000), max_size=6),
)
def test_short_and_other_chunks_can_be_mixed(sizes: list[int], forms: list[bytes], cuts: list[int]) -> None:
    """Chunks of every size and every form of the size line give their content, however they are cut."""
    contents = [b"\n" * (size // 2) + b"a" * (size - size // 2) for size in sizes]
    wire = (
        b"".join(form % len(content) + content + b"\r\n" for form, content in zip(forms, contents, strict=False))
        + b"0\r\n\r\n"
    )
    body = Chunked()
    ends = [0, *sorted(min(cut, len(wire)) for cut in cuts), len(wire)]

    assert b"".join(contents) == _fed(body, *(wire[start:end] for start, end in pairwise(ends)))
    assert body.done
