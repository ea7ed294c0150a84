"""Makes a labelled output of rows with predictions and labels: its task, its classes, and where its columns are."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from driftgauge.drift.outcomes.outcome_columns import ColumnPlaces, Floats, LabelledOutput, OutcomeColumns, Task
from driftgauge.drift.profile import FeatureKind

MAX_CLASSES = 20
"""Most classes with metrics of their own; most values of whole numbers that are classes."""

MAX_REFERENCE_VALUES = 500_000
"""Rows times columns of the references of all outputs of a model: 4 MB. Of more rows, as many at equal distances are
kept."""

_CLASS, _CONFIDENCE = "_class", "_confidence"
"""Endings of columns that are derived from class scores."""

_SUSPECT_ROWS = 100
"""So many rows without any error make one suspect that the model was trained with them."""

_TRAINING_ROWS = (
    "is predicted without any error in {rows} rows: the model was trained with these rows, or the labels were made "
    "from the predictions; take rows that the model has not seen, else its errors from now on are taken for a change"
)

_BINARY = 2


class LabelledOutputError(ValueError):
    """An output has labels and cannot be judged; the message is a clause with the output as its subject."""


@dataclass(frozen=True, slots=True)
class TaskSettings:
    """What a person has said of an output.

    Args:
        task: What the model does; `None` if the rows decide.
        classes: The text of each class, in the order of the class scores; empty if unknown.
    """

    task: Task | None = None
    classes: tuple[str, ...] = ()


BY_CONTENT = TaskSettings()
"""Nothing is known, the rows decide."""


@dataclass(frozen=True, slots=True, eq=False)
class LabelledRows:
    """Rows of all predictions of a model with the labels of one output.

    Args:
        columns: Names of the predictions.
        kinds: Their kinds.
        predictions: Shape `(n, k)`, float64.
        labels: Shape `(n,)`, float64: numbers or codes; NaN is missing.
        label_kind: Whether they are numbers or categories; categories wherever the prediction is one.
        label_place: Index of the labels in a row of outcomes.
        texts: The texts of codes.
        code_of: The codes of the classes that a person has named, by their text, as labels have them.
        requests: Shape `(n,)`, ascending: equal for rows that came together; `None` if unknown.
        most_values: Most values of the reference of the output, rows times columns.
    """

    columns: Sequence[str]
    kinds: Sequence[FeatureKind]
    predictions: Floats
    labels: Floats
    label_kind: FeatureKind
    label_place: int
    texts: Mapping[float, str] = field(default_factory=dict)
    code_of: Mapping[str, float] = field(default_factory=dict)
    requests: NDArray[np.int64] | None = None
    most_values: int = MAX_REFERENCE_VALUES


def prediction_place(output: str, columns: Sequence[str], kinds: Sequence[FeatureKind]) -> int:
    """The index of the column with the predictions of an output: that of its name, else `<output>_class`.

    Raises:
        LabelledOutputError: There is none, or it is left out of the tests.
    """
    for name in (output, output + _CLASS):
        if name in columns:
            place = columns.index(name)
            if kinds[place] is FeatureKind.IGNORED:
                raise LabelledOutputError(f"has a column prediction:{name} that is left out of the reference")
            return place
    raise LabelledOutputError(f"has labels and no column prediction:{output} or prediction:{output}{_CLASS}")


def make_labelled_output(output: str, rows: LabelledRows, settings: TaskSettings = BY_CONTENT) -> LabelledOutput:
    """Make an output of the rows that have a prediction and a label.

    Args:
        output: Its name.
        rows: All rows.
        settings: What a person has said.

    Raises:
        LabelledOutputError: There are no such rows, or predictions and labels do not fit each other or the task.
    """
    place = prediction_place(output, rows.columns, rows.kinds)
    kept = np.flatnonzero(~(np.isnan(rows.predictions[:, place]) | np.isnan(rows.labels)))
    if not kept.size:
        raise LabelledOutputError("has no row with both a prediction and a label")
    known = _OutputRows(output, rows, kept, place, settings)
    task = known.task
    if task is Task.REGRESSION:
        if FeatureKind.CATEGORICAL in {rows.label_kind, rows.kinds[place]}:
            raise LabelledOutputError("is a regression, and its labels or predictions are text")
        return known.made(task, (), (), ColumnPlaces(place, rows.label_place))
    return known.classification()


class _OutputRows:
    """An output that is being made."""

    def __init__(
        self,
        output: str,
        rows: LabelledRows,
        kept: NDArray[np.intp],
        place: int,
        settings: TaskSettings,
    ) -> None:
        self._output, self._rows, self._settings, self._place = output, rows, settings, place
        self._kept = kept
        self._predictions, self._labels = rows.predictions[kept, place], rows.labels[kept]
        self._scores = [rows.columns.index(name) for name in self._score_names()]
        self._remarks: list[str] = []

    def _score_names(self) -> list[str]:
        """The columns of class scores: `<output>_0`, `<output>_1`, ..."""
        names: list[str] = []
        while (name := f"{self._output}_{len(names)}") in self._rows.columns:
            names.append(name)
        return names if len(names) >= _BINARY else []

    @property
    def task(self) -> Task:
        """The task: as a person says, else by the content of the rows."""
        if self._settings.task is not None:
            return self._settings.task
        kinds = {self._rows.label_kind, self._rows.kinds[self._place]}
        if self._settings.classes or self._scores or FeatureKind.CATEGORICAL in kinds or self._is_probability:
            return Task.CLASSIFICATION
        values = np.unique(np.concatenate([np.unique(self._predictions), np.unique(self._labels)]))
        few = values.size <= MAX_CLASSES and bool((values == np.floor(values)).all())
        return Task.CLASSIFICATION if few else Task.REGRESSION

    @property
    def _is_probability(self) -> bool:
        """Whether the predictions are probabilities of one of two classes."""
        if self._rows.kinds[self._place] is not FeatureKind.NUMERIC or self._scores:
            return False
        given = self._predictions
        inside = bool(((given >= 0) & (given <= 1)).all())
        return inside and not bool((given == np.floor(given)).all()) and self._two_classes() is not None

    def _two_classes(self) -> tuple[float, float] | None:
        """The codes of the two classes, the second is that of a high probability; `None` if there are not two."""
        if self._settings.classes:
            codes = self._named_codes()
            return (codes[0], codes[1]) if len(codes) == _BINARY else None
        found = np.unique(self._labels).tolist()
        if self._rows.label_kind is FeatureKind.CATEGORICAL or not set(found) <= {0.0, 1.0}:
            return None
        return 0.0, 1.0

    def _named_codes(self) -> list[float]:
        return [self._rows.code_of[text] for text in self._settings.classes]

    def classification(self) -> LabelledOutput:
        """The output as one of classes."""
        both = self._two_classes() if self._is_probability else None
        if both is not None:
            places = ColumnPlaces(self._place, self._rows.label_place, probability_of=both)
            return self.made(Task.CLASSIFICATION, both, self._texts(both), places)
        codes = self._index_codes()
        if not codes and self._rows.kinds[self._place] is not self._rows.label_kind:
            raise LabelledOutputError(
                "has text as labels and numbers as predictions: name the classes, in the order of their scores, with "
                "driftgauge reference build --classes"
            )
        if codes:
            self._predictions = ColumnPlaces(0, 0, codes=codes).columns(self._predictions[:, np.newaxis]).predictions
        classes = self._classes()
        places = ColumnPlaces(
            self._place, self._rows.label_place, self._confidence(), self._score_places(classes), codes=codes
        )
        return self.made(Task.CLASSIFICATION, classes, self._texts(classes), places)

    def _index_codes(self) -> tuple[tuple[float, float], ...]:
        """The code of each named class by its index, where predictions are indices; empty if they are none."""
        if not self._settings.classes:
            return ()
        named = self._named_codes()
        if self._rows.kinds[self._place] is FeatureKind.NUMERIC:
            indices: dict[float, float] = {float(index): code for index, code in enumerate(named)}
        else:
            by_text = {text: code for code, text in self._rows.texts.items()}
            indices = {by_text[str(index)]: code for index, code in enumerate(named) if str(index) in by_text}
        found = set(np.unique(self._predictions).tolist())
        return tuple(indices.items()) if found <= indices.keys() and not found <= set(named) else ()

    def _classes(self) -> tuple[float, ...]:
        """The most frequent classes: by their labels, then by their predictions."""
        found = np.unique(np.concatenate([self._labels, self._predictions, self._named_codes()]))
        counts = [
            np.bincount(np.searchsorted(found, values), minlength=found.size)
            for values in (self._labels, self._predictions)
        ]
        order = np.lexsort((found, -counts[1], -counts[0]))
        return tuple(found[order][:MAX_CLASSES].tolist())

    def _confidence(self) -> int | None:
        """The column of the confidence: `<output>_confidence`; of the only output any one column of this ending."""
        columns = self._rows.columns
        others = [name for name in columns if name != self._output and not name.startswith(f"{self._output}_")]
        is_only = all(name.endswith(_CONFIDENCE) for name in others)
        every = [index for index, name in enumerate(columns) if name.endswith(_CONFIDENCE)]
        own = [index for index in every if columns[index] == self._output + _CONFIDENCE]
        found = own or (every if len(every) == 1 and is_only else [])
        return found[0] if found and self._rows.kinds[found[0]] is FeatureKind.NUMERIC else None

    def _score_places(self, classes: tuple[float, ...]) -> tuple[int, ...]:
        """The score of each class; empty if there are none, or it is not known whose they are."""
        if not self._scores:
            return ()
        order = self._named_codes() or self._numbered_codes()
        if set(order) != set(classes) or len(order) != len(self._scores):
            self._remarks.append(
                f"has {len(self._scores)} scores that are not used: at most {MAX_CLASSES} classes, one for each score, "
                "named in their order with --classes, have scores"
            )
            return ()
        return tuple(self._scores[order.index(code)] for code in classes)

    def _numbered_codes(self) -> list[float]:
        """The codes of the classes 0, 1, ..., one for each score."""
        if self._rows.label_kind is FeatureKind.NUMERIC:
            return [float(index) for index in range(len(self._scores))]
        by_text = {text: code for code, text in self._rows.texts.items()}
        return [by_text[str(index)] for index in range(len(self._scores)) if str(index) in by_text]

    def _texts(self, classes: Sequence[float]) -> tuple[str, ...]:
        """The text of each class."""
        named = dict(zip(self._named_codes(), self._settings.classes, strict=True))
        return tuple(named.get(code) or self._text(code) for code in classes)

    def _text(self, code: float) -> str:
        if self._rows.label_kind is FeatureKind.CATEGORICAL:
            return self._rows.texts.get(code, f"#{code:.0f}")
        return str(int(code)) if code.is_integer() else repr(code)

    def made(self, task: Task, classes: Sequence[float], texts: Sequence[str], places: ColumnPlaces) -> LabelledOutput:
        """The output with its reference, of as many rows as may be kept."""
        reference, requests = self._reference(places)
        wrong = int(np.count_nonzero(reference.predictions != reference.labels))
        rows = reference.labels.size
        return LabelledOutput(
            name=self._output,
            task=task,
            classes=tuple(classes),
            class_texts=tuple(texts),
            places=places,
            reference=reference,
            requests=requests,
            label_kind=self._rows.label_kind,
            remarks=tuple(self._remarks),
            warning=_TRAINING_ROWS.format(rows=rows) if rows >= _SUSPECT_ROWS and not wrong else "",
        )

    def _reference(self, places: ColumnPlaces) -> tuple[OutcomeColumns, NDArray[np.int64] | None]:
        """The columns of the rows that are kept, read-only, and the requests of these rows."""
        width = 2 + (places.confidence is not None or places.probability_of is not None) + len(places.scores)
        width += 2 * (places.probability_of is not None)
        most = self._rows.most_values // width
        kept = self._kept
        if kept.size > most:
            kept = kept[np.arange(most) * kept.size // most]
        label = self._rows.predictions.shape[1]
        every = np.column_stack([self._rows.predictions[kept], self._rows.labels[kept]])
        columns = replace(places, label=label).columns(every)
        parts = (columns.predictions, columns.labels, columns.confidence, columns.scores)
        requests = None if self._rows.requests is None else self._rows.requests[kept]
        return OutcomeColumns(*map(_fixed, parts)), requests  # type: ignore[arg-type] # the first two are no None


def _fixed(array: Floats | None) -> Floats | None:
    """A copy of an array that cannot be written to."""
    if array is None:
        return None
    copied = np.array(array, dtype=np.float64)
    copied.flags.writeable = False
    return copied
