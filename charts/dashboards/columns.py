"""Rows of single columns, of inputs and of outputs alike: evidence, distance, effect sizes, one column by itself."""

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

_BAR = {"^bar": [DASHED, colour(RED)]}
_REACHABLE = "<= 1"
"""A bar out of reach is infinite, and no axis holds it."""


@dataclass(frozen=True, slots=True)
class Subject:
    """What columns are called.

    Args:
        label: Holds the column's name, in metrics and in the board's variable.
        noun: Many of them, in a sentence.
    """

    label: str
    noun: str

    @property
    def legend(self) -> str:
        """Names a column's series."""
        return f"{{{{{self.label}}}}}"

    @property
    def by(self) -> str:
        """The labels that name a column."""
        return f"{MODEL}, {self.label}"

    @property
    def variable(self) -> str:
        """The chosen ones, in a title."""
        return f"${self.label}"

    def chosen(self, family: str, *matchers: str) -> str:
        """The series of a family of the chosen columns, by further matchers."""
        return selected(f"driftgauge_{self.label}_{family}", f'{self.label}=~"${self.label}"', *matchers)

    def worst(self, family: str, *matchers: str) -> str:
        """The highest of all replicas, by column."""
        return highest(self.chosen(family, *matchers), self.by)


INPUTS = Subject("feature", "features")
OUTPUTS = Subject("prediction", "outputs")


def verdicts_of(subject: Subject) -> Panel:
    """Bands of drift and no drift, one for each column."""
    text = Text(
        f"{subject.noun.capitalize()} over time",
        f"The verdict on each of the {subject.noun}, by any of its tests. All at once: look for a deployment, a "
        "changed unit or order of columns, or a new population. One alone: look at its source. A gap: too few "
        "values, or no evaluation.",
        "none",
    )
    return verdicts(text, Query(subject.worst("drift"), subject.legend))


def evidence_of(subject: Subject) -> Panel:
    """The detector's evidence of each column, and its bar."""
    text = Text(
        f"Evidence against the reference: {subject.noun}",
        "What the sequential detector has gathered, as a power of ten of seconds, and its bar (dashed): four times "
        "`false_alarm_interval` times the columns tested. One unit is a factor of ten. On sound data it wanders "
        "low; in drift it climbs with every row, the steeper the larger the change, and can be seen to climb before it "
        "alarms. An alarm ends at a thousandth of the bar. Empty with `decision: p-value`.",
        "none",
    )
    bar = f"max({subject.chosen('drift_threshold', EVIDENCE)})"
    return graph(
        text,
        Query(subject.worst("drift_statistic", EVIDENCE), subject.legend),
        Query(bar, "bar"),
        width=HALF,
        overrides=_BAR,
    )


def ratio_of(subject: Subject) -> Panel:
    """The distance of each column in units of its bar."""
    text = Text(
        f"D against its bar: {subject.noun}",
        "The window's distance divided by the smallest that would alarm: above 1 is drift. This compares columns whose "
        "samples differ in size. 0 where nothing could alarm: too few rows. Of replicas with windows of their own the "
        "highest is shown.",
        "none",
    )
    # Divided in each process before the maximum: D of one and the bar of another have no ratio.
    divided = f"{subject.chosen('drift_statistic', DISTANCE)} / {subject.chosen('drift_threshold', DISTANCE)}"
    return graph(text, Query(highest(divided, subject.by), subject.legend), width=HALF)


def distance(subject: Subject) -> Row:
    """How far the windows lie from the reference, now and before."""
    distances = Text(
        f"D: {subject.noun}",
        "Distance of the window from the reference: Kolmogorov-Smirnov's of numbers, total variation of categories. 0 "
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
        "D over time: the darker, the further from the reference. A slow wander shows as a gradient, a break as an "
        "edge.",
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
    """How large the change is whatever the number of rows, and what the rows are worth."""
    psi = Text(
        f"PSI: {subject.noun}",
        "Population stability index over the histogram's bins, in nats. By custom below 0.1 is stable and above 0.25 a "
        "shift; it grows with few rows by itself, and decides nothing here.",
        "none",
    )
    divergence = Text(
        f"Jensen-Shannon: {subject.noun}",
        "Jensen-Shannon distance over the same bins: 0 is alike, 1 no overlap. It decides nothing here.",
        "none",
    )
    moved = Text(
        f"Wasserstein: {subject.noun}",
        "How far values have moved on average, in standard deviations of the reference. Numbers alone.",
        "none",
    )
    factor = Text(
        f"Dependence: {subject.noun}",
        "Rows for one row that is independent, 1 or more: rows of one request, and neighbours in time, are alike. "
        "Bars are set for the rows divided by this.",
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
    """One column by itself, in a row that repeats."""
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
        f"D and its bar: {subject.variable}",
        "D of the window, the smallest D that would alarm (dashed), and the true distance that would be found in nine "
        "windows of ten. A line that is not there lies above 1: no window could alarm, there are too few rows here or "
        "in the reference. Of replicas with windows of their own each line shows the highest.",
        "none",
    )
    return graph(
        text,
        Query(subject.worst("drift_statistic", DISTANCE), "D"),
        Query(f"{subject.worst('drift_threshold', DISTANCE)} {_REACHABLE}", "bar"),
        Query(f"{subject.worst('detectable_statistic')} {_REACHABLE}", "detectable"),
        width=THIRD,
        overrides=_BAR | {"^detectable$": [DASHED]},
    )


def _evidence(subject: Subject) -> Panel:
    text = Text(
        f"Evidence and its bar: {subject.variable}",
        "The detector's evidence as a power of ten of seconds, and the bar at which it alarms (dashed).",
        "none",
    )
    return graph(
        text,
        Query(subject.worst("drift_statistic", EVIDENCE), "evidence"),
        Query(subject.worst("drift_threshold", EVIDENCE), "bar"),
        width=THIRD,
        overrides=_BAR,
    )


def _worth(subject: Subject) -> Panel:
    text = Text(
        f"Rows and what they are worth: {subject.variable}",
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
    """Quantiles of one of the two samples of the chosen column, at all levels unless some are named."""
    chosen = (f'level=~"{"|".join(levels)}"',) if levels else ()
    return mean(subject.chosen("quantile", f'sample="{sample}"', *chosen), by)


def _now(subject: Subject) -> Panel:
    text = Text(
        f"Distribution now: {subject.variable}",
        "Deciles of the window and of the reference: the value (upwards) below which that share of the rows lies "
        "(along). Parallel curves: a shift, or a changed unit. Another slope: another spread. A flat part: many equal "
        "values. Empty for categories. Of replicas with windows of their own the mean of each decile is shown.",
        "none",
    )
    window, reference = (_deciles(subject, sample, "level") for sample in ("window", "reference"))
    return curves(text, "level", Query(window, "window"), Query(reference, "reference"))


def _moving(subject: Subject) -> Panel:
    text = Text(
        f"Deciles over time: {subject.variable}",
        "The 1st, 5th and 9th decile of the window, and as dashed lines those of the reference. Shows when the "
        "distribution began to move. Of replicas with windows of their own the mean of each decile is shown.",
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
    return mean(subject.chosen("share", f'sample="{sample}"'), "bin")


def _shares_now(subject: Subject) -> Panel:
    text = Text(
        f"Shares now: {subject.variable}",
        "Share of the rows in each bin: the reference's deciles 0 to 9, or categories; values below and above all of "
        "the reference, categories that it does not know (unseen), missing ones.",
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
        "Share of the window's rows in each bin: the darker, the more. Even deciles are the reference's own; what "
        "gathers in one row, or leaves one, has moved.",
        "percentunit",
    )
    return cells(text, Query(_shares(subject, "window"), "{{bin}}"), highest=None)
