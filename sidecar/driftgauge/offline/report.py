"""The report of a check: as values, JSON, a page or a short table."""

import html
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from driftgauge.drift.outcomes.prediction_bins import PredictionBins
from driftgauge.drift.result import CannotTellReason, DriftReport, FeatureDrift, VerdictState
from driftgauge.drift.rule import Rule
from driftgauge.drift.severity import most_severe_test
from driftgauge.drift.state_words import STATES
from driftgauge.drift.statistics.correction import p_value_thresholds
from driftgauge.drift.untested import by_explanation, enumerated
from driftgauge.drift.window_tester import evaluate
from driftgauge.errors import ReferenceDataError
from driftgauge.inference.payload import printable
from driftgauge.offline.comparison import Comparison, Dataset
from driftgauge.offline.ks_2samp import Ks2sampPValues
from driftgauge.offline.outcome_report_forms import outcome_as_values, outcome_boxes, outcome_html
from driftgauge.offline.outcome_tests import OutcomeCheck, judge_outcomes, outcome_p_values
from driftgauge.page.as_json import report_as_json
from driftgauge.page.contents import Facts, Page, part_of
from driftgauge.page.document import render

FEW_ROWS = 200
"""With fewer rows a note is given; the default of the option `min_rows`."""

SHOWN_FEATURES = 20
"""Features in the short table."""

_BY_URGENCY = (VerdictState.DRIFT, VerdictState.CANNOT_TELL, VerdictState.OK)

_NAME_CHARACTERS = 24
_FRAME_PIXELS = 640


@dataclass(frozen=True, eq=False, repr=False)
class Report:
    """What the tests found when rows were compared with a reference.

    In a notebook it is shown as a page in a frame of its own, so that neither its style nor its script, which sorts the
    table, reaches the notebook.

    Args:
        comparison: What was compared.
        rule: Level, correction and least rows.
        result: The results of all tests.
        notes: Sentences that a reader should know before trusting the verdict.
        outcomes: The results of each output with labels on both sides.
    """

    comparison: Comparison
    rule: Rule
    result: DriftReport
    notes: tuple[str, ...]
    outcomes: tuple[OutcomeCheck, ...] = ()

    @property
    def features(self) -> tuple[FeatureDrift, ...]:
        """The features with results, in the reference's order."""
        return self.result.features

    @property
    def state(self) -> VerdictState:
        """`drift` if any feature or output drifts, `ok` if all have a verdict and none drifts, else `cannot_tell`."""
        states = {self.result.state, *(outcome.state for outcome in self.outcomes)}
        return next(state for state in _BY_URGENCY if state in states)

    @property
    def reason(self) -> CannotTellReason | None:
        """Why the features have no verdict: of several reasons the first; `None` where they have one."""
        return self.result.reason

    @property
    def drift(self) -> bool | None:
        """Whether any feature or output drifts: the state as `True`, `False`, or `None` for `cannot_tell`."""
        return None if self.state is VerdictState.CANNOT_TELL else self.state is VerdictState.DRIFT

    def to_dict(self) -> dict[str, Any]:
        """The report as plain values, as `driftgauge check --format json` prints it."""
        result = report_as_json(self.result)
        del result["rows"]  # is with the window
        return {
            "reference": _source(self.comparison.expected),
            "window": _source(self.comparison.found),
            "rule": {
                "alpha": self.rule.alpha,
                "correction": str(self.rule.correction),
                "min_rows": self.rule.min_rows,
            },
            **result,
            **outcomes_as_values(self),
            "notes": [printable(note) for note in self.notes],
        }

    def to_json(self) -> str:
        """`to_dict` as JSON text."""
        return json.dumps(self.to_dict(), indent=2, allow_nan=False) + "\n"

    def to_html(self) -> str:
        """The report as one self-contained page, in ASCII."""
        expected, found = self.comparison.expected, self.comparison.found
        facts = Facts(
            window=str(found.path),
            reference=str(expected.path),
            reference_rows=expected.rows,
            digest=expected.digest,
            rule=f"p-value under {self.rule.alpha:g} after correction ({self.rule.correction})",
            notes=self.notes,
        )
        part = part_of("", self.comparison.profiles, self.comparison.values, self.result, facts)
        page = render(
            Page(
                f"{found.path.name} against {expected.path.name}",
                (part,),
                beside=outcome_boxes(self.outcomes),
                below=outcome_html(self.outcomes),
            )
        )
        return page.encode("ascii", "xmlcharrefreplace").decode()  # any terminal or file can hold it

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the report to a file.

        Args:
            path: Ends in `.html` for a page or in `.json`; a file that is there is replaced.

        Raises:
            ReferenceDataError: The path has another extension, or it cannot be written.
        """
        target = Path(path)
        writers = {".html": self.to_html, ".json": self.to_json}
        writer = writers.get(target.suffix.lower())
        if writer is None:
            raise ReferenceDataError(f"{target}: the extension must be one of {', '.join(writers)}")
        try:
            target.write_text(writer(), encoding="utf-8")
        except OSError as error:
            raise ReferenceDataError(f"{target}: it cannot be written: {error.strerror}") from error

    def _repr_html_(self) -> str:
        # Links within a `srcdoc` page would lead to the notebook's own address without this base.
        page = html.escape(self.to_html().replace("<head>", '<head><base href="about:srcdoc">', 1))
        style = f"width:100%;height:{_FRAME_PIXELS}px;border:0"
        return f'<iframe title="driftgauge report" sandbox="allow-scripts" style="{style}" srcdoc="{page}"></iframe>'

    def __repr__(self) -> str:
        """A short table, the largest distance first, the features without a verdict, and the verdict."""
        outcomes = (outcome.reading for outcome in self.outcomes)
        notes = (f"note: {note}" for note in self.notes)
        return "\n".join([*_lines(self.result), *untested_lines(self.result), self.result.reading, *outcomes, *notes])


def run_tests(comparison: Comparison, rule: Rule) -> Report:
    """Test the rows of a comparison.

    Args:
        comparison: A reference and the rows under test.
        rule: Level, correction and least rows.

    Notes:
        The p-values of numbers are those of `scipy.stats.ks_2samp`; missing values are left out before the test. The
        shares of categories and of missing values have tests of their own. Labelled outputs have two tests each. The
        correction is over all of them together. A report is used as a gate, so that it has no verdict if it has none on
        a single feature or output.
    """
    bins = [PredictionBins.of(pair.output) for pair in comparison.outcomes]
    outcome_p = [
        outcome_p_values(pair, each, rule.min_rows) for pair, each in zip(comparison.outcomes, bins, strict=True)
    ]
    beside = tuple(p_value for both in outcome_p for p_value in both if p_value is not None)
    result = evaluate(comparison.profiles, comparison.values, replace(rule, beside=beside), Ks2sampPValues())
    levels = iter(_levels(result, beside, rule).tolist())
    outcomes = tuple(judge_outcomes(comparison.outcomes, bins, outcome_p, levels, rule.min_rows))
    notes = (*comparison.notes, *_notes(comparison))
    return Report(comparison, rule, replace(result, drift=result.overall), notes, outcomes)


def _levels(result: DriftReport, beside: tuple[float, ...], rule: Rule) -> NDArray[np.float64]:
    """The level of each p-value of outputs, given those of all features."""
    of_features = [test.p_value for feature in result.features for test in feature.tests if test.p_value is not None]
    levels = p_value_thresholds(np.array([*of_features, *beside]), rule.alpha, rule.correction)
    return levels[len(of_features) :]


def outcomes_as_values(report: Report) -> dict[str, Any]:
    """The outcomes of a report as plain values, and the verdict over features and outputs; empty without outcomes."""
    if not report.outcomes:
        return {}
    return {
        "state": str(report.state),
        "drift": report.drift,
        "outcomes": [outcome_as_values(outcome) for outcome in report.outcomes],
    }


def by_distance(report: DriftReport) -> list[FeatureDrift]:
    """The features with results, the largest distance first."""
    return sorted(report.features, key=lambda one: -one.distance.statistic)


def untested_lines(report: DriftReport) -> Iterator[str]:
    """A line for each reason why there is no verdict, with the features that it holds for."""
    groups = list(by_explanation(report.untested).items())
    for explanation, names in groups[:SHOWN_FEATURES]:
        yield f"{enumerated(names)}: cannot tell: {explanation}"
    if len(groups) > SHOWN_FEATURES:
        yield f"(and {len(groups) - SHOWN_FEATURES} more)"


def shown_name(feature: FeatureDrift) -> str:
    """A feature's name, in quotes if it has characters that a terminal cannot show."""
    return feature.feature if feature.feature.isprintable() else repr(feature.feature)


def _notes(comparison: Comparison) -> Iterator[str]:
    for dataset in (comparison.expected, comparison.found):
        if dataset.rows < FEW_ROWS:
            yield f"{dataset.path}: {dataset.rows} rows, under {FEW_ROWS} only large changes can be seen"


def _source(dataset: Dataset) -> dict[str, Any]:
    return {"path": str(dataset.path), "rows": dataset.rows, "sha256": dataset.digest}


def _lines(result: DriftReport) -> Iterator[str]:
    """The short table."""
    if not result.features:
        return
    yield f"{'feature':<{_NAME_CHARACTERS}}  test          D  threshold   p-value  verdict"
    for feature in by_distance(result)[:SHOWN_FEATURES]:
        test = most_severe_test(feature) if feature.drift else feature.distance  # the one that decided
        name = shown_name(feature)
        short = name if len(name) <= _NAME_CHARACTERS else name[: _NAME_CHARACTERS - 3] + "..."
        p_value = "" if test.p_value is None else f"{test.p_value:.2g}"
        verdict = STATES[feature.state]
        yield (
            f"{short:<{_NAME_CHARACTERS}}  {test.test:<7}  {test.statistic:.4f}  {test.threshold:>9.4f}  "
            f"{p_value:>8}  {verdict}"
        )
    if len(result.features) > SHOWN_FEATURES:
        yield f"(and {len(result.features) - SHOWN_FEATURES} more)"
