"""The rank cache: what was looked up once is kept for as long as the rows are the same."""

import numpy as np
import pytest
from numpy.typing import NDArray

from driftgauge.drift.profile import categorical_profile, ignored_profile, numeric_profile
from driftgauge.drift.rank_cache import RankCache
from driftgauge.drift.row_hours import RowHours

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


def updated(*windows: tuple[Floats, NDArray[np.int64]]) -> RankCache:
    """A cache that has seen these windows."""
    cache = RankCache(PROFILES, RowHours(PROFILES, None))
    for window in windows:
        cache.update(*window)
    return cache


def same(one: RankCache, other: RankCache) -> bool:
    """Whether both hold the same cells and ranks."""
    pairs = ((one.cells, other.cells), (one.below, other.below), (one.at_most, other.at_most))
    return all(np.array_equal(first, second) for first, second in pairs)


def test_each_value_has_its_cell_and_its_ranks() -> None:
    """They are those of the value alone; a missing value has the cell after the last and the type's greatest rank."""
    values = rows(50)
    found = updated((values, numbers(1, 50)))
    for index, profile in enumerate(PROFILES):
        for row, value in enumerate(values[:, index].tolist()):
            expected: tuple[int, ...]
            if np.isnan(value):
                expected = (profile.cells.shares.size, 65535, 65535)
            else:
                ranks = (int(np.searchsorted(profile.values, value, side=side)) for side in ("left", "right"))
                expected = (int(profile.cells.index(np.array([value]))[0]), *ranks)

            assert expected == (found.cells[index, row], found.below[index, row], found.at_most[index, row])


@pytest.mark.parametrize("hop", [0, 1, 30, 99, 100, 500])
@pytest.mark.parametrize("window_rows", [60, 100])
def test_known_rows_have_the_ranks_of_new_ones(hop: int, window_rows: int) -> None:
    """However far the window has moved, and whether or not it was full."""
    stream = rows(700)
    part = slice(max(0, 100 + hop - window_rows), 100 + hop)
    window = stream[part], numbers(1, 700)[part]

    assert same(updated(window), updated((stream[:100], numbers(1, 100)), window))


@pytest.mark.parametrize("other", [rows(100, 3), np.vstack([rows(99), rows(1, 3)]), rows(40, 4)])
def test_other_rows_with_known_numbers_are_looked_up(other: Floats) -> None:
    """A store that lost rows gives their numbers again; one that was emptied counts from 1 again."""
    window = other, numbers(1, len(other))

    assert same(updated(window), updated((rows(100), numbers(1, 100)), window))


@pytest.mark.parametrize("count", [90, 0])
def test_a_window_that_lost_its_newest_rows_is_looked_up(count: int) -> None:
    """The same is true of a window that lost all of them."""
    window = rows(100)[:count], numbers(1, count)

    assert same(updated(window), updated((rows(100), numbers(1, 100)), window))


def test_gaps_between_numbers_are_allowed() -> None:
    """Rows of another schema took the numbers in between."""
    stream, odd = rows(150), 2 * numbers(1, 150)
    window = stream[20:130], odd[20:130]

    assert same(updated(window), updated((stream[:100], odd[:100]), window))


def test_values_and_ranks_are_sorted_independently() -> None:
    """Each feature's values ascend, and beside each stands its own rank."""
    window = updated((rows(80), numbers(1, 80))).ranked_window([0])
    size = window.sizes[0]
    values, reference = window.values[0, :size], PROFILES[0].values

    assert (np.diff(values) >= 0).all()
    assert np.searchsorted(reference, values, side="left").tolist() == window.below[0, :size].tolist()
    assert np.searchsorted(reference, values, side="right").tolist() == window.at_most[0, :size].tolist()


def test_blocks_have_all_features_in_order() -> None:
    """70 features take three blocks; together they are the window as a whole, and so is each feature alone."""
    profiles = [ignored_profile("i", 200), *PROFILES[:1] * 70]
    cache, features = RankCache(profiles, RowHours(profiles, None)), range(1, 71)
    cache.update(np.random.default_rng(4).normal(size=(40, 71)), numbers(1, 40))
    whole, blocks = cache.ranked_window(features), cache.blocks(features)
    parts = list(blocks.blocks)

    assert [32, 32, 6] == [len(part.sizes) for part in parts]
    np.testing.assert_array_equal(whole.values, np.concatenate([part.values for part in parts]))
    np.testing.assert_array_equal(whole.at_most, np.concatenate([part.at_most for part in parts]))
    np.testing.assert_array_equal(whole.values, np.stack([blocks.values(index) for index in range(70)]))


def test_ranks_without_ties_are_sorted_once() -> None:
    """If no value is one of the reference's, both kinds of ranks are the same array."""
    cache = RankCache(PROFILES[:1], RowHours(PROFILES[:1], None))
    cache.update(np.linspace(-3, 3, 50)[:, np.newaxis] + 0.01, numbers(1, 50))
    below, at_most = cache.ranks([0])

    assert below is at_most


def test_weights_stay_with_their_values() -> None:
    """Values, ranks and weights are in the order of the values; missing values stand last."""
    block = rows(80)
    block[3] = np.nan
    cache = updated((block, numbers(1, 80)))
    weights = np.arange(1.0, 81.0)[np.newaxis]
    plain, weighted = cache.ranked_window([0]), cache.ranked_window([0], lambda _: weights)
    order = np.argsort(block[:, 0])

    assert plain.weights is None
    assert weighted.weights is not None
    assert weights[0, order].tolist() == weighted.weights[0].tolist()
    assert plain.sizes == weighted.sizes
    for one, two in ((plain.values, weighted.values), (plain.below, weighted.below), (plain.at_most, weighted.at_most)):
        np.testing.assert_array_equal(one, two)


@pytest.mark.parametrize(("number", "after"), [(0, 50), (10, 50), (11, 49), (40, 20), (60, 0), (99, 0)])
def test_rows_after_a_number_are_sorted_for_one_feature(number: int, after: int) -> None:
    """Rows 11 to 60 are known; a number outside of them gives all rows, or none."""
    values = rows(50)
    found, missing = updated((values, numbers(11, 50))).rows_after(0, number)
    newest = values[50 - after :, 0]

    assert np.sort(newest[~np.isnan(newest)]).tolist() == found.tolist()
    assert np.count_nonzero(np.isnan(newest)) == missing


def test_ranks_move_within_their_arrays() -> None:
    """A window that slides on as long as before takes no other memory, and has the ranks of one looked up at once."""
    values = rows(90)
    cache = updated((values[:60], numbers(1, 60)))
    before = cache.cells, cache.below, cache.at_most
    cache.free_rows()
    for first in (1, 10, 30, 30):
        cache.update(values[first : first + 60], numbers(first + 1, 60))

        assert all(one is other for one, other in zip(before, (cache.cells, cache.below, cache.at_most), strict=True))
        assert same(cache, updated((values[first : first + 60], numbers(first + 1, 60))))


def test_freed_rows_are_known_by_their_digests() -> None:
    """After the rows are freed a window with other values under the same numbers is looked up again."""
    cache = updated((rows(60), numbers(1, 60)))
    cache.free_rows()
    assert 0 == cache.rows.shape[0]

    other = rows(60, seed=3)
    cache.update(other, numbers(1, 60))

    assert same(cache, updated((other, numbers(1, 60))))
