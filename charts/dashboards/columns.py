"""Rows on single columns, the same for features and predictions: evidence, distance, effect sizes, one column."""

from dataclasses import dataclass

from grafana_foundation_sdk.models.dashboard import Panel

from charts.dashboards.board import Row
from charts.dashboards.panels import (
    DASHED,
    HALF,
    RED,
    Query,
    Text,
    cells,
    colour,
    graph,
    grid,
    states,
)
from charts.dashboards.promql import DISTANCE, EVIDENCE, MODEL, highest, selected, state

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


def states_of(subject: Subject) -> Panel:
    """Bands of states, one for each column."""
    text = Text(
        f"{subject.noun.capitalize()} over time",
        f"The state of each of the {subject.noun}, by any of its tests. All change at once: look for a deployment, a "
        "changed unit or order of columns, or a new population. One alone: look at its source. Cannot tell: the panel "
        f'"Cannot tell: {subject.noun}" has the reason. A gap: no evaluation.',
        "none",
    )
    return states(text, Query(subject.states, subject.legend))


def cannot_tell_of(subject: Subject) -> tuple[Panel, Panel]:
    """How many columns have no verdict over time, and which ones now, both by reason."""
    counted = Text(
        f"Cannot tell by reason: {subject.noun}",
        f"How many of the {subject.noun} have no verdict, by reason. With few rows the number falls as traffic comes; "
        "any other reason stays until someone acts.",
        "short",
    )
    listed = Text(
        f"Cannot tell: {subject.noun}",
        f"The {subject.noun} without a verdict now, why, and how many processes say so. The page at the admin port "
        "says how many rows would be enough, where that is known.",
        "short",
    )
    by_reason = f"{subject.by}, reason"
    now = subject.selected("cannot_tell")
    names = {"inference_service_namespace": "", "inference_service": "", "component": "Component"}
    headings = {"model_name": "Model", subject.label: subject.label.capitalize(), "reason": "Reason"}
    return (
        graph(counted, Query(f"count by (reason) ({highest(now, by_reason)})", "{{reason}}"), width=HALF),
        grid(listed, {"Processes": Query(f"count by ({by_reason}) ({now})")}, names | headings, {}, width=HALF),
    )


def evidence_of(subject: Subject) -> Panel:
    """The detector's evidence of each column, and its threshold."""
    text = Text(
        f"Evidence against the reference: {subject.noun}",
        "The evidence of the sequential detector as a power of ten of seconds, and its threshold (dashed): four times "
        "`false_alarm_interval` times the columns tested. One unit is a factor of ten. Without drift the evidence "
        "stays low. In drift it rises with every row, faster for a larger change, and its rise is visible before the "
        "alarm. An alarm ends at a thousandth of the threshold. Empty with `decision: p-value`.",
        "none",
    )
    threshold = f"max({subject.selected('drift_threshold', EVIDENCE)})"
    return graph(
        text,
        Query(subject.worst("drift_statistic", EVIDENCE), subject.legend),
        Query(threshold, "threshold"),
        width=HALF,
        overrides=THRESHOLD_STYLE,
    )


def ratio_of(subject: Subject) -> Panel:
    """The distance of each column in units of its threshold."""
    text = Text(
        f"D against its threshold: {subject.noun}",
        "The window's distance divided by the smallest that would alarm: above 1 is drift. It makes columns with "
        "different numbers of rows comparable. 0 where nothing could alarm: too few rows. If replicas have their own "
        "windows, the highest value is shown.",
        "none",
    )
    # Divided in each process before the maximum: D of one and the threshold of another must not be combined.
    divided = f"{subject.selected('drift_statistic', DISTANCE)} / {subject.selected('drift_threshold', DISTANCE)}"
    return graph(text, Query(highest(divided, subject.by), subject.legend), width=HALF)


def distance(subject: Subject) -> Row:
    """How far the windows are from the reference over time."""
    distances = Text(
        f"D: {subject.noun}",
        "Distance of the window from the reference: Kolmogorov-Smirnov for numbers, total variation for categories. 0 "
        "is the same distribution, 1 no overlap.",
        "none",
    )
    p_values = Text(
        f"p-value: {subject.noun}",
        "Two-sided p-value of D before correction, from 0 to 1, as if rows were independent. It decides nothing unless "
        "`decision` is p-value.",
        "none",
    )
    heat = Text(
        f"Heatmap of D: {subject.noun}",
        "D over time: the darker, the further from the reference. A slow change is a gradient, a sudden one an edge.",
        "none",
    )
    d = Query(subject.worst("drift_statistic", DISTANCE), subject.legend)
    return Row(
        f"Distance of the {subject.noun}",
        (
            graph(distances, d, width=HALF, limits=(0, 1)),
            graph(p_values, Query(subject.worst("drift_p_value", DISTANCE), subject.legend), width=HALF, limits=(0, 1)),
            cells(heat, d),
        ),
    )


def effects(subject: Subject) -> Row:
    """Effect sizes, which do not depend on the number of rows, and the dependence of rows."""
    psi = Text(
        f"PSI: {subject.noun}",
        "Population stability index over the histogram's bins, in nats. By custom below 0.1 is stable and above 0.25 a "
        "shift. With few rows it is larger by chance. It has no part in the verdict.",
        "none",
    )
    divergence = Text(
        f"Jensen-Shannon: {subject.noun}",
        "Jensen-Shannon distance over the same bins: 0 is the same, 1 no overlap. It has no part in the verdict.",
        "none",
    )
    moved = Text(
        f"Wasserstein: {subject.noun}",
        "How far values have moved on average, in standard deviations of the reference. Only for numbers.",
        "none",
    )
    factor = Text(
        f"Dependence: {subject.noun}",
        "Rows per independent row, at least 1: rows of one request resemble each other, and so do rows close in time. "
        "Thresholds are computed for the number of rows divided by this.",
        "none",
    )
    return Row(
        f"Effect sizes and dependence of the {subject.noun}",
        (
            *(
                graph(text, Query(subject.worst(family), subject.legend), width=HALF)
                for text, family in (
                    (psi, "psi"),
                    (divergence, "jensen_shannon"),
                    (moved, "wasserstein"),
                    (factor, "dependence_factor"),
                )
            ),
            *_reach(subject),
        ),
    )


def _reach(subject: Subject) -> tuple[Panel, Panel]:
    """What the tests can find: the worth of the reference, and the rows that the detector needs."""
    worth = Text(
        f"Effective rows of the reference: {subject.noun}",
        "How many independent rows the reference's values are worth. Rows of a reference that come in sequence "
        "resemble each other. If it is far below the rows of the reference, small changes stay unseen.",
        "short",
    )
    needed = Text(
        f"Rows to detect: {subject.noun}",
        "How many rows the detector needs to find a shift by half a standard deviation, by estimate. Divided by the "
        "rows a second it is the time to an alarm. No line: it never finds such a shift, or the column is a category.",
        "short",
    )
    to_detect = subject.worst_reach("rows_to_detect", 'size="0.5sd"')
    return (
        graph(worth, Query(subject.worst_reach("reference_effective_rows"), subject.legend), width=HALF),
        graph(needed, Query(to_detect, subject.legend), width=HALF),
    )
