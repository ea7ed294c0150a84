"""The results of an evaluation of outcomes: what the gauges, the JSON and the page are made of."""

from dataclasses import dataclass
from enum import StrEnum

from driftgauge.drift.outcomes.outcome_columns import Task
from driftgauge.drift.result import VerdictState


class OutcomeTest(StrEnum):
    """The two tests of outcomes, by their value of the label `test`."""

    PERFORMANCE = "performance"
    """Whether the model is wrong more often than on its reference."""

    CONCEPT = "concept"
    """Whether, given what the model said, the labels are what they were."""


class OutcomeSample(StrEnum):
    """The rows that a number is of, by the value of the label `sample`."""

    WINDOW = "window"
    """The labelled rows of the window."""

    WEIGHTED = "weighted"
    """The same, each bin of predictions weighted by its share of all responses."""

    REFERENCE = "reference"
    """The reference."""

    ESTIMATED = "estimated"
    """All responses, without labels: what the reference's accuracy in each bin of predictions leads to."""


class OutcomeReason(StrEnum):
    """Why there is no verdict on outcomes, by the value of the label `reason`; of several the first one is given."""

    NO_REFERENCE = "no_reference"
    STORE = "store"
    SELECTED = "selected"
    REFERENCE_SMALL = "reference_small"
    FEW_LABELS = "few_labels"
    ALIKE = "alike"
    THRESHOLD = "threshold"


class EstimateWithheld(StrEnum):
    """Why the performance is not estimated without labels."""

    NO_LABELS = "no_labels"
    """The reference has no labels of this output."""

    CONCEPT = "concept"
    """The concept test alarms: the relation that the estimate is based on has changed."""

    FEW_EXAMPLES = "few_examples"
    """More than 5 % of the responses lie in bins with under 100 rows of the reference, or of an unknown class."""

    OUTSIDE = "outside"
    """Inputs drift out of the range of the reference, where it has no rows."""

    BASELINE = "baseline"
    """Nothing but the first labelled rows stands for a reference, and no labels came since."""

    REGRESSION = "regression"
    """The output is a number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricValue:
    """One metric of one output.

    Args:
        metric: `accuracy`, `balanced_accuracy`, `f1` (macro), `log_loss`, `brier`, `roc_auc`, `calibration_error`; of
            numbers `mae`, `rmse`, `bias`, `r2`, `median_error`.
        sample: The rows that it is of.
        value: The value; NaN is never given, a metric that is not defined is left out.
        lower: Lower end of its 95 % interval; `None` if there is none.
        upper: Upper end.
    """

    metric: str
    sample: OutcomeSample
    value: float
    lower: float | None = None
    upper: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassValue:
    """One metric of one class of one output.

    Args:
        class_text: The text of the class; `(other)` for all that have no place of their own.
        metric: `precision`, `recall` or `f1`.
        sample: `window` or `reference`.
        value: In [0, 1].
        lower: Lower end of its 95 % interval; `None` if there is none.
        upper: Upper end.
    """

    class_text: str
    metric: str
    sample: OutcomeSample
    value: float
    lower: float | None = None
    upper: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Confusion:
    """How often each class was predicted for each label.

    Args:
        classes: The texts of the classes, `(other)` last if there are more.
        window: Rows of the window: one line for each label, in it one number for each predicted class.
        reference: The same of the reference.
    """

    classes: tuple[str, ...]
    window: tuple[tuple[int, ...], ...]
    reference: tuple[tuple[int, ...], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CalibrationBin:
    """One bin of the model's predictions, with how often they were right.

    Args:
        label: A short name: the predicted class, and the range of the confidence if the class has several bins.
        class_text: The predicted class; empty for numbers.
        lower: Least confidence (of a number: least prediction) of the bin; `None` if it is open.
        upper: Greatest one; `None` if it is open.
        reference_rows: Rows of the reference in it.
        window_rows: Labelled rows of the window in it.
        reference: Share of right predictions in the reference; of numbers the mean error (prediction - label).
        window: The same of the window; `None` without rows.
        tolerated_lower: Least share that is no change of concept.
        tolerated_upper: Greatest one.
    """

    label: str
    class_text: str
    lower: float | None
    upper: float | None
    reference_rows: int
    window_rows: int
    reference: float
    window: float | None
    tolerated_lower: float
    tolerated_upper: float


@dataclass(frozen=True, slots=True, kw_only=True)
class OutcomeUntested:
    """Why a test of outcomes has no verdict.

    Args:
        reason: What prevents it.
        explanation: What is too few, and what would be enough where that is known: a clause, without a full stop.
    """

    reason: OutcomeReason
    explanation: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OutcomeTestResult:
    """The result of one test of one output.

    Args:
        test: Which test.
        statistic: The evidence, log10 of seconds, at least 0.
        threshold: The evidence that alarms.
        drift: Whether it alarms.
        since: When the alarm began, seconds since the epoch; `None` without an alarm.
        detectable: What a rise of the mean loss (`performance`), or of the share of errors within the bin where that is
            least (`concept`), must exceed to be found with this reference, however long it lasts; `None` if none is.
        untested: Why there is no verdict; `None` if there is one.
    """

    test: OutcomeTest
    statistic: float
    threshold: float
    drift: bool
    since: float | None = None
    detectable: float | None = None
    untested: OutcomeUntested | None = None

    @property
    def state(self) -> VerdictState:
        """The state of the verdict: an alarm comes before a reason for no verdict."""
        if self.drift:
            return VerdictState.DRIFT
        return VerdictState.OK if self.untested is None else VerdictState.CANNOT_TELL


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputOutcome:
    """All results of one output.

    Args:
        output: Its name.
        task: What the model does.
        rows: Labelled rows of the window.
        effective_rows: How many independent rows they are worth, in (0, rows]; 0 without rows.
        reference_rows: Labelled rows of the reference.
        tests: `performance`, then `concept`.
        metrics: The metrics of each sample.
        class_values: Metrics of single classes; empty for a regression.
        class_rows: Labels of each class, by (text, sample).
        confusion: The confusion matrix; `None` for a regression.
        calibration: The bins of predictions.
        selection: Total variation between the bins of the labelled responses and those of all responses of the same
            time, in [0, 1]; `None` if it is unknown.
        estimate_withheld: Why nothing is estimated without labels; `None` if it is.
        reading: One sentence for a person on what the labels say.
    """

    output: str
    task: Task
    rows: int
    effective_rows: float
    reference_rows: int
    tests: tuple[OutcomeTestResult, ...]
    metrics: tuple[MetricValue, ...] = ()
    class_values: tuple[ClassValue, ...] = ()
    class_rows: tuple[tuple[str, OutcomeSample, int], ...] = ()
    confusion: Confusion | None = None
    calibration: tuple[CalibrationBin, ...] = ()
    selection: float | None = None
    estimate_withheld: EstimateWithheld | None = None
    reading: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class OutcomeReport:
    """All results of one window of outcomes.

    Args:
        outputs: The outputs with labels, at most 10.
        rows: Rows of the window, which are of all outputs.
        coverage: Share of the responses of the window's time that have a label, in [0, 1]; `None` if it is unknown.
        source: `reference` if the reference has labels, `baseline` if the first labelled rows stand for one.
        reading: One sentence on the whole.
    """

    outputs: tuple[OutputOutcome, ...]
    rows: int
    coverage: float | None
    source: str
    reading: str
