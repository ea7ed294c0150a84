"""Labels of the rows under test: columns of their own, or of another dataset that names rows by an id."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from driftgauge.drift.outcomes.outcome_columns import LABEL
from driftgauge.drift.profile import FeatureKind
from driftgauge.errors import ReferenceDataError
from driftgauge.offline.outcome_tests import OutcomePair
from driftgauge.reference.column import ColumnRules, shortened
from driftgauge.reference.dataset import Reference
from driftgauge.reference.kinds import as_kind
from driftgauge.reference.label_columns import PREDICTION, label_name
from driftgauge.reference.table import Table

ONLY_LABEL = "label"
"""The column of labels in a dataset of labels of one output."""


def pair_outcomes(reference: Reference, window: Table) -> tuple[tuple[OutcomePair, ...], tuple[str, ...]]:
    """The outputs with predictions and labels on both sides.

    Args:
        reference: The reference.
        window: The rows under test, with their columns of labels.

    Returns:
        The outputs, and sentences on those that the window lacks.

    Raises:
        ReferenceDataError: A column cannot be converted to the kind that it has in the reference.
    """
    places = {name: index for index, name in enumerate(window.columns)}
    pairs, notes = [], []
    for output in reference.labelled:
        prediction = f"{PREDICTION}{reference.prediction_columns[output.places.prediction]}"
        lacking = next((name for name in (f"{LABEL}{output.name}", prediction) if name not in places), None)
        if lacking is not None:
            notes.append(f"{window.path}: output {shortened(output.name)} is not tested: it has no column {lacking}")
            continue
        rows = _predictions(reference, window, places)
        labels = as_kind(window, places[f"{LABEL}{output.name}"], output.label_kind)
        at_end = replace(output.places, label=rows.shape[1])
        pairs.append(OutcomePair(output, at_end.columns(np.column_stack([rows, labels])), window.times))
    return tuple(pairs), tuple(notes)


def _predictions(reference: Reference, window: Table, places: Mapping[str, int]) -> NDArray[np.float64]:
    """The predictions of the window in the order of the reference's, NaN in a column that it lacks."""
    rows = np.full((window.values.shape[0], len(reference.predictions)), np.nan)
    for index, profile in enumerate(reference.predictions):
        place = places.get(f"{PREDICTION}{profile.name}")
        if place is not None:
            rows[:, index] = as_kind(window, place, profile.kind)
    return rows


def label_kinds(reference: Table | Reference) -> dict[str, FeatureKind]:
    """The kind of the labels of each output that has any, by the name of the output."""
    if isinstance(reference, Reference):
        return {output.name: output.label_kind for output in reference.labelled}
    named = ((label_name(column), kind) for column, kind in zip(reference.columns, reference.kinds, strict=True))
    return {name: kind for name, kind in named if name is not None}


def rules_of_ids(rules: ColumnRules, id_column: str) -> ColumnRules:
    """The rules of a window whose rows are named by a column: one that is no feature is read as texts."""
    kind = rules.kinds.get(id_column, FeatureKind.IGNORED)
    return rules if kind is not FeatureKind.IGNORED else _with_kinds(rules, {id_column: FeatureKind.CATEGORICAL})


def rules_of_labels(kinds: Mapping[str, FeatureKind], id_column: str, missing_words: frozenset[str]) -> ColumnRules:
    """How a dataset of labels is read.

    Args:
        kinds: The kind of the labels of each output.
        id_column: The column that names rows.
        missing_words: Texts that are missing values.
    """
    known = {f"{LABEL}{name}": kind for name, kind in kinds.items()} | {id_column: FeatureKind.CATEGORICAL}
    if len(kinds) == 1:
        known[ONLY_LABEL] = next(iter(kinds.values()))
    return ColumnRules(known, missing_words, FeatureKind.IGNORED)


def join_labels(
    window: Table, labels: Table, id_column: str, kinds: Mapping[str, FeatureKind], *, keep_ids: bool
) -> tuple[Table, tuple[str, ...]]:
    """The rows under test with the labels of another dataset.

    Args:
        window: The rows under test, each with an id.
        labels: The labels, each with an id; of several for one id the last one counts.
        id_column: The column of the ids on both sides.
        kinds: The kind of the labels of each output of the reference.
        keep_ids: The reference has this column too, so that it stays.

    Returns:
        The window with its columns of labels, and sentences on rows and labels that could not be joined.

    Raises:
        ReferenceDataError: A column is missing.
    """
    for table in (window, labels):
        if id_column not in table.columns:
            raise ReferenceDataError(f"{table.path}: there is no column {shortened(id_column)} that names the rows")
    given = {
        next(iter(kinds)) if name == ONLY_LABEL else str(label_name(name)): index
        for index, name in enumerate(labels.columns)
        if (name == ONLY_LABEL and len(kinds) == 1) or label_name(name) in kinds
    }
    if not given:
        wanted = " or ".join([*([ONLY_LABEL] if len(kinds) == 1 else []), *(f"{LABEL}{name}" for name in kinds)])
        raise ReferenceDataError(f"{labels.path}: there is no column {wanted or 'of labels: the reference has none'}")
    place = window.columns.index(id_column)
    rows = as_kind(window, place, FeatureKind.CATEGORICAL)
    ids = as_kind(labels, labels.columns.index(id_column), FeatureKind.CATEGORICAL)
    row_of, notes = _rows_of_ids(window, labels, rows, ids)
    joined = window if keep_ids else _without(window, place)
    for name, index in given.items():
        values = np.full(rows.size, np.nan)
        values[row_of >= 0] = labels.values[row_of[row_of >= 0], index]
        joined = _with_column(joined, f"{LABEL}{name}", labels.kinds[index], values)
    return replace(joined, categories={**labels.categories, **joined.categories}), notes


def _rows_of_ids(
    window: Table, labels: Table, rows: NDArray[np.float64], ids: NDArray[np.float64]
) -> tuple[NDArray[np.intp], tuple[str, ...]]:
    """For each row of the window the row of its label, or -1, and what could not be joined."""
    distinct, last = np.unique(ids[::-1], return_index=True)  # NaN is last, and equals nothing below
    last = ids.size - 1 - last
    at = np.minimum(np.searchsorted(distinct, rows), distinct.size - 1)
    row_of = np.where(distinct[at] == rows, last[at], -1)
    found, counts = np.unique(rows[~np.isnan(rows)], return_counts=True)
    repeated = np.isin(rows, found[counts > 1])
    row_of[repeated] = -1
    notes = []
    if repeated.any():
        notes.append(f"{window.path}: {np.count_nonzero(repeated)} rows have the id of another row: they get no label")
    unknown = int(np.count_nonzero(~np.isin(ids, rows)))
    if unknown:
        notes.append(f"{labels.path}: {unknown} of {ids.size} labels are of no row of {window.path}")
    return row_of, tuple(notes)


def _with_kinds(rules: ColumnRules, kinds: Mapping[str, FeatureKind]) -> ColumnRules:
    return replace(rules, kinds={**rules.kinds, **kinds})


def _without(table: Table, place: int) -> Table:
    return replace(
        table,
        columns=(*table.columns[:place], *table.columns[place + 1 :]),
        kinds=(*table.kinds[:place], *table.kinds[place + 1 :]),
        values=np.delete(table.values, place, axis=1),
    )


def _with_column(table: Table, name: str, kind: FeatureKind, values: NDArray[np.float64]) -> Table:
    """The table with a column, which replaces one of the same name."""
    table = _without(table, table.columns.index(name)) if name in table.columns else table
    return replace(
        table,
        columns=(*table.columns, name),
        kinds=(*table.kinds, kind),
        values=np.column_stack([table.values, values]),
    )
