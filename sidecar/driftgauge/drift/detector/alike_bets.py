"""The bets on features of one form, which are weighed in one numpy call instead of one for each feature."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from driftgauge.drift.detector.bets import Bets
from driftgauge.drift.detector.staked_scores import where_rows_are
from driftgauge.drift.detector.step_table import StepTable

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class AlikeBets:
    """Features whose bets have the same weights and scores, and cells of the same number; only the tables differ.

    Args:
        features: Shape `(f,)`: their indices, ascending.
        bets: The bets on each.
    """

    features: NDArray[np.intp]
    bets: Sequence[Bets]

    @property
    def first(self) -> Bets:
        """The bets on one of them: those of the others differ in their tables alone."""
        return self.bets[0]

    @property
    def cells(self) -> int:
        """Cells, and one for rows that lack the feature."""
        return self.first.score_table.shape[0]


def alike_bets(bets: Sequence[Bets], features: Sequence[int]) -> list[AlikeBets]:
    """Some features in groups of one form."""
    forms: dict[tuple[object, ...], list[int]] = {}
    for feature in features:
        forms.setdefault(_form(bets[feature]), []).append(feature)
    return [AlikeBets(np.array(group), [bets[one] for one in group]) for group in forms.values()]


def gains(tables: Sequence[StepTable], counts: Floats) -> Floats:
    """`StepTable.gains` of tables with the same runs of cells: shape `(f, g, j)`.

    Args:
        tables: `f` of them.
        counts: Shape `(f, g, k + 1)`: the rows in each cell.
    """
    in_runs = np.add.reduceat(counts, tables[0].starts, axis=2)
    staked = [one.staked for one in tables if one.staked is not None]  # of all or of none
    varying = where_rows_are(staked, counts) if staked else np.stack([one.varying for one in tables])
    in_steps = np.matmul(in_runs, np.stack([one.steps for one in tables]))
    return np.concatenate([np.matmul(counts, varying), in_steps], axis=2)


def whole(tables: Sequence[StepTable]) -> Floats:
    """The whole matrices of tables with the same runs of cells: shape `(f, k + 1, j)`."""
    lengths = np.diff(tables[0].starts, append=tables[0].shape[0])
    steps = np.repeat(np.stack([one.steps for one in tables]), lengths, axis=1)
    return np.concatenate([np.stack([one.varying for one in tables]), steps], axis=2)


def lines(tables: Sequence[StepTable], cells: NDArray[np.integer]) -> Floats:
    """The lines of tables with the same runs of cells, for the cell of each row: shape `(f, n, j)`.

    Args:
        tables: `f` of them.
        cells: Shape `(f, n)`.
    """
    run_of = np.repeat(np.arange(tables[0].starts.size), np.diff(tables[0].starts, append=tables[0].shape[0]))
    each = zip(tables, cells, strict=True)
    found = [(one.varying.take(line, axis=0), one.steps.take(run_of.take(line), axis=0)) for one, line in each]
    return np.concatenate([np.stack([one for one, _ in found]), np.stack([one for _, one in found])], axis=2)


def parts(group: AlikeBets, groups: int, most_counts: int) -> Iterator[AlikeBets]:
    """A few of the features at a time, so that their counts are no more than so many, if there are several."""
    step = max(1, most_counts // (groups * group.cells))
    for first in range(0, group.features.size, step):
        end = first + step
        yield AlikeBets(group.features[first:end], group.bets[first:end])


def _form(bets: Bets) -> tuple[object, ...]:
    """What features must have in common to be weighed together."""
    tables = [
        (one.shape, one.varying.shape, one.varying.dtype, one.staked is None, one.starts.tobytes())
        for one in (bets.factors, bets.score_table)
    ]
    columns = (bets.log_weights, bets.score_of, bets.own_factors, bets.factor_of)
    return (*tables, *(column.tobytes() for column in columns), bets.main_scores, bets.buckets)
