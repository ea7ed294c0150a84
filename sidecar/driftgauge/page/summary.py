"""The box of a report: the verdict, what was compared, and what moved first."""

from collections.abc import Iterator, Sequence
from itertools import groupby

from driftgauge.drift.result import DriftReport, Untested, VerdictState
from driftgauge.drift.rows_to_detect import sensitivity
from driftgauge.drift.untested import by_explanation
from driftgauge.page.contents import Part, first_alarms
from driftgauge.page.formatting import count, moment, summary
from driftgauge.page.markup import Markup, joined, named, tag

_LISTED = 100
"""Names that a list shows."""

_FIRST_ALARMS = 5
"""Features that are listed by the time of their alarm."""

_RUNBOOKS = {VerdictState.DRIFT: "drift#what-to-do", VerdictState.CANNOT_TELL: "cannot-tell#driftgaugecannottell"}
"""The section of a runbook that says what to do, by the state."""


_SAID_ONCE = frozenset({"Reference hash", "Rule", "Tested"})
"""Facts that a second box does not repeat if they are the same."""


def summary_box(part: Part, before: Part | None = None, *, live: bool) -> Markup:
    """Make the box of a part.

    Args:
        part: A report with what was compared.
        before: The part whose box is beside this one; `None` for the first.
        live: Whether the page is the admin port's, which has the runbooks.
    """
    report = part.report
    heading = tag("h2", part.heading) if part.heading else Markup()
    said = set() if before is None else {fact for fact in _facts(before) if fact[0] in _SAID_ONCE}
    pairs = (joined((tag("dt", fact[0]), tag("dd", fact[1]))) for fact in _facts(part) if fact not in said)
    notes = tag("ul", *(tag("li", note) for note in part.facts.notes), class_="notes") if part.facts.notes else Markup()
    return tag(
        "div",
        heading,
        tag("p", summary(report)),
        tag("p", tag("strong", report.reading), _what_to_do(report.state) if live else ""),
        tag("dl", *pairs),
        notes,
        class_=f"summary {report.state}",
    )


def _what_to_do(state: VerdictState) -> Markup:
    """A link to the runbook, where there is something to do."""
    runbook = _RUNBOOKS.get(state)
    return joined((" ", tag("a", "What to do", href=f"runbooks/{runbook}"))) if runbook else Markup()


def _facts(part: Part) -> Iterator[tuple[str, str]]:
    """What was compared and how; then what the report says of all features."""
    facts, report = part.facts, part.report
    first = list(_first_alarms(report))
    if first:
        yield "Moved first", joined(first)
    yield "Window", joined((named(facts.window), f", {count(report.rows, 'row')}"))
    rows = f", {count(facts.reference_rows, 'row')}" if facts.reference_rows else ""
    if facts.reference:
        yield "Reference", joined((named(facts.reference), rows))
    if facts.digest:
        yield "Reference hash", tag("code", facts.digest)
    if facts.rule:
        yield "Rule", facts.rule
    yield from _findings(report, facts.time)


def _findings(report: DriftReport, time: float | None) -> Iterator[tuple[str, str]]:
    if time is not None:
        yield "Tested", moment(time)
    known = [one.rows_to_detect for one in report.features if one.rows_to_detect is not None]
    if known:
        yield "Sensitivity", sensitivity(known, report.rows_per_second)
    if report.untested:
        yield "Cannot tell", _untested(report.untested)
    if report.ignored:
        yield "Left out", _listed(report.ignored)


def _untested(untested: Sequence[Untested]) -> Markup:
    """The features without a verdict, and why."""
    groups = list(by_explanation(untested).items())
    lines = [tag("div", f"{explanation}: ", _listed(names)) for explanation, names in groups[:_LISTED]]
    more = len(groups) - _LISTED
    return joined((*lines, tag("div", f"and {more:,} more reasons") if more > 0 else Markup()))


def _listed(names: Sequence[str]) -> Markup:
    shown = [joined((", " if index else "", named(name))) for index, name in enumerate(names[:_LISTED])]
    return joined((*shown, f" and {len(names) - _LISTED:,} more" if len(names) > _LISTED else ""))


def _first_alarms(report: DriftReport) -> Iterator[Markup]:
    """Which features moved first, by time: often the first one has a fault, and the others follow from it."""
    features = first_alarms(report)[:_FIRST_ALARMS]
    for time, together in groupby(features, key=lambda one: moment(one.since or 0.0)):
        yield tag("div", _listed([one.feature for one in together]), f": {time}")
