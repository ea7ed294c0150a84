"""Rows on single columns, the same for features and predictions: evidence, distance, effect sizes, one column."""

from dataclasses import dataclass

from grafana_foundation_sdk.models.dashboard import Panel

from charts.dashboards.board import Row
from charts.dashboards.panels import (
    DASHED,
    HALF,
    RED,
    THIRD,
    Query,
    Text,
    cells,
    colour,
    curves,
    graph,
    grid,
    unit,
    verdicts,
)
from charts.dashboards.promql import DISTANCE, EVIDENCE, MODEL, highest, mean, selected

_THRESHOLD = {"^threshold": [DASHED, colour(RED)]}
_REACHABLE = "<= 1"
"""Leaves out a threshold out of reach, which is infinite and would stretch the axis."""


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


INPUTS = Subject("feature", "features")
OUTPUTS = Subject("prediction", "predictions")


def verdicts_of(subject: Subject) -> Panel:
    """Bands of drift and no drift, one for each column."""
    text = Text(
        f"{subject.noun.capitalize()} over time",
        f"The verdict on each of the {subject.noun}, by any of its tests. All change at once: look for a deployment, a "
        "changed unit or order of columns, or a new population. One alone: look at its source. A gap: too few "
        "values, or no evaluation.",
        "none",
    )
    return verdicts(text, Query(subject.worst("drift"), subject.legend))


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
        overrides=_THRESHOLD,
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
        tuple(
            graph(text, Query(subject.worst(family), subject.legend), width=HALF)
            for text, family in (
                (psi, "psi"),
                (divergence, "jensen_shannon"),
                (moved, "wasserstein"),
                (factor, "dependence_factor"),
            )
        ),
    )


def one(subject: Subject) -> Row:
    """A row on one column, repeated for each selected one."""
    return Row(
        f"{subject.label.capitalize()}: {subject.variable}",
        (
            _against(subject),
            _evidence(subject),
            _worth(subject),
            _now(subject),
            _moving(subject),
            _shares_now(subject),
            _shares_over_time(subject),
        ),
        repeat=subject.label,
    )


def _against(subject: Subject) -> Panel:
    text = Text(
        f"D and its threshold: {subject.variable}",
        "D of the window, the smallest D that would alarm (dashed), and the true distance that alarms in nine windows "
        "of ten. A missing line is above 1: no window could alarm, because the window or the reference has too few "
        "rows. If replicas have their own windows, each line shows the highest value.",
        "none",
    )
    return graph(
        text,
        Query(subject.worst("drift_statistic", DISTANCE), "D"),
        Query(f"{subject.worst('drift_threshold', DISTANCE)} {_REACHABLE}", "threshold"),
        Query(f"{subject.worst('detectable_statistic')} {_REACHABLE}", "detectable"),
        width=THIRD,
        overrides=_THRESHOLD | {"^detectable$": [DASHED]},
    )


def _evidence(subject: Subject) -> Panel:
    text = Text(
        f"Evidence and its threshold: {subject.variable}",
        "The detector's evidence as a power of ten of seconds, and the threshold at which it alarms (dashed).",
        "none",
    )
    return graph(
        text,
        Query(subject.worst("drift_statistic", EVIDENCE), "evidence"),
        Query(subject.worst("drift_threshold", EVIDENCE), "threshold"),
        width=THIRD,
        overrides=_THRESHOLD,
    )


def _worth(subject: Subject) -> Panel:
    text = Text(
        f"Rows and effective rows: {subject.variable}",
        "Values that were tested, and how many independent ones they are worth (dashed).",
        "short",
    )
    return graph(
        text,
        Query(subject.worst("rows"), "rows"),
        Query(subject.worst("effective_rows"), "effective"),
        width=THIRD,
        overrides={"^effective$": [DASHED]},
    )


def _deciles(subject: Subject, sample: str, by: str, *levels: str) -> str:
    """Quantiles of the window or of the reference of the selected column, at all levels unless some are given."""
    chosen = (f'level=~"{"|".join(levels)}"',) if levels else ()
    return mean(subject.selected("quantile", f'sample="{sample}"', *chosen), by)


def _now(subject: Subject) -> Panel:
    text = Text(
        f"Distribution now: {subject.variable}",
        "Deciles of the window and of the reference: the value (vertical) below which a share of the rows lies "
        "(horizontal). Parallel curves: a shift, or a changed unit. Another slope: another spread. A flat part: many "
        "equal values. Empty for categories. If replicas have their own windows, the mean of each decile is shown.",
        "none",
    )
    window, reference = (_deciles(subject, sample, "level") for sample in ("window", "reference"))
    return curves(text, "level", Query(window, "window"), Query(reference, "reference"))


def _moving(subject: Subject) -> Panel:
    text = Text(
        f"Deciles over time: {subject.variable}",
        "The 1st, 5th and 9th decile of the window, and of the reference (dashed). They show when the distribution "
        "began to move. If replicas have their own windows, the mean of each decile is shown.",
        "none",
    )
    by, shown = f"{subject.label}, level", ("0.1", "0.5", "0.9")
    return graph(
        text,
        Query(_deciles(subject, "window", by, *shown), "window {{level}}"),
        Query(_deciles(subject, "reference", by, *shown), "reference {{level}}"),
        width=THIRD,
        limits=(None, None),
        overrides={"^reference": [DASHED]},
    )


def _shares(subject: Subject, sample: str) -> str:
    return mean(subject.selected("share", f'sample="{sample}"'), "bin")


def _shares_now(subject: Subject) -> Panel:
    text = Text(
        f"Shares now: {subject.variable}",
        "Share of the rows in each bin: the reference's deciles 0 to 9 or categories, values below or above all of the "
        "reference, categories that it does not have (unseen), missing values.",
        "percentunit",
    )
    columns = {
        "Window": Query(_shares(subject, "window")),
        "Reference": Query(_shares(subject, "reference")),
    }
    shares = {heading: [unit("percentunit")] for heading in columns}
    return grid(text, columns, {"bin": "Bin"}, shares, width=THIRD)


def _shares_over_time(subject: Subject) -> Panel:
    text = Text(
        f"Shares over time: {subject.variable}",
        "Share of the window's rows in each bin: the darker, the more. Without drift all deciles have equal shares; "
        "a bin that becomes darker or lighter has moved.",
        "percentunit",
    )
    return cells(text, Query(_shares(subject, "window"), "{{bin}}"), highest=None)
