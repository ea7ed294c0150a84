"""A table that is full takes from the group that has most."""

from hypothesis import given
from hypothesis import strategies as st

from driftgauge.storage.fair_table import FairTable

TTL = 10


def table(capacity: int) -> FairTable[str, int, str]:
    """An empty table."""
    return FairTable(capacity, TTL)


def test_an_entry_is_found_until_it_expires() -> None:
    """An entry is found by its group and its key, for its time."""
    entries = table(10)
    entries.put("a", 1, "x", 100)

    assert "x" == entries.get("a", 1, 109.9)
    assert [None, None, None] == [entries.get("a", 1, 110), entries.get("a", 2, 100), entries.get("b", 1, 100)]


def test_an_entry_that_is_put_again_is_replaced_and_lives_on() -> None:
    """The time of an entry restarts, and its number does not grow."""
    entries = table(10)
    entries.put("a", 1, "x", 100)
    entries.put("a", 1, "y", 105)

    assert "y" == entries.get("a", 1, 112)
    assert 1 == len(entries)


def test_a_value_is_replaced_without_a_new_life() -> None:
    """The entry keeps its time and its place among those that may go; without it nothing happens."""
    entries = table(2)
    for key in (1, 2):
        entries.put("a", key, "x", 100 + key)
    entries.replace("a", 1, "y")
    entries.replace("a", 3, "y")
    entries.replace("b", 1, "y")

    assert ["y", "x", None] == [entries.get("a", key, 105) for key in (1, 2, 3)]
    assert entries.put("a", 3, "z", 105) == ("a", 1, "y")


def test_expired_entries_are_returned_in_order() -> None:
    """Of each group the oldest comes first."""
    entries = table(10)
    for number, group in enumerate("abab"):
        entries.put(group, number, group * 2, 100 + number)

    assert [("a", 0, "aa"), ("a", 2, "aa"), ("b", 1, "bb")] == entries.pop_expired(112)
    assert 1 == len(entries)


def test_a_flood_of_one_group_displaces_nothing_of_another() -> None:
    """A group with more than its share loses its own oldest entries."""
    entries = table(100)
    for number in range(10):
        entries.put("calm", number, "x", 100)
    displaced = [entries.put("flood", number, "y", 101) for number in range(10_000)]
    entries.put("calm", 10, "x", 102)

    assert ["x"] * 11 == [entries.get("calm", number, 103) for number in range(11)]
    assert ("flood", 0, "y") == displaced[90]
    assert 100 == len(entries)


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 5), st.booleans()), max_size=60), st.integers(1, 6))
def test_the_number_of_entries_is_that_of_what_was_put_and_not_removed(
    steps: list[tuple[str, int, bool]], capacity: int
) -> None:
    """No order of steps loses or counts an entry twice, or exceeds the capacity."""
    entries, expected = table(capacity), set[tuple[str, int]]()
    for group, key, is_put in steps:
        if is_put:
            displaced = entries.put(group, key, "x", 0)
            expected.add((group, key))
            if displaced is not None:
                expected.remove(displaced[:2])
        elif entries.pop(group, key) is not None:
            expected.remove((group, key))

    assert len(expected) == len(entries) <= capacity
    assert [] == entries.pop_expired(TTL, limit=0)
    assert expected == {(group, key) for group, key, _ in entries.pop_expired(TTL)}
