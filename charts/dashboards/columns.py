"""Panels on all columns, the same for features and predictions; rows put those of both beside each other."""

from collections.abc import Callable
from dataclasses import dataclass

from grafana_foundation_sdk.models.dashboard import Panel

from charts.dashboards.board import Choice, Row, Variable
from charts.dashboards.panels import cells, graph, grid, states
from charts.dashboards.promql import DISTANCE, EVIDENCE, MODEL, farthest, highest, selected, state
from charts.dashboards.queries import Query
from charts.dashboards.style import DASHED, HALF, RED, Text, colour
from charts.dashboards.units import (
    DEVIATIONS,
    DISTANCE_UNIT,
    LOG_SECONDS,
    NATS,
    OWN,
    ROWS_PER_ROW,
    STATE,
    THRESHOLDS,
    count,
)

THRESHOLD_STYLE = {"^threshold": [DASHED, colour(RED)]}
"""Threshold lines are dashed and red."""


@dataclass(frozen=True, slots=True)
class Subject:
    """How columns are named.

    Args:
        label: The label with the column's name, in metrics and as the board's variable.
        noun: What texts call several of them.
    """

    label: str
    noun: str

    @property
    def legend(self) -> str:
        """The legend of a column's series."""
        return f"{{{{{self.label}}}}}"

    @property
    def by(self) -> str:
        """The labels that identify a column."""
        return f"{MODEL}, {self.label}"

    @property
    def variable(self) -> str:
        """The selected columns, in a title."""
        return f"${self.label}"

    def selected(self, family: str, *matchers: str) -> str:
        """The series of a family for the selected columns, with further matchers."""
        return selected(f"driftgauge_{self.label}_{family}", f'{self.label}=~"${self.label}"', *matchers)

    def worst(self, family: str, *matchers: str) -> str:
        """The highest value over all replicas, by column."""
        return highest(self.selected(family, *matchers), self.by)

    @property
    def states(self) -> str:
        """The state over all replicas, by column."""
        return state(f"driftgauge_{self.label}_state", f'{self.label}=~"${self.label}"', by=self.by)

    def worst_reach(self, family: str, *matchers: str) -> str:
        """The highest value over all replicas of what the tests can find, by column."""
        prefix = "driftgauge_" if self.label == "feature" else f"driftgauge_{self.label}_"
        return highest(selected(prefix + family, f'{self.label}=~"${self.label}"', *matchers), self.by)


INPUTS = Subject("feature", "features")
OUTPUTS = Subject("prediction", "predictions")

SHOWN = Choice(
    "farthest",
    "Columns",
    {"Farthest 10": "10", "Farthest 25": "25", "Farthest 50": "50", "All": "100000"},
    "How many features and predictions the board lists: those that drift first, then the farthest from the reference.",
)


def choice_of(subject: Subject) -> Variable:
    """The variable that selects columns: at first as many of the farthest as `SHOWN` says."""
    ranked = farthest(f"${SHOWN.name}", f"driftgauge_{subject.label}", subject.label)
    return Variable(
        subject.label,
        subject.label.capitalize(),
        f"query_result({ranked})",
        listed=True,
        # Grafana makes a line of each series: labels, value and time. A name may have quotes and spaces.
        pattern=f'/^\\{{{subject.label}="(.*)"\\}} \\S+ \\S+$/',
        description=f"The {subject.noun} that are shown; their number is set at the left.",
    )


def beside(*panels: Callable[[Subject], Panel]) -> list[Panel]:
    """Each of these panels on features, and beside it the one on predictions.

    Args:
        panels: Functions that make a panel of half the width.
    """
    return [make(subject) for make in panels for subject in (INPUTS, OUTPUTS)]


def states_of(subject: Subject) -> Panel:
    """Bands of states, one for each column."""
    text = Text(
        f"{subject.noun.capitalize()} over time",
        f"The state of each of the {subject.noun}, by any of its tests. All change at once: look for a deployment, a "
        "changed unit or order of columns, or a new population. One alone: look at its source. Cannot tell: the panel "
        f'"Cannot tell: {subject.noun}" has the reason. A gap: no evaluation.',
        STATE,
    )
    return states(text, Query(subject.states, subject.legend), width=HALF)


def ratio_of(subject: Subject) -> Panel:
    """The distance of each column in units of its threshold."""
    text = Text(
        f"D against its threshold: {subject.noun}",
        "The window's distance divided by the smallest that would alarm: above the line at 1 is drift. It makes "
        "columns with different numbers of rows comparable. 0 where nothing could alarm: too few rows. If replicas "
        "have their own windows, the highest value is shown.",
        THRESHOLDS,
        "D / threshold",
    )
    # Divided in each process before the maximum: D of one and the threshold of another must not be combined.
    divided = f"{subject.selected('drift_statistic', DISTANCE)} / {subject.selected('drift_threshold', DISTANCE)}"
    return graph(text, Query(highest(divided, subject.by), subject.legend), line=1)


def evidence_of(subject: Subject) -> Panel:
    """The detector's evidence of each column, and its threshold."""
    text = Text(
        f"Evidence against the reference: {subject.noun}",
        "The evidence of the sequential detector as a power of ten of seconds, and its threshold (dashed): four times "
        "`false_alarm_interval` times the columns tested. One unit is a factor of ten. Without drift the evidence "
        "stays low. In drift it rises with every row, faster for a larger change, and its rise is visible before the "
        "alarm. An alarm ends at a thousandth of the threshold. Empty with `decision: p-value`.",
        LOG_SECONDS,
    )
    threshold = f"max({subject.selected('drift_threshold', EVIDENCE)})"
    return graph(
        text,
        Query(subject.worst("drift_statistic", EVIDENCE), subject.legend),
        Query(threshold, "threshold"),
        overrides=THRESHOLD_STYLE,
    )


def counted(subject: Subject) -> Panel:
    """How many columns have no verdict over time, by reason."""
    text = Text(
        f"Cannot tell by reason: {subject.noun}",
        f"How many of the {subject.noun} have no verdict, by reason. With few rows the number falls as traffic comes; "
        "any other reason stays until someone acts.",
        count(subject.noun),
    )
    by_reason = highest(subject.selected("cannot_tell"), f"{subject.by}, reason")
    return graph(text, Query(f"count by (reason) ({by_reason})", "{{reason}}"))


def listed(subject: Subject) -> Panel:
    """Which columns have no verdict now, and why."""
    text = Text(
        f"Cannot tell: {subject.noun}",
        f"The {subject.noun} without a verdict now, why, and how many processes say so. The page at the admin port "
        "says how many rows would be enough, where that is known.",
        count("processes"),
    )
    now = f"count by ({subject.by}, reason) ({subject.selected('cannot_tell')})"
    hidden = dict.fromkeys(("cluster", "inference_service_namespace", "inference_service"), "")
    headings = {
        "component": "Component",
        "model_name": "Model",
        "revision": "Revision",
        subject.label: subject.label.capitalize(),
    }
    return grid(text, {"Processes": Query(now)}, hidden | headings | {"reason": "Reason"}, {}, width=HALF)


def distance() -> Row:
    """How far the windows are from the reference over time."""
    return Row("Distance from the reference", beside(_distances, _p_values, _heat))


def _distances(subject: Subject) -> Panel:
    text = Text(
        f"D: {subject.noun}",
        "Distance of the window from the reference: Kolmogorov-Smirnov for numbers, total variation for categories. 0 "
        "is the same distribution, 1 no overlap.",
        OWN,
        "D: 0 same, 1 no overlap",
    )
    return graph(text, Query(subject.worst("drift_statistic", DISTANCE), subject.legend), limits=(0, 1))


def _p_values(subject: Subject) -> Panel:
    text = Text(
        f"p-value: {subject.noun}",
        "Two-sided p-value of D before correction, from 0 to 1, as if rows were independent. It decides nothing unless "
        "`decision` is p-value.",
        OWN,
        "probability, 0 to 1",
    )
    return graph(text, Query(subject.worst("drift_p_value", DISTANCE), subject.legend), limits=(0, 1))


def _heat(subject: Subject) -> Panel:
    text = Text(
        f"Heatmap of D: {subject.noun}",
        "D over time: the darker, the further from the reference. A slow change is a gradient, a sudden one an edge.",
        DISTANCE_UNIT,
    )
    return cells(text, Query(subject.worst("drift_statistic", DISTANCE), subject.legend), width=HALF)


def effects() -> Row:
    """Effect sizes, which do not depend on the number of rows."""
    return Row("Effect sizes", beside(_stability, _divergence, _moved))


def _stability(subject: Subject) -> Panel:
    text = Text(
        f"PSI: {subject.noun}",
        "Population stability index over the histogram's bins, in nats. By custom below 0.1 is stable and above 0.25 a "
        "shift. With few rows it is larger by chance. It has no part in the verdict.",
        NATS,
    )
    return graph(text, Query(subject.worst("psi"), subject.legend))


def _divergence(subject: Subject) -> Panel:
    text = Text(
        f"Jensen-Shannon: {subject.noun}",
        "Jensen-Shannon distance over the same bins: 0 is the same, 1 no overlap. It has no part in the verdict.",
        OWN,
        "distance: 0 same, 1 no overlap",
    )
    return graph(text, Query(subject.worst("jensen_shannon"), subject.legend))


def _moved(subject: Subject) -> Panel:
    text = Text(
        f"Wasserstein: {subject.noun}",
        "How far values have moved on average, in standard deviations of the reference. Only for numbers.",
        DEVIATIONS,
    )
    return graph(text, Query(subject.worst("wasserstein"), subject.legend))


def reach() -> Row:
    """What the tests can find: the dependence of rows, the worth of the reference, the rows that the detector needs."""
    return Row("Dependence of rows, and what can be found", beside(_dependence, _worth, _needed))


def _dependence(subject: Subject) -> Panel:
    text = Text(
        f"Dependence: {subject.noun}",
        "Rows per independent row, at least 1: rows of one request resemble each other, and so do rows close in time. "
        "Thresholds are computed for the number of rows divided by this.",
        ROWS_PER_ROW,
    )
    return graph(text, Query(subject.worst("dependence_factor"), subject.legend))


def _worth(subject: Subject) -> Panel:
    text = Text(
        f"Effective rows of the reference: {subject.noun}",
        "How many independent rows the reference's values are worth. Rows of a reference that come in sequence "
        "resemble each other. If it is far below the rows of the reference, small changes stay unseen.",
        count("rows"),
    )
    return graph(text, Query(subject.worst_reach("reference_effective_rows"), subject.legend))


def _needed(subject: Subject) -> Panel:
    text = Text(
        f"Rows to detect: {subject.noun}",
        "How many rows the detector needs to find a shift by half a standard deviation, by estimate. Divided by the "
        "rows a second it is the time to an alarm. No line: it never finds such a shift, or the column is a category.",
        count("rows"),
    )
    return graph(text, Query(subject.worst_reach("rows_to_detect", 'size="0.5sd"'), subject.legend))
