"""Puts features, predictions and labels of inferences together as the rows of an export."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from driftgauge import __version__
from driftgauge.admin.allowed_columns import RefusedColumnError
from driftgauge.admin.labelled_files import MAX_VALUES
from driftgauge.drift.outcomes.outcome_columns import LABEL
from driftgauge.drift.profile import FeatureKind
from driftgauge.protocol.missing_words import NO_WORDS
from driftgauge.reference.exported_rows import ExportedRows
from driftgauge.reference.label_columns import PREDICTION
from driftgauge.reference.table import Origin, Table
from driftgauge.storage.assembling import NO_ROWS
from driftgauge.storage.joined_rows import joined_rows, requests_of
from driftgauge.storage.labels import LabelLayout
from driftgauge.storage.ring import Window

_Floats = NDArray[np.float64]
_Indexes = NDArray[np.int64]


_NO_LABELS = LabelLayout((), (), (), ())


@dataclass(frozen=True, slots=True, eq=False)
class WindowColumns:
    """The window of requests or responses with its columns.

    Args:
        names: Names of the columns, without a prefix.
        kinds: Their kinds.
        window: The rows.
        texts: The texts of categories.
        missing_words: Texts that were read as missing values, besides the empty one.
    """

    names: tuple[str, ...] = ()
    kinds: tuple[FeatureKind, ...] = ()
    window: Window = NO_ROWS
    texts: Mapping[float, str] = field(default_factory=dict)
    missing_words: frozenset[str] = NO_WORDS


@dataclass(frozen=True, slots=True, eq=False)
class LabelledWindow:
    """The window of outcomes.

    Args:
        layout: What its rows are made of.
        window: The rows, each with the label of one output.
        texts: The texts of classes.
    """

    layout: LabelLayout = _NO_LABELS
    window: Window = NO_ROWS
    texts: Mapping[float, str] = field(default_factory=dict)


class _Rows(NamedTuple):
    """Which inference rows an export has: first those of the window of responses, then labelled ones that it lacks.

    Args:
        ids: Shape `(n,)`: the id by which labels find the row, else that of the request.
        places: Shape `(n,)`: the place in the inference.
        times: Shape `(n,)`: when the response passed.
        requests: Shape `(n,)`: the index of the features; -1 where they are not kept.
        of_outcomes: Shape `(m,)`: the row of each outcome.
        further: Shape `(k,)`: an outcome of each of the last k rows, which has the predictions of the row.
    """

    ids: NDArray[np.uint64]
    places: _Indexes
    times: _Floats
    requests: _Indexes
    of_outcomes: _Indexes
    further: _Indexes


def export_of(
    requests: WindowColumns,
    responses: WindowColumns,
    outcomes: LabelledWindow,
    revision: str,
    allows: Callable[[str], bool] = lambda _: True,
) -> ExportedRows | None:
    """The rows of all responses that are kept, and of all labelled predictions, each once.

    O((n + m) log(n + m)) for windows of n and m rows. A file has at most 4,000,000 values, of the newest rows; its
    origin says how many rows there were.

    Args:
        requests: Has the features.
        responses: Has the predictions.
        outcomes: Has predictions and labels.
        revision: Of the model.
        allows: Whether a column may leave the process.

    Returns:
        The rows in the order of the responses' times; `None` if there are none.

    Raises:
        RefusedColumnError: No column is allowed.
    """
    rows = _find_rows(requests.window, responses.window, outcomes.window)
    columns = [
        *_features(requests, rows),
        *_predictions(responses, outcomes, rows),
        *_labels(outcomes, rows),
    ]
    columns = [one for one in columns if allows(one.name)]
    if not rows.ids.size:
        return None
    if not columns:
        raise RefusedColumnError("no column is served: export_columns allows none of the model")
    kept = np.argsort(rows.times, kind="stable")[-max(1, MAX_VALUES // len(columns)) :]
    table = Table(
        path=Path("window"),
        columns=tuple(one.name for one in columns),
        kinds=tuple(one.kind for one in columns),
        values=np.column_stack([one.read()[kept] for one in columns]),
        categories={**requests.texts, **responses.texts, **outcomes.texts},
        missing_words=requests.missing_words,
        times=rows.times[kept],
        ordered=True,
        origin=Origin("a running process", "", rows.ids.size, 0, __version__),
    )
    revisions = np.full(kept.size, revision)
    return ExportedRows(table, rows.ids[kept], rows.places[kept], revisions, rows.requests[kept] >= 0)


def _find_rows(requests: Window, responses: Window, outcomes: Window) -> _Rows:
    joined = joined_rows(requests, responses, outcomes)
    count = len(responses.rows)
    lacking = np.flatnonzero(joined.responses < 0)
    keys = np.rec.fromarrays([outcomes.ids[lacking], outcomes.times[lacking], outcomes.places[lacking]])
    _, first, own = np.unique(keys, return_index=True, return_inverse=True)
    of_outcomes = joined.responses.copy()
    of_outcomes[lacking] = count + own
    further = lacking[first]
    ids = np.concatenate([responses.ids, outcomes.ids[further]])
    ids[of_outcomes] = outcomes.ids
    features = requests_of(responses.ids, responses.places, responses.times, requests)
    return _Rows(
        ids,
        np.concatenate([responses.places, outcomes.places[further]]),
        np.concatenate([responses.times, outcomes.times[further]]),
        np.concatenate([features, joined.requests[further]]),
        of_outcomes,
        further,
    )


class _Column(NamedTuple):
    """A column of the export, whose values are read only if it is wanted: shape `(n,)`."""

    name: str
    kind: FeatureKind
    read: Callable[[], _Floats]


def _features(requests: WindowColumns, rows: _Rows) -> Iterator[_Column]:
    def read(index: int) -> _Floats:
        found = np.full(rows.requests.shape, np.nan)
        found[rows.requests >= 0] = requests.window.rows[rows.requests[rows.requests >= 0], index]
        return found

    for index, (name, kind) in enumerate(zip(requests.names, requests.kinds, strict=True)):
        yield _Column(name, kind, partial(read, index))


def _predictions(responses: WindowColumns, outcomes: LabelledWindow, rows: _Rows) -> Iterator[_Column]:
    """The columns of outputs: of the responses, and of outcomes whose response is not kept.

    While a reference is replaced, the two may differ in their columns, or in the kind of one, which is then missing.
    """
    layout, count = outcomes.layout, len(responses.window.rows)
    own = {name: index for index, name in enumerate(responses.names)}
    others = {name: index for index, name in enumerate(layout.predictions)}

    def read(name: str, kind: FeatureKind) -> _Floats:
        values = np.full(rows.ids.shape, np.nan)
        if name in own:
            values[:count] = responses.window.rows[:, own[name]]
        if name in others and layout.kinds[others[name]] is kind:
            values[count:] = outcomes.window.rows[rows.further, others[name]]
        return values

    kinds = dict(zip(layout.predictions, layout.kinds, strict=True))
    kinds |= dict(zip(responses.names, responses.kinds, strict=True))
    for name in dict.fromkeys((*responses.names, *layout.predictions)):
        yield _Column(f"{PREDICTION}{name}", kinds[name], partial(read, name, kinds[name]))


def _labels(outcomes: LabelledWindow, rows: _Rows) -> Iterator[_Column]:
    """The columns of labels. Of an output with two labels, as a store that lost data may have, the newest counts."""
    layout = outcomes.layout

    def read(index: int) -> _Floats:
        given = outcomes.window.rows[:, len(layout.predictions) + index]
        values = np.full(rows.ids.shape, np.nan)
        values[rows.of_outcomes[~np.isnan(given)]] = given[~np.isnan(given)]
        return values

    for index, (output, kind) in enumerate(zip(layout.outputs, layout.output_kinds, strict=True)):
        yield _Column(f"{LABEL}{output}", kind, partial(read, index))
