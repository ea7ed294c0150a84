"""The row on one feature or prediction: its distance, evidence, rows, and distribution."""

from grafana_foundation_sdk.models.dashboard import Panel

from charts.dashboards.board import Row
from charts.dashboards.columns import THRESHOLD_STYLE, Subject
from charts.dashboards.panels import cells, curves, graph, grid, states
from charts.dashboards.promql import DISTANCE, EVIDENCE, highest, mean
from charts.dashboards.queries import Query
from charts.dashboards.style import ALARMS, DASHED, THIRD, Text, unit
from charts.dashboards.units import LOG_SECONDS, OWN, SHARE, STATE, count

_REACHABLE = "<= 1"
"""Leaves out a threshold out of reach, which is infinite and would stretch the axis."""


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
            _alarms(subject),
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
        OWN,
        "D: 0 same, 1 no overlap",
    )
    return graph(
        text,
        Query(subject.worst("drift_statistic", DISTANCE), "D"),
        Query(f"{subject.worst('drift_threshold', DISTANCE)} {_REACHABLE}", "threshold"),
        Query(f"{subject.worst('detectable_statistic')} {_REACHABLE}", "detectable"),
        width=THIRD,
        overrides=THRESHOLD_STYLE | {"^detectable$": [DASHED]},
    )


def _evidence(subject: Subject) -> Panel:
    text = Text(
        f"Evidence and its threshold: {subject.variable}",
        "The detector's evidence as a power of ten of seconds, and the threshold at which it alarms (dashed).",
        LOG_SECONDS,
    )
    return graph(
        text,
        Query(subject.worst("drift_statistic", EVIDENCE), "evidence"),
        Query(subject.worst("drift_threshold", EVIDENCE), "threshold"),
        width=THIRD,
        overrides=THRESHOLD_STYLE,
    )


def _alarms(subject: Subject) -> Panel:
    text = Text(
        f"Tests that alarm: {subject.variable}",
        "Which tests alarm: the distance of the window (ks, tv), its missing values, or the detector (sequential).",
        STATE,
    )
    return states(text, Query(highest(subject.selected("drift"), "test"), "{{test}}"), width=THIRD, names=ALARMS)


def _worth(subject: Subject) -> Panel:
    text = Text(
        f"Rows and effective rows: {subject.variable}",
        "Values that were tested, and how many independent ones they are worth (dashed).",
        count("rows"),
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
        OWN,
        f"unit of the {subject.label}",
    )
    window, reference = (_deciles(subject, sample, "level") for sample in ("window", "reference"))
    return curves(text, "level", Query(window, "window"), Query(reference, "reference"))


def _moving(subject: Subject) -> Panel:
    text = Text(
        f"Deciles over time: {subject.variable}",
        "The 1st, 5th and 9th decile of the window, and of the reference (dashed). They show when the distribution "
        "began to move. If replicas have their own windows, the mean of each decile is shown.",
        OWN,
        f"unit of the {subject.label}",
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
        SHARE,
    )
    columns = {
        "Window": Query(_shares(subject, "window")),
        "Reference": Query(_shares(subject, "reference")),
    }
    shares = {heading: [unit(SHARE)] for heading in columns}
    return grid(text, columns, {"bin": "Bin"}, shares, width=THIRD)


def _shares_over_time(subject: Subject) -> Panel:
    text = Text(
        f"Shares over time: {subject.variable}",
        "Share of the window's rows in each bin: the darker, the more. Without drift all deciles have equal shares; "
        "a bin that becomes darker or lighter has moved.",
        SHARE,
    )
    return cells(text, Query(_shares(subject, "window"), "{{bin}}"), width=2 * THIRD, highest=None)
