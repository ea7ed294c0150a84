"""A whole page."""

import re
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np

from driftgauge.drift.result import DriftReport
from driftgauge.page.contents import FULL_FEATURES, Facts, Page, Part, part_of
from driftgauge.page.document import render
from driftgauge.page.markup import LONGEST_NAME
from tests.support.reports import ALCOHOL, COLOUR, FOUND, TOO_FEW, few, moved, report_of

FACTS = Facts(
    window="new.csv",
    reference="old.csv",
    reference_rows=1000,
    digest="ab" * 32,
    rule="p-value",
    time=1.7e9,
    notes=("column 'x' is constant",),
)
VOID = {"meta"}


class Checker(HTMLParser):
    """Checks that elements are closed in order, and collects identifiers and the targets of links."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: set[str] = set()
        self.identifiers: list[str] = []
        self.targets: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Record the start of an element."""
        values = dict(attrs)
        self.tags.add(tag)
        if tag not in VOID:
            self.open.append(tag)
        if values.get("id"):
            self.identifiers.append(values["id"] or "")
        if (values.get("href") or "").startswith("#"):
            self.targets.add((values["href"] or "")[1:])

    def handle_endtag(self, tag: str) -> None:
        """Check that it ends the element that started last."""
        assert tag == self.open.pop()


def checked(text: str) -> Checker:
    """Parse a page to its end."""
    checker = Checker()
    checker.feed(text)
    checker.close()

    assert [] == checker.open
    return checker


def part(heading: str = "", report: DriftReport = FOUND, facts: Facts = FACTS) -> Part:
    """A part without charts."""
    return part_of(heading, (), np.empty((0, 0)), report, facts)


def test_is_one_valid_document() -> None:
    """Elements are closed in order, identifiers are unique, every link of the table has its section."""
    inputs, outputs = part(heading="Inputs"), part(heading="Predictions")
    found = checked(render(Page("wine", (inputs, outputs))))

    assert len(found.identifiers) == len(set(found.identifiers))
    assert {"p0-0", "p0-1", "p1-0", "p1-1"} == found.targets
    assert found.targets <= set(found.identifiers)


def test_loads_nothing_from_the_network() -> None:
    """It has no external script, image, font or style, and a policy that forbids them."""
    text = render(Page("wine", (part(),)))
    found = checked(text)

    assert not found.tags & {"script", "img", "link", "iframe", "object", "form"}
    assert "default-src 'none'; style-src 'unsafe-inline'" in text
    assert not re.search(r"https?:|@import|url\(", text)


def test_shows_what_was_compared() -> None:
    """Files, rows, hash, rule, time, what was left out, and the notes are shown."""
    text = render(Page("wine", (part(),)))
    facts = dict(re.findall(r"<dt>(.*?)</dt><dd>(.*?)</dd>", text[: text.index("<table")]))

    assert {
        "Window": "<bdi>new.csv</bdi>, 100 rows",
        "Reference": "<bdi>old.csv</bdi>, 1,000 rows",
        "Reference hash": f"<code>{'ab' * 32}</code>",
        "Rule": "p-value",
        "Tested": "2023-11-14 22:13:20 UTC",
        "Cannot tell": "<div>the reference has 8 values, too few for any window to alarm: <bdi>colour</bdi></div>"
        "<div>the window has 3 values, 50 are needed: <bdi>sulphates</bdi></div>",
        "Left out": "<bdi>bottled</bdi>, <bdi>barrel</bdi>",
    } == facts
    assert "<strong>1 of 2 features has drifted.</strong>" in text
    assert "column &#x27;x&#x27; is constant" in text


def test_shows_how_soon_a_shift_is_found() -> None:
    """The summary has the rows of all features that have an estimate, and the time in which so many come."""
    features = (replace(ALCOHOL, rows_to_detect=346), replace(ALCOHOL, rows_to_detect=1_212), COLOUR)
    text = render(Page("wine", (part(report=replace(FOUND, features=features, rows_per_second=2.0)),)))
    sentence = (
        "with this reference and traffic a shift of half a standard deviation is found after about "
        "350 to 1,200 rows, 3 to 10 minutes"
    )

    assert f"<dt>Sensitivity</dt><dd>{sentence}</dd>" in text


def test_lists_which_features_moved_first() -> None:
    """The oldest alarm is first; without alarms there is no list."""
    later, first = replace(ALCOHOL, feature="later", since=90.0), replace(ALCOHOL, feature="first", since=30.0)
    text = render(Page("wine", (part(report=report_of(later, first)),)))
    lines = re.findall(r"<li><bdi>(\w+)</bdi> ([^<]*)</li>", text)

    assert [("first", "1970-01-01 00:00:30 UTC"), ("later", "1970-01-01 00:01:30 UTC")] == lines
    assert "Moved first" not in render(Page("wine", (part(report=report_of(COLOUR)),)))


def test_the_table_has_every_feature_and_the_page_is_bounded() -> None:
    """Features beyond the limit have a line of the table only, and long names are cut."""
    report = report_of(*(moved(f"{place}<{'x' * 1000}", place / 1000, 0.5) for place in range(FULL_FEATURES + 50)))
    text = render(Page("wide", (part(report=report),)))
    found = checked(text)

    assert FULL_FEATURES == len(found.targets)
    assert FULL_FEATURES + 50 == text[text.index('class="overview"') : text.index('class="legend"')].count(
        'scope="row"'
    )
    assert "The 200 features that moved most are shown in full." in text
    assert "x" * (LONGEST_NAME + 1) not in text
    assert len(text) < FULL_FEATURES * 15_000


def test_a_threshold_out_of_reach_has_no_mark() -> None:
    """A threshold has a mark at its place."""
    meters = re.findall(r'<div><i class="window".*?</div>', render(Page("wine", (part(),))))

    assert ["left:25.0%"] == re.findall(r"left:[\d.]+%", "".join(meters))


def test_too_few_rows_give_no_verdict() -> None:
    """There is no table, and the reading says why."""
    text = render(Page("wine", (part(report=TOO_FEW),)))

    assert "cannot tell" in text
    assert "7 rows are too few." in text
    assert '<table class="overview">' not in text


def test_features_without_a_verdict_are_counted_beside_the_state() -> None:
    """A model is ok if any feature is and none drifts; without a single verdict nothing is green."""
    report = report_of(moved("acid", 0.1, 0.2))
    partly, nothing = replace(report, untested=(few("sugar"),)), replace(report, features=(COLOUR,), drift=None)
    texts = [render(Page("wine", (part(report=one),))) for one in (report, partly, nothing)]
    bodies = [text[text.index("<body") :] for text in texts]

    assert ["summary ok", "summary ok", "summary cannot_tell"] == [
        re.findall(r'class="(summary \w+)"', body)[0] for body in bodies
    ]
    assert '<span class="count ok">1 ok</span>, <span class="count cannot_tell">1 cannot tell</span>' in bodies[1]
    assert not re.search(r'class="[^"]*\bok\b', bodies[2])


def test_a_feature_without_results_is_the_last_line_of_the_table() -> None:
    """It has its state and its reason, and no numbers."""
    text = render(Page("wine", (part(),)))
    lines = re.findall(r'<tr><th scope="row">.*?</tr>', text[: text.index('class="legend"')])

    assert ["alcohol", "colour", "sulphates"] == [re.findall(r"<bdi>(\w+)</bdi>", line)[0] for line in lines]
    assert "? cannot tell too few rows" == re.sub("<.*?>", "", lines[2]).removeprefix("sulphates")


def test_long_lists_are_cut() -> None:
    """Of a thousand untested features a hundred are listed."""
    report = replace(TOO_FEW, untested=tuple(few(f"f{place}") for place in range(1000)))
    text = render(Page("wine", (part(report=report),)))

    assert "<bdi>f99</bdi> and 900 more" in text


def test_long_lists_of_reasons_are_cut() -> None:
    """Of a thousand reasons a hundred are shown."""
    report = replace(TOO_FEW, untested=tuple(few(f"f{place}", f"reason {place}") for place in range(1000)))
    text = render(Page("wine", (part(report=report),)))

    assert "<div>reason 99: <bdi>f99</bdi></div><div>and 900 more reasons</div>" in text


def test_unknown_facts_are_left_out() -> None:
    """A page without time, hash, rule, notes or link back has no line for them."""
    text = render(Page("wine", (part(facts=Facts(window="w", reference="", reference_rows=0)),)))

    for word in ("Tested", "hash", "Rule", "notes", "Reference<", "<nav"):
        assert word not in text[text.index("<body") : text.index("<table")]


def test_a_page_links_back_to_the_list() -> None:
    """The link is the one that the page is given."""
    assert '<nav><a href=".">← all models</a></nav>' in render(Page("wine", (part(),), "."))


def test_no_evaluation_yet() -> None:
    """A page without parts says that nothing has been evaluated."""
    assert "Nothing has been evaluated yet." in render(Page("wine", ()))
