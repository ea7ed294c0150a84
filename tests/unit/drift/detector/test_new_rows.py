"""New rows in groups: neighbouring requests of one row by sixteen, then each request of several rows."""

import numpy as np
import pytest

from driftgauge.drift.detector.new_rows import NewRows

CELLS = np.array([[0, 1, 1, 2, 2, 2, 0], [3, 3, 0, 0, 1, 1, 1]])
REQUESTS = np.array([4, 7, 7, 7, 9, 12, 12])


def test_requests_by_hand() -> None:
    """Single, three, single and two rows: starts, lengths and groups."""
    rows = NewRows(CELLS, REQUESTS)

    assert [0, 1, 4, 5] == rows.starts.tolist()
    assert [1, 3, 1, 2] == rows.lengths.tolist()
    assert [3, 2] == rows.of_several.tolist()
    assert 1 == rows.groups_of_singles
    assert [2, 3, 2] == rows.group_rows.tolist()


def test_counts_by_hand() -> None:
    """The single rows are counted together, then each request of several."""
    rows = NewRows(CELLS, REQUESTS)

    assert [[1, 0, 1, 0], [0, 2, 1, 0], [1, 0, 1, 0]] == rows.counts(np.array([0, 1]), 4)[0].tolist()
    assert [[0, 1, 0, 1], [2, 0, 0, 1], [0, 2, 0, 0]] == rows.counts(np.array([0, 1]), 4)[1].tolist()


@pytest.mark.parametrize(
    ("singles", "expected"),
    [(1, [1]), (15, [15]), (16, [16]), (17, [16, 1]), (32, [16, 16]), (40, [16, 16, 8])],
)
def test_single_rows_are_in_groups_of_sixteen(singles: int, expected: list[int]) -> None:
    """Only the last group may have fewer."""
    rows = NewRows(np.zeros((1, singles), dtype=np.int64), np.arange(singles))

    assert expected == rows.group_rows.tolist()
    assert len(expected) == rows.groups_of_singles
    assert 0 == rows.of_several.size
    assert expected == rows.counts(np.array([0]), 2)[0, :, 0].tolist()


def test_requests_between_single_rows_do_not_cut_their_groups() -> None:
    """Twenty single rows with a request of two after each: groups of 16 and 4, then twenty of two."""
    requests = np.repeat(np.arange(40), np.tile([1, 2], 20))
    cells = np.tile([[0, 1, 2]], 20)
    rows = NewRows(cells, requests)

    assert [16, 4] + [2] * 20 == rows.group_rows.tolist()
    assert [[16, 0, 0], [4, 0, 0]] + [[0, 1, 1]] * 20 == rows.counts(np.array([0]), 3)[0].tolist()


def test_one_request_of_all_rows() -> None:
    """It is the only group."""
    rows = NewRows(np.array([[0, 0, 1]]), np.array([5, 5, 5]))

    assert (0, [3], [[2, 1]]) == (
        rows.groups_of_singles,
        rows.group_rows.tolist(),
        rows.counts(np.array([0]), 2)[0].tolist(),
    )


def test_every_row_is_counted_once() -> None:
    """For requests of random lengths and rows in random cells the counts are those of a plain loop."""
    rng = np.random.default_rng(1)
    lengths = rng.choice([1, 1, 1, 2, 5, 30], 200)
    requests = np.repeat(np.arange(200), lengths)
    cells = rng.integers(0, 9, (2, requests.size))
    single = np.isin(requests, np.flatnonzero(lengths == 1))
    groups = [cells[:, single][:, first : first + 16] for first in range(0, int(single.sum()), 16)]
    groups += [cells[:, requests == one] for one in np.flatnonzero(lengths > 1)]
    rows = NewRows(cells, requests)

    for feature in range(2):
        expected = [np.bincount(group[feature], minlength=9).tolist() for group in groups]
        assert expected == rows.counts(np.array([feature]), 9)[0].tolist()


@pytest.mark.parametrize("most", [1, 3, 4, 100])
def test_pieces_are_whole_requests(most: int) -> None:
    """Together they are all rows, in order; a piece has at most so many rows, or one request."""
    requests = np.array([1, 2, 2, 2, 3, 4, 4, 5, 6, 6, 6, 6, 6])
    whole = NewRows(np.arange(requests.size)[np.newaxis], requests)
    pieces = list(whole.pieces(most))

    assert requests.tolist() == [one for piece in pieces for one in piece.requests.tolist()]
    assert whole.cells[0].tolist() == [one for piece in pieces for one in piece.cells[0].tolist()]
    assert all(piece.requests.size <= most or piece.starts.size == 1 for piece in pieces)
    assert len({one for piece in pieces for one in set(piece.requests.tolist())}) == sum(
        piece.starts.size for piece in pieces
    )
