"""The functions for notebooks and pipelines, which `import driftgauge` offers."""

import os
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from numbers import Real
from operator import index
from pathlib import Path
from typing import SupportsIndex

from driftgauge.drift.outcomes.labelled_output import TaskSettings
from driftgauge.drift.outcomes.outcome_columns import Task
from driftgauge.drift.rule import Rule
from driftgauge.drift.statistics.correction import Correction
from driftgauge.errors import ReferenceDataError
from driftgauge.offline.comparison import compare, window_rules
from driftgauge.offline.data import Data, as_table
from driftgauge.offline.label_rows import join_labels, label_kinds, rules_of_ids, rules_of_labels
from driftgauge.offline.report import Report, run_tests
from driftgauge.reference.column import ColumnRules, TimeRules
from driftgauge.reference.dataset import Reference, prepare
from driftgauge.reference.files import parse_table
from driftgauge.reference.formats.driftgauge_npz import check_output, packed, write_whole
from driftgauge.reference.sample import SampleSpec, draw_sample, sample_table
from driftgauge.reference.table import Table

_NO_LABELS: Mapping[str, str] = {}

_SAMPLED_SUFFIXES = (".csv", ".parquet")
"""Files of which a sample is drawn without reading them whole."""


def check(  # noqa: PLR0913 - each says something of its own, by name
    reference: Data | Reference,
    window: Data,
    *,
    alpha: float = 0.05,
    correction: str = "holm",
    min_rows: int = 1,
    missing_words: Sequence[str] = (),
    labels: Data | None = None,
    id_column: str = "",
) -> Report:
    """Test rows against a reference, feature by feature, and their predictions against their labels.

    Args:
        reference: The data to test against: a `Reference`, a path, a DataFrame (pandas, polars, pyarrow), a NumPy
            array of shape `(m, d)` or `(m,)`, a structured array, or a mapping of names to columns.
        window: The rows under test, in any of these forms but `Reference`. Columns are matched by name, or by position
            where one side has no names.
        alpha: Significance level of the whole window, in (0, 1).
        correction: How alpha is shared over the tests: `holm`, `bh`, `bonferroni`, or `none` for alpha each.
        min_rows: Fewest values of a feature that are tested, at least 1.
        missing_words: Texts that are missing values on both sides, besides the empty one. A `Reference` has its own.
        labels: The labels of the rows under test, if they are not in these rows: any of the forms of `window`, with
            columns `label:<output>`, or `label` if there is one output.
        id_column: The column that names the rows, in `window` and in `labels`.

    Returns:
        The report, the same as that of `driftgauge check`. Numbers are tested with `scipy.stats.ks_2samp` (its default
        method, which is exact for small samples), categories by total variation with a chi-square p-value, and
        missing values by their share. Outputs with columns `prediction:<output>` and `label:<output>` on both sides are
        tested too.

    Raises:
        ReferenceDataError: The data or an argument cannot be used; one sentence names it and the rule.

    Example:
        >>> report = check({"age": list(range(50))}, {"age": list(range(30, 80))})
        >>> report.drift, report.features[0].distance.statistic
        (True, 0.6)
    """
    rule = _rule(alpha, correction, min_rows)
    rules = ColumnRules(missing_words=_words(missing_words))
    if isinstance(reference, Reference) and not rules.missing_words <= reference.missing_words:
        raise ReferenceDataError("missing_words: the Reference has been read without them: give them to read_reference")
    expected = reference if isinstance(reference, Reference) else as_table(reference, "reference", rules)
    found, notes = _read_rows(expected, window, labels, _text(id_column, "id_column"))
    report = run_tests(compare(expected, found), rule)
    return replace(report, notes=(*report.notes, *notes)) if notes else report


def _read_rows(
    expected: Table | Reference, window: Data, labels: Data | None, id_column: str
) -> tuple[Table, tuple[str, ...]]:
    """The rows under test with their labels, and sentences on labels that could not be joined."""
    if (labels is None) != (id_column == ""):
        raise ReferenceDataError("labels: labels and id_column, the column that names the rows, belong together")
    rules = window_rules(expected)
    if labels is None:
        return as_table(window, "window", rules), ()
    kinds = label_kinds(expected)
    found = as_table(window, "window", rules_of_ids(rules, id_column))
    given = as_table(labels, "labels", rules_of_labels(kinds, id_column, expected.missing_words))
    return join_labels(found, given, id_column, kinds, keep_ids=id_column in expected.columns)


def read_reference(data: Data, *, missing_words: Sequence[str] = ()) -> Reference:
    """Read a reference.

    Args:
        data: A path, a DataFrame, an array or a mapping, as in `check`.
        missing_words: Texts that are missing values, also in the windows that are tested against the reference.

    Returns:
        The reference, every column sorted and ready to be tested against.

    Raises:
        ReferenceDataError: The data cannot serve as reference; one sentence says why.

    Example:
        >>> read_reference({"age": [31, 45, 27], "colour": ["red", "white", "red"]}).columns
        ('age', 'colour')
    """
    return prepare(as_table(data, "reference", ColumnRules(missing_words=_words(missing_words))), time.time())


def build_reference(  # noqa: PLR0913 - what can be said of the columns are arguments by name
    training: Data,
    output: str | os.PathLike[str] | None = None,
    *,
    rows: int | None = None,
    seed: int = 0,
    predictions: Sequence[str] = (),
    categorical: Sequence[str] = (),
    missing_words: Sequence[str] = (),
    time_column: str = "",
    ordered: bool = False,
    labels: Mapping[str, str] = _NO_LABELS,
    task: str = "auto",
    classes: Sequence[str] = (),
) -> Reference:
    """Draw a reference from training data, as `driftgauge reference build` does.

    Args:
        training: A path of a CSV or Parquet file of any size, or data in memory, as in `check`.
        output: Where to write the reference, a path that ends in `.npz`; `None` writes nothing.
        rows: Rows to keep, at least 1; `None` keeps 100,000, or fewer of very wide data.
        seed: Of the draw, at least 0; the same data and seed give the same reference.
        predictions: Columns that hold the model's predictions.
        categorical: Columns whose numbers are names, such as postal codes or codes of shops: they are tested as
            categories.
        missing_words: Texts that are missing values, also in requests and windows that are tested against the
            reference.
        time_column: The column that holds the time of each row: the newest whole weeks or days are kept, and it is no
            feature.
        ordered: The rows stand in the order of time: the last ones are kept.
        labels: The columns that hold labels, by the output whose labels they are: no features. Take rows that the model
            was not trained with.
        task: What the model does for the outputs with labels: `classification`, `regression`, or `auto` for what the
            rows show.
        classes: The classes, in the order of the class scores.

    Returns:
        The reference.

    Raises:
        ReferenceDataError: The training data cannot be used, or the reference cannot be written.

    Example:
        >>> build_reference({"age": [31, 45, 27]}, rows=2).rows
        2
    """
    spec = SampleSpec(
        None if rows is None else _whole(rows, "rows", 1),
        _whole(seed, "seed", 0),
        _names(predictions, "predictions"),
        _names(categorical, "categorical"),
        _words(missing_words),
        TimeRules(_text(time_column, "time_column"), bool(ordered)),
        _pairs(labels),
        TaskSettings(_task(task), _names(classes, "classes")),
    )
    path = Path("reference.npz" if output is None else output)
    check_output(path)
    content = packed(_draw(training, spec))
    reference = prepare(parse_table(path, content), time.time())
    if output is not None:
        write_whole(path, content)
    return reference


def _draw(training: Data, spec: SampleSpec) -> Table:
    if isinstance(training, str | os.PathLike) and Path(training).suffix.lower() in _SAMPLED_SUFFIXES:
        return draw_sample(Path(training), spec)
    return sample_table(as_table(training, "training", spec.rules), spec)


def _names(given: object, argument: str) -> tuple[str, ...]:
    """An argument that is one name of a column, or several."""
    names = (given,) if isinstance(given, str) else given
    if not isinstance(names, Sequence) or not all(isinstance(name, str) for name in names):
        raise ReferenceDataError(f"{argument}: must be names of columns; it is {given!r}")
    return tuple(names)


def _pairs(given: object) -> dict[str, str]:
    """The argument `labels`."""
    if not isinstance(given, Mapping) or not all(
        isinstance(one, str) and one for pair in given.items() for one in pair
    ):
        raise ReferenceDataError(f"labels: must be columns by the name of their output; it is {given!r}")
    if len(set(given.values())) < len(given):
        raise ReferenceDataError("labels: each column must be of one output")
    return dict(given)


def _task(given: object) -> Task | None:
    if not isinstance(given, str) or given not in {"auto", *Task}:
        raise ReferenceDataError(f"task: must be one of auto, {', '.join(Task)}; it is {given!r}")
    return None if given == "auto" else Task(given)


def _text(given: object, argument: str) -> str:
    """An argument that is text."""
    if not isinstance(given, str):
        raise ReferenceDataError(f"{argument}: must be text; it is {given!r}")
    return given


def _words(given: object) -> frozenset[str]:
    words = (given,) if isinstance(given, str) else given
    if not isinstance(words, Collection) or not all(isinstance(word, str) for word in words):
        raise ReferenceDataError(f"missing_words: must be texts; it is {given!r}")
    return frozenset(words) - {""}


def _whole(value: object, name: str, least: int) -> int:
    """An argument that is a whole number, also one of numpy's."""
    if not isinstance(value, SupportsIndex) or isinstance(value, bool) or index(value) < least:
        raise ReferenceDataError(f"{name}: must be a whole number, at least {least}; it is {value!r}")
    return index(value)


def _rule(alpha: object, correction: object, min_rows: object) -> Rule:
    if not isinstance(alpha, Real) or not 0 < float(alpha) < 1:
        raise ReferenceDataError(f"alpha: must be a number between 0 and 1; it is {alpha!r}")
    if not isinstance(correction, str) or correction not in set(Correction):
        raise ReferenceDataError(f"correction: must be one of {', '.join(Correction)}; it is {correction!r}")
    return Rule(float(alpha), Correction(correction), _whole(min_rows, "min_rows", 1))
