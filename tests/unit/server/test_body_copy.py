"""Copies are bounded, alone and together, and give back what they held."""

from hypothesis import given
from hypothesis import strategies as st

from driftgauge.errors import Reason
from driftgauge.server.body_copy import Tap, TapRoom


def test_copy_is_whole() -> None:
    """A copy is its pieces in order."""
    tap = Tap(TapRoom(10), 10)
    for piece in (b"ab", b"", b"cde"):
        tap.add(piece)

    assert tap.loss is None
    assert 5 == tap.size_bytes
    assert b"abcde" == tap.body()


def test_copy_may_be_as_long_as_its_bound() -> None:
    """The bound itself is allowed, one byte more is not."""
    tap = Tap(TapRoom(100), 3)
    tap.add(b"abc")

    assert tap.loss is None

    tap.add(b"d")

    assert Reason.TOO_LARGE is tap.loss


def test_long_copy_frees_its_room_at_once() -> None:
    """A copy that is given up holds nothing, and goes on counting bytes."""
    room = TapRoom(100)
    tap = Tap(room, 3)
    tap.add(b"abc")
    tap.add(b"defg")
    tap.add(b"hi")

    assert 100 == room.free_bytes
    assert 9 == tap.size_bytes
    assert b"" == tap.body()


def test_room_is_shared() -> None:
    """A copy for which there is no room is given up; another may take the room when it is free."""
    room = TapRoom(4)
    one, two = Tap(room, 10), Tap(room, 10)
    one.add(b"abc")
    two.add(b"de")

    assert one.loss is None
    assert Reason.QUEUE_FULL is two.loss

    one.body()
    three = Tap(room, 10)
    three.add(b"fghi")

    assert three.loss is None


def test_first_reason_stands() -> None:
    """A copy that was too long stays so, whatever happens to the body afterwards."""
    tap = Tap(TapRoom(10), 1)
    tap.add(b"ab")
    tap.give_up(Reason.INCOMPLETE)

    assert Reason.TOO_LARGE is tap.loss


@given(
    size=st.integers(0, 30),
    bodies=st.lists(st.tuples(st.integers(0, 20), st.lists(st.binary(max_size=12), max_size=5)), max_size=6),
)
def test_room_is_never_overdrawn_and_all_given_back(size: int, bodies: list[tuple[int, list[bytes]]]) -> None:
    """However bodies come, no more is held than there is room for, and in the end nothing is."""
    room = TapRoom(size)
    taps = []
    for max_bytes, pieces in bodies:
        tap = Tap(room, max_bytes)
        taps.append(tap)
        for piece in pieces:
            tap.add(piece)

            assert 0 <= room.free_bytes <= size

    for tap, (_, pieces) in zip(taps, bodies, strict=True):
        assert tap.body() == (b"" if tap.loss else b"".join(pieces))

    assert size == room.free_bytes
