"""Columns of labels in a reference: they are no features, and make outputs whose predictions can be judged."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from driftgauge.drift.outcomes.labelled_output import (
    BY_CONTENT,
    MAX_REFERENCE_VALUES,
    LabelledOutputError,
    LabelledRows,
    TaskSettings,
    make_labelled_output,
    prediction_place,
)
from driftgauge.drift.outcomes.outcome_columns import LABEL, MAX_OUTPUTS, LabelledOutput
from driftgauge.drift.profile import FeatureKind, Profile
from driftgauge.errors import ReferenceDataError
from driftgauge.protocol.category import code
from driftgauge.reference.category_encoder import numbers_as_categories
from driftgauge.reference.cells import number
from driftgauge.reference.column import shortened
from driftgauge.reference.table import Table

PREDICTION: Final = "prediction:"
"""Prefix of a column that describes an output of the model; the name of the output follows."""


def output_name(column: str) -> str | None:
    """The output that a column describes; `None` if it describes an input."""
    return column.removeprefix(PREDICTION).strip() if column.startswith(PREDICTION) else None


def label_name(column: str) -> str | None:
    """The output whose labels a column holds; `None` if it holds none."""
    return column.removeprefix(LABEL).strip() if column.startswith(LABEL) else None


def without_labels(table: Table) -> Table:
    """The table without its columns of labels.

    Raises:
        ReferenceDataError: A column of labels has no name, or the name of another one.
    """
    names = [label_name(column) for column in table.columns]
    labels = [name for name in names if name is not None]
    if not labels:
        return table
    if "" in labels:
        raise ReferenceDataError(f"{table.path}: column {shortened(LABEL)} must name an output after the colon")
    repeated = next((name for name in labels if labels.count(name) > 1), None)
    if repeated is not None:
        raise ReferenceDataError(f"{table.path}: two columns hold the labels of the output {shortened(repeated)}")
    kept = [index for index, name in enumerate(names) if name is None]
    return replace(
        table,
        columns=tuple(table.columns[index] for index in kept),
        kinds=tuple(table.kinds[index] for index in kept),
        values=table.values[:, kept],
        left_out={name: why for name, why in table.left_out.items() if label_name(name) is None},
    )


def labelled_outputs(
    table: Table, predictions: Sequence[Profile]
) -> tuple[tuple[LabelledOutput, ...], tuple[str, ...]]:
    """The outputs of a table that have predictions and labels.

    Args:
        table: The table, with its columns of labels.
        predictions: The columns of the outputs, as the reference has them.

    Returns:
        The outputs, at most 10, and sentences on what is amiss with them, the most serious first.
    """
    found: list[LabelledOutput] = []
    remarks: list[str] = []
    names = {name: index for index, column in enumerate(table.columns) if (name := label_name(column)) is not None}
    outputs = [index for index, column in enumerate(table.columns) if output_name(column) is not None]
    most = MAX_REFERENCE_VALUES // max(1, min(MAX_OUTPUTS, len(names)))
    columns, kinds = [one.name for one in predictions], [one.kind for one in predictions]
    for name, place in names.items():
        if len(found) == MAX_OUTPUTS:
            remarks.append(f"output {shortened(name)} is not judged: labels of at most {MAX_OUTPUTS} outputs are taken")
            continue
        settings = table.tasks.get(name, BY_CONTENT)
        try:
            prediction = prediction_place(name, columns, kinds)
            rows = _rows(table, outputs, place, kinds[prediction], settings)
            rows = replace(rows, columns=columns, kinds=kinds, label_place=len(columns) + len(found), most_values=most)
            made = make_labelled_output(name, rows, settings)
        except LabelledOutputError as error:
            remarks.append(f"output {shortened(name)} {error}")
            continue
        found.append(made)
        remarks += [f"output {shortened(name)} {remark}" for remark in made.remarks]
    return tuple(found), (*warnings_of(found), *remarks)


def warnings_of(outputs: Sequence[LabelledOutput]) -> tuple[str, ...]:
    """Sentences on outputs whose reference is not to be trusted."""
    return tuple(f"output {shortened(one.name)} {one.warning}" for one in outputs if one.warning)


def _rows(
    table: Table, outputs: Sequence[int], place: int, prediction_kind: FeatureKind, settings: TaskSettings
) -> LabelledRows:
    """The rows of a table for one output, with labels of the kind that its predictions have."""
    kind, labels, texts = table.kinds[place], table.values[:, place], dict(table.categories)
    if kind is FeatureKind.IGNORED:
        why = table.left_out.get(table.columns[place], "is left out")
        raise LabelledOutputError(f"is not judged, since the column of its labels {why}")
    if kind is FeatureKind.NUMERIC and (prediction_kind is FeatureKind.CATEGORICAL or _are_texts(settings)):
        column = numbers_as_categories(table.path, table.columns[place], labels)
        kind, labels, texts = column.kind, column.values, texts | dict(column.categories)
    return LabelledRows(
        columns=(),
        kinds=(),
        predictions=table.values[:, list(outputs)],
        labels=labels,
        label_kind=kind,
        label_place=0,
        texts=texts,
        code_of={text: _code(text, kind) for text in settings.classes},
        requests=_requests(table.times),
    )


def _are_texts(settings: TaskSettings) -> bool:
    """Whether a person has named classes that are no numbers."""
    return any(number(text) is None for text in settings.classes)


def _code(text: str, kind: FeatureKind) -> float:
    """The code of a class as labels of this kind have it."""
    if kind is FeatureKind.CATEGORICAL:
        return code(text)
    return number(text) or 0.0


def _requests(times: NDArray[np.float64] | None) -> NDArray[np.int64] | None:
    """A number for each row that is equal for rows of one time; `None` without times."""
    return None if times is None else np.cumsum(np.diff(times, prepend=-np.inf) > 0, dtype=np.int64)


def with_labels(table: Table, labels: Mapping[str, str], settings: TaskSettings) -> Table:
    """The table with some columns named as labels, and with what a person has said of all outputs that have labels.

    Args:
        table: The table, which has these columns.
        labels: The columns, by the output whose labels they hold.
        settings: What the person has said.

    Raises:
        ReferenceDataError: A task or classes are given, and there are no labels.
    """
    table = renamed(table, {column: f"{LABEL}{output}" for output, column in labels.items()})
    if settings == BY_CONTENT:
        return table
    outputs = [name for column in table.columns if (name := label_name(column)) is not None]
    if not outputs:
        raise ReferenceDataError(f"{table.path}: a task or classes are given, and there is no column of labels")
    return replace(table, tasks=dict.fromkeys(outputs, settings))


def renamed(table: Table, names: Mapping[str, str]) -> Table:
    """The table with other names for some columns."""
    return replace(
        table,
        columns=tuple(names.get(name, name) for name in table.columns),
        left_out={names.get(name, name): why for name, why in table.left_out.items()},
    )
