"""Places of rows: what was found once is kept for as long as the rows are the same."""

import numpy as np
import pytest
from numpy.typing import NDArray

from driftgauge.drift.profile import categorical_profile, ignored_profile, numeric_profile
from driftgauge.drift.rank_cache import RankCache, look_up

Floats = NDArray[np.float64]

PROFILES = (
    numeric_profile("n", np.sort(np.random.default_rng(1).normal(size=200).round(1))),
    categorical_profile("c", np.array([1.0, 1.0, 2.0]), {1.0: "a", 2.0: "b"}),
    ignored_profile("i", 200),
)


def rows(count: int, seed: int = 2) -> Floats:
    """Rows of which some lack a feature."""
    generator = np.random.default_rng(seed)
    values = np.column_stack([generator.normal(size=count).round(1), generator.integers(1, 4, count), np.ones(count)])
    values[generator.random(values.shape) < 0.2] = np.nan
    return values


def numbers(first: int, count: int) -> NDArray[np.int64]:
    """Numbers of rows."""
    return np.arange(first, first + count)


def same(one: RankCache, other: RankCache) -> bool:
    """Whether all that was found is the same."""
    pairs = ((one.cells, other.cells), (one.below, other.below), (one.upto, other.upto))
    return all(np.array_equal(first, second) for first, second in pairs)


def test_each_value_has_its_place() -> None:
    """As cells and ranks of one value alone tell it; a missing one has the cell after the last, and the last rank."""
    values = rows(50)
    found = look_up(PROFILES, values, numbers(1, 50))
    for index, profile in enumerate(PROFILES):
        for row, value in enumerate(values[:, index].tolist()):
            expected: tuple[int, ...]
            if np.isnan(value):
                expected = (profile.cells.shares.size, 65535, 65535)
            else:
                ranks = (int(np.searchsorted(profile.values, value, side=side)) for side in ("left", "right"))
                expected = (int(profile.cells.index(np.array([value]))[0]), *ranks)

            assert expected == (found.cells[index, row], found.below[index, row], found.upto[index, row])


@pytest.mark.parametrize("hop", [0, 1, 30, 99, 100, 500])
@pytest.mark.parametrize("window_rows", [60, 100])
def test_known_rows_are_found_as_new_ones_are(hop: int, window_rows: int) -> None:
    """However far the window has moved, and whether or not it was full."""
    stream = rows(700)
    before = look_up(PROFILES, stream[:100], numbers(1, 100))
    part = slice(max(0, 100 + hop - window_rows), 100 + hop)
    found = look_up(PROFILES, stream[part], numbers(1, 700)[part], before)

    assert same(look_up(PROFILES, stream[part], numbers(1, 700)[part]), found)


def test_rows_with_the_numbers_of_others_are_looked_up() -> None:
    """A store that lost rows gives their numbers again; one that was emptied counts from 1 again."""
    before = look_up(PROFILES, rows(100), numbers(1, 100))
    for other in (rows(100, 3), np.vstack([rows(99), rows(1, 3)]), rows(40, 4)):
        now = numbers(1, len(other))

        assert same(look_up(PROFILES, other, now), look_up(PROFILES, other, now, before))


def test_a_window_that_lost_its_newest_rows_is_looked_up() -> None:
    """And so is one without rows."""
    before = look_up(PROFILES, rows(100), numbers(1, 100))
    for count in (90, 0):
        now = numbers(1, count)

        assert same(look_up(PROFILES, rows(100)[:count], now), look_up(PROFILES, rows(100)[:count], now, before))


def test_gaps_between_numbers_are_kept() -> None:
    """Rows of another schema took some: the rows are known by their numbers all the same."""
    stream, odd = rows(150), 2 * numbers(1, 150)
    before = look_up(PROFILES, stream[:100], odd[:100])
    found = look_up(PROFILES, stream[20:130], odd[20:130], before)

    assert same(look_up(PROFILES, stream[20:130], odd[20:130]), found)


def test_values_and_ranks_are_ordered_by_themselves() -> None:
    """Each feature's values ascend, and beside each stands its own rank."""
    ordered = look_up(PROFILES, rows(80), numbers(1, 80)).ordered([0])
    size = ordered.sizes[0]
    values, reference = ordered.values[0, :size], PROFILES[0].values

    assert (np.diff(values) >= 0).all()
    assert np.searchsorted(reference, values, side="left").tolist() == ordered.below[0, :size].tolist()
    assert np.searchsorted(reference, values, side="right").tolist() == ordered.upto[0, :size].tolist()


def test_ranks_without_ties_are_sorted_once() -> None:
    """Where no value is one of the reference's both kinds of ranks are the same."""
    places = look_up(PROFILES[:1], np.linspace(-3, 3, 50)[:, np.newaxis] + 0.01, numbers(1, 50))
    below, upto = places.ranks([0])

    assert below is upto
