"""Copies are bounded, alone and together, and free their memory."""

from hypothesis import given
from hypothesis import strategies as st

from driftgauge.errors import Reason
from driftgauge.server.body_copy import BodyCopy, MemoryBudget


def test_copy_is_whole() -> None:
    """A copy consists of its pieces in order."""
    body_copy = BodyCopy(MemoryBudget(10), 10)
    for piece in (b"ab", b"", b"cde"):
        body_copy.add(piece)

    assert body_copy.loss is None
    assert 5 == body_copy.size_bytes
    assert b"abcde" == body_copy.take()


def test_copy_may_be_as_long_as_its_bound() -> None:
    """A copy may be as long as its limit, and is lost with one byte more."""
    body_copy = BodyCopy(MemoryBudget(100), 3)
    body_copy.add(b"abc")

    assert body_copy.loss is None

    body_copy.add(b"d")

    assert Reason.TOO_LARGE is body_copy.loss


def test_long_copy_frees_its_memory_at_once() -> None:
    """A copy that is given up uses no memory, and continues to count bytes."""
    budget = MemoryBudget(100)
    body_copy = BodyCopy(budget, 3)
    body_copy.add(b"abc")
    body_copy.add(b"defg")
    body_copy.add(b"hi")

    assert 100 == budget.free_bytes
    assert 9 == body_copy.size_bytes
    assert b"" == body_copy.take()


def test_memory_is_shared() -> None:
    """A copy that exceeds the free memory is given up; another copy may use the memory that is freed later."""
    budget = MemoryBudget(4)
    one, two = BodyCopy(budget, 10), BodyCopy(budget, 10)
    one.add(b"abc")
    two.add(b"de")

    assert one.loss is None
    assert Reason.QUEUE_FULL is two.loss

    one.take()
    three = BodyCopy(budget, 10)
    three.add(b"fghi")

    assert three.loss is None


def test_first_reason_stands() -> None:
    """A copy that was too long keeps this reason, whatever happens to the body afterwards."""
    body_copy = BodyCopy(MemoryBudget(10), 1)
    body_copy.add(b"ab")
    body_copy.give_up(Reason.INCOMPLETE)

    assert Reason.TOO_LARGE is body_copy.loss


@given(
    size=st.integers(0, 30),
    bodies=st.lists(st.tuples(st.integers(0, 20), st.lists(st.binary(max_size=12), max_size=5)), max_size=6),
)
def test_memory_is_never_overdrawn_and_all_freed(size: int, bodies: list[tuple[int, list[bytes]]]) -> None:
    """Copies never use more memory than the budget has, and in the end all of it is free."""
    budget = MemoryBudget(size)
    copies = []
    for max_bytes, pieces in bodies:
        body_copy = BodyCopy(budget, max_bytes)
        copies.append(body_copy)
        for piece in pieces:
            body_copy.add(piece)

            assert 0 <= budget.free_bytes <= size

    for body_copy, (_, pieces) in zip(copies, bodies, strict=True):
        assert body_copy.take() == (b"" if body_copy.loss else b"".join(pieces))

    assert size == budget.free_bytes
