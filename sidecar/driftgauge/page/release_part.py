"""The part of a page on another revision of the same model: what the newest comparison found, or how to ask for one."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

from driftgauge.drift.canary.criteria import Criterion, CriterionResult, CriterionState
from driftgauge.page.contents import Page
from driftgauge.page.formatting import DASH, moment, number, share
from driftgauge.page.markup import Markup, joined, named, tag
from driftgauge.results.latest_comparisons import ReleaseComparison

_STATES: Final = {
    CriterionState.OK: ("✓", "ok", "ok"),
    CriterionState.FAILED: ("▲", "fails", "drift"),
    CriterionState.CANNOT_TELL: ("?", "cannot tell", "cannot_tell"),
}
"""A sign, a word, and the class of the badge of each state."""

_NAMES: Final = {
    Criterion.DRIFT: "Drift",
    Criterion.ERRORS: "Errors",
    Criterion.LATENCY: "Latency",
    Criterion.ACCURACY: "Accuracy",
}

_MEASURES: Final[dict[Criterion, Callable[[float], str]]] = {
    Criterion.DRIFT: lambda effect: f"shift {effect:+.2f} sd",
    Criterion.ERRORS: lambda effect: f"odds x {effect:.2f}",
    Criterion.LATENCY: lambda effect: f"x {effect:.2f}",
    Criterion.ACCURACY: lambda effect: f"{100 * effect:+.1f} points",
}
"""An effect in words, by what its criterion measures; of the accuracy in percentage points."""

_TITLES: Final = ("criterion", "state", "effect (95 % interval)", "canary / stable", "evidence / threshold", "finding")


@dataclass(frozen=True, slots=True)
class ReleasePart:
    """What a page shows of another revision.

    Args:
        comparison: The newest one; `None` if none was asked for.
        age: How long ago it was looked at, in words; empty without one.
        command: The command that asks for one.
    """

    comparison: ReleaseComparison | None
    age: str
    command: str


def with_release(page: Page, part: ReleasePart) -> Page:
    """A page with the comparison below what is there already."""
    return replace(page, below=joined((page.below, release_section(part))))


def release_section(part: ReleasePart) -> Markup:
    """Make the section: the four criteria of the newest comparison, or one sentence with the command."""
    heading = tag("h2", "Compared with another revision")
    command = tag("code", part.command)
    if part.comparison is None:
        sentence = tag("p", "This process was not asked to compare it with another revision; this does: ", command, ".")
        return tag("article", heading, tag("section", sentence, class_="feature release"))
    found = _verdict(part.comparison), _sentence(part.comparison, part.age), _criteria(part.comparison)
    return tag("article", heading, tag("section", *found, class_="feature release"))


def _verdict(one: ReleaseComparison) -> Markup:
    """What all criteria say together, which is what a person looks for first."""
    parts = {
        state: " and ".join(_NAMES[result.criterion].lower() for result in one.results if result.state is state)
        for state in CriterionState
    }
    failed, unknown = parts[CriterionState.FAILED], parts[CriterionState.CANNOT_TELL]
    revisions = named(one.canary.revision), named(one.stable.revision)
    verdict = (
        (" fails against ", revisions[1], f" by {failed}") if failed else (" does not fail against ", revisions[1])
    )
    rest = f"; {unknown} cannot tell." if unknown else "."
    return tag("p", tag("strong", "Revision ", revisions[0], *verdict, rest))


def _sentence(one: ReleaseComparison, age: str) -> Markup:
    """When they were compared."""
    when = f"As of {age} ({moment(one.looked)}), since {moment(one.began)}. While no one asks, nothing is compared."
    return tag("p", when)


def _criteria(one: ReleaseComparison) -> Markup:
    head = tag("tr", *(tag("th", title, scope="col") for title in _TITLES))
    lines = (_line(result, numbers=one.numbers) for result in one.results)
    caption = tag("caption", "Criteria of the comparison; evidence and threshold are powers of ten")
    table = tag("table", caption, tag("thead", head), tag("tbody", *lines), class_="tests criteria")
    return tag("div", table, class_="wide", tabindex="0", role="region", aria_label="Compared revisions")


def _line(result: CriterionResult, *, numbers: bool) -> Markup:
    sign, word, kind = _STATES[result.state]
    state = tag("span", tag("b", sign, aria_hidden="true"), f" {word}", class_=f"badge {kind}")
    is_known = bool(result.threshold)  # without data there is neither evidence nor a threshold
    return tag(
        "tr",
        tag("th", _NAMES[result.criterion], scope="row"),
        tag("td", state),
        tag("td", *_effect(result, numbers=numbers)),
        tag("td", _values(result, numbers=numbers)),
        tag("td", f"{result.evidence:.2f} / {result.threshold:.2f}" if is_known else DASH),
        tag("td", f"{result.reason}.", class_="finding"),
        class_="alarm" if result.state is CriterionState.FAILED else "quiet",
    )


def _effect(result: CriterionResult, *, numbers: bool) -> tuple[str, ...]:
    """The effect, and its interval in small print; an end that is not known is left open."""
    if result.effect is None:
        return (DASH,)
    is_error = numbers and result.criterion is Criterion.ACCURACY
    text = f"error {result.effect:+.4g}" if is_error else _MEASURES[result.criterion](result.effect)
    if result.interval == (None, None):
        return (text,)
    is_share = result.criterion is Criterion.ACCURACY and not is_error
    low, high = ("..." if end is None else _end(end, is_share=is_share) for end in result.interval)
    return text, " ", tag("small", f"({low} to {high})")


def _end(end: float, *, is_share: bool) -> str:
    """An end of an interval."""
    return f"{100 * end:+.1f}" if is_share else f"{end:.3g}"


def _values(result: CriterionResult, *, numbers: bool) -> str:
    """The number of each revision: shares, of numbers mean absolute errors."""
    if result.values is None:
        return DASH
    is_error = numbers and result.criterion is Criterion.ACCURACY
    first, second = (number(value) if is_error else share(value) for value in result.values)
    return f"{first} / {second}"
