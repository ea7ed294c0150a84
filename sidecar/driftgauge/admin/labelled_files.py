"""Labelled predictions as files, beside the inputs of the same rows as far as the ring still has them."""

import csv
import io
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from driftgauge.drift.outcomes.outcome_columns import LABEL
from driftgauge.drift.profile import FeatureKind, Profile
from driftgauge.inference.payload import printable
from driftgauge.protocol.missing_words import NO_WORDS
from driftgauge.reference.formats.driftgauge_npz import packed_window
from driftgauge.reference.label_columns import PREDICTION
from driftgauge.reference.table import Table
from driftgauge.storage.joined_rows import joined_rows
from driftgauge.storage.labels import LabelLayout
from driftgauge.storage.ring import Window

MAX_VALUES: Final = 4_000_000
"""Most values of a file, 32 MB: of more rows the newest ones are in it."""


@dataclass(frozen=True, slots=True, eq=False)
class ModelInputs:
    """The newest inputs of a model, and what leads to them from a label.

    Args:
        profiles: The columns of the requests.
        requests: The window of the requests.
        responses: The window of the responses.
        missing_words: Texts that are missing values in the reference.
    """

    profiles: Sequence[Profile]
    requests: Window
    responses: Window
    missing_words: frozenset[str] = NO_WORDS


@dataclass(frozen=True, slots=True, eq=False)
class LabelledTable:
    """Rows of a file of labels, in the order of the responses' times.

    Args:
        columns: Names as those of a reference: inputs, `prediction:` and `label:`.
        kinds: Their kinds.
        rows: Shape `(n, d)`, float64: numbers and codes; NaN is missing.
        texts: The texts of codes.
        times: Shape `(n,)`: when the responses passed, in seconds since the epoch.
        numbers: Shape `(n,)`: the number of each row in the stream of outcomes.
        ids: Shape `(n,)`: the digest of the id of its inference.
        places: Shape `(n,)`: the number of each row in its inference, from 0.
        missing_words: Texts that are missing values in the reference.
    """

    columns: tuple[str, ...]
    kinds: tuple[FeatureKind, ...]
    rows: NDArray[np.float64]
    texts: Mapping[float, str]
    times: NDArray[np.float64]
    numbers: NDArray[np.int64]
    ids: NDArray[np.uint64]
    places: NDArray[np.int64]
    missing_words: frozenset[str] = NO_WORDS


def labelled_rows(
    layout: LabelLayout,
    outcomes: Window,
    texts: Mapping[float, str],
    inputs: ModelInputs | None = None,
    *,
    complete: bool = False,
) -> LabelledTable:
    """Put the labels of a model beside the predictions and the inputs that they belong to.

    Args:
        layout: How the outcome rows are made of.
        outcomes: The labelled rows.
        texts: The texts of predicted classes and labels.
        inputs: The inputs; `None` if the model has none that are known, which leaves their columns out.
        complete: Leave out the rows whose inputs are not kept any more, as a reference has to.
    """
    names = (*(f"{PREDICTION}{name}" for name in layout.predictions), *(f"{LABEL}{name}" for name in layout.outputs))
    kinds, texts, rows = (*layout.kinds, *layout.output_kinds), dict(texts), outcomes.rows
    place = np.full(len(rows), -1)
    if inputs is not None:
        names = (*(one.name for one in inputs.profiles), *names)
        kinds = (*(one.kind for one in inputs.profiles), *kinds)
        texts |= {code: text for one in inputs.profiles for code, text in one.categories.items()}
        place = joined_rows(inputs.requests, inputs.responses, outcomes).requests
    kept = np.flatnonzero(place >= 0) if complete else np.arange(len(rows))
    kept = kept[-max(1, MAX_VALUES // len(names)) :]
    kept = kept[np.argsort(outcomes.times[kept], kind="stable")]
    rows = rows[kept]
    if inputs is not None:
        found = np.full((len(kept), len(inputs.profiles)), np.nan)
        is_known = place[kept] >= 0
        found[is_known] = inputs.requests.rows[place[kept][is_known]]
        rows = np.hstack([found, rows])
    return LabelledTable(
        names,
        kinds,
        rows,
        texts,
        outcomes.times[kept],
        outcomes.numbers[kept],
        outcomes.ids[kept],
        outcomes.places[kept],
        NO_WORDS if inputs is None else inputs.missing_words,
    )


def as_npz(labelled: LabelledTable) -> bytes:
    """Labelled rows as a file that a reference may be made of: `ids` says which inference a row is of."""
    table = Table(Path("window"), labelled.columns, labelled.kinds, labelled.rows, categories=dict(labelled.texts))
    table = replace(table, missing_words=labelled.missing_words)
    return packed_window(table, labelled.times, labelled.numbers, labelled.ids)


def as_csv(labelled: LabelledTable) -> bytes:
    """Labelled rows as CSV in UTF-8: the digest of the id, the row within the inference, the time, and the columns."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["id", "row", "time", *map(printable, labelled.columns)])
    heads = zip(labelled.ids.tolist(), labelled.places.tolist(), labelled.times.tolist(), strict=True)
    for (digest, place, time), values in zip(heads, labelled.rows, strict=True):
        pairs = zip(values.tolist(), labelled.kinds, strict=True)
        cells = [_cell(value, kind, labelled.texts) for value, kind in pairs]
        writer.writerow([f"{digest:016x}", place, repr(time), *cells])
    return text.getvalue().encode()


def _cell(value: float, kind: FeatureKind, texts: Mapping[float, str]) -> str:
    """A number with all its digits, the text of a category, and nothing for a missing value."""
    if math.isnan(value):
        return ""
    if kind is FeatureKind.CATEGORICAL:
        return printable(texts.get(value, f"#{value:.0f}"))
    return repr(value)
