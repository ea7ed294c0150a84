"""The list of models: each with its verdicts and a link to its page."""

from collections.abc import Sequence
from dataclasses import dataclass

from driftgauge.drift.result import DriftReport, VerdictState
from driftgauge.page.formatting import DASH, badge, count, moment, reason, summary
from driftgauge.page.frame import document
from driftgauge.page.markup import Markup, joined, named, tag
from driftgauge.page.outcome_part import outcome_verdicts
from driftgauge.page.outcome_words import age_of_labels, outcome_state
from driftgauge.results.latest_outcomes import OutcomeResult
from driftgauge.results.model_state import ModelState

_ORDER = (VerdictState.DRIFT, VerdictState.CANNOT_TELL, VerdictState.OK)
"""The states by their urgency."""

REFRESH_SECONDS = 30.0
"""How often a list that is open may load itself."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One model.

    Args:
        name: The model's name for people.
        link: The address of its page; empty without one.
        inputs: The newest report on requests; `None` if there is none.
        predictions: The newest report on responses; `None` if there is none.
        time: When the newer one was made, seconds since the epoch; `None` if there is none.
        state: Its state, over inputs and predictions.
        outcomes: The newest result on its labels; `None` where no labels are taken.
    """

    name: str
    link: str
    inputs: DriftReport | None
    predictions: DriftReport | None
    time: float | None
    state: ModelState
    outcomes: OutcomeResult | None = None


def render_index(entries: Sequence[Entry], sentence: str = "") -> str:
    """Render a list of models as HTML: those that drift first, then those without a verdict.

    Args:
        entries: The models.
        sentence: Said above the list; empty for the list of all models.
    """
    title = joined((tag("h1", "Models"), tag("p", sentence) if sentence else ""))
    content = _table(entries)
    if not entries:
        content = tag("p", "No model has been evaluated yet, or not of late.", class_="summary cannot_tell")
    return document("Models", title, tag("div", class_="tools"), content, root="", refresh_seconds=REFRESH_SECONDS)


def _table(entries: Sequence[Entry]) -> Markup:
    titles = ("model", "inputs", "predictions", "outcomes", "evaluated")
    head = tag("thead", tag("tr", *(tag("th", one, scope="col") for one in titles)))
    lines = (_line(entry) for entry in sorted(entries, key=_urgency))
    caption = tag("caption", "Newest evaluation of each model")
    return tag("table", caption, head, tag("tbody", *lines), class_="overview models")


def _urgency(entry: Entry) -> tuple[int, str]:
    report = None if entry.outcomes is None else entry.outcomes.report
    alarms = outcome_state(report) is VerdictState.DRIFT  # labels that are too few change no model's place
    return 0 if alarms else _ORDER.index(entry.state.state), entry.name


def _line(entry: Entry) -> Markup:
    return tag(
        "tr",
        tag("th", tag("a", named(entry.name), href=entry.link) if entry.link else named(entry.name), scope="row"),
        tag("td", _without_inputs(entry.state) if entry.inputs is None else _described(entry.inputs)),
        tag("td", _described(entry.predictions)),
        tag("td", _outcomes(entry.outcomes)),
        tag("td", "never" if entry.time is None else moment(entry.time)),
    )


def _without_inputs(state: ModelState) -> Markup:
    """What is said of inputs without a report: why there is none, if that is known."""
    if state.state is not VerdictState.CANNOT_TELL:
        return _described(None)
    return joined((badge(state.state), *((" ", reason(state.reason)) if state.reason else ())))


def _described(report: DriftReport | None) -> Markup:
    if report is None:
        return tag("span", "not evaluated", class_="quiet")
    return joined((summary(report), tag("div", report.reading, class_="quiet")))


def _outcomes(result: OutcomeResult | None) -> Markup:
    """Both verdicts on the labels, the worst over the outputs; how many labelled rows there are, and how old."""
    if result is None:
        return tag("span", DASH, class_="quiet", title="no labels are taken")
    if result.report is None or not result.report.outputs:
        return tag("span", "no labels yet", class_="quiet")
    age = age_of_labels(result)
    rows = count(result.report.rows, "labelled row") + (f", the newest of a response {age} old" if age else "")
    return joined((*outcome_verdicts(result.report), tag("div", rows, class_="quiet")))
