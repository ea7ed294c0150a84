"""A whole page."""

import base64
import hashlib
import re
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np

from driftgauge import __version__
from driftgauge.drift.result import DriftReport
from driftgauge.page.contents import FULL_FEATURES, TABLE_FEATURES, Facts, Page, Part, part_of
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


def table(text: str) -> str:
    """The table of features."""
    return text[text.index("<table") : text.index("</table>")]


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

    assert not found.tags & {"img", "link", "iframe", "object", "form"}
    assert "default-src 'none'; script-src 'sha256-" in text
    assert "; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'\"" in text
    assert "connect-src" not in text
    assert not re.search(r"https?:|@import|url\(|<script[^>]|\bsrc=", text)


def test_the_policy_allows_the_script_of_the_page_and_no_other() -> None:
    """It names the hash of the only script."""
    text = render(Page("wine", (part(),)))
    (script,) = re.findall(r"<script>(.*?)</script>", text, re.DOTALL)
    (allowed,) = re.findall(r"script-src 'sha256-(.*?)'", text)

    assert allowed == base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()


def test_style_and_script_are_ascii() -> None:
    """A page in a file is written with character references, which neither of them reads."""
    text = render(Page("wine", (part(),)))

    for name in ("style", "script"):
        (content,) = re.findall(rf"<{name}>(.*?)</{name}>", text, re.DOTALL)
        assert content.isascii()


def test_a_page_leads_to_other_revisions_and_to_all_models() -> None:
    """Their names come from the network, so they are escaped."""
    text = render(Page("wine", (part(),), up=".", others=(("v<2", "report?a=b&c=v%3C2"),)))
    (nav,) = re.findall(r"<nav>(<a href=\"\.\">← all models.*?)</nav>", text)

    assert nav.endswith(' Other revisions: <a href="report?a=b&amp;c=v%3C2"><bdi>v&lt;2</bdi></a></span>')
    assert "Other revisions" not in render(Page("wine", (part(),), up="."))


def test_only_the_page_of_the_admin_port_has_links_to_it() -> None:
    """They lead to metrics, JSON, runbooks and the page itself, which may connect to its own port."""
    live, file = (render(Page("wine", (part(),), refresh_seconds=seconds)) for seconds in (15.0, None))
    links = {"metrics", "drift", "runbooks/", "runbooks/drift#what-to-do", "."}

    assert links <= set(re.findall('href="(.*?)"', live))
    assert 'data-seconds="15"' in live
    assert "connect-src 'self'; script-src" in live
    assert set() == {link for link in re.findall('href="(.*?)"', file) if not link.startswith("#")}


def test_every_page_has_the_version() -> None:
    """A page that was saved says which driftgauge made it."""
    assert f"<footer>driftgauge {__version__}</footer>" in render(Page("wine", (part(),)))


def test_without_drift_there_is_nothing_to_do() -> None:
    """The runbook is linked where a verdict needs a person."""
    fine = render(Page("wine", (part(report=report_of(moved("acid", 0.1, 0.2))),), refresh_seconds=15.0))
    unknown = render(Page("wine", (part(report=TOO_FEW),), refresh_seconds=15.0))

    assert "What to do" not in fine
    assert 'href="runbooks/cannot-tell#driftgaugecannottell"' in unknown


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
        "Moved first": "<div><bdi>alcohol</bdi>: 1970-01-01 00:15:00 UTC</div>",
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
    """The oldest alarm is first, those of one second are together; without alarms there is no list."""
    later, first, same = (
        replace(ALCOHOL, feature=name, since=since)
        for name, since in (("later", 90.0), ("first", 30.0), ("same", 30.2))
    )
    text = render(Page("wine", (part(report=report_of(later, first, same)),)))
    (found,) = re.findall("<dt>Moved first</dt><dd>(.*?)</dd>", text)

    assert (
        "<div><bdi>first</bdi>, <bdi>same</bdi>: 1970-01-01 00:00:30 UTC</div>"
        "<div><bdi>later</bdi>: 1970-01-01 00:01:30 UTC</div>"
    ) == found
    assert "Moved first" not in render(Page("wine", (part(report=report_of(COLOUR)),)))


def test_a_second_box_does_not_repeat_the_first() -> None:
    """Hash, rule and time are said once if both parts have the same ones."""
    other = replace(FACTS, rule="another", reference="predictions.csv")
    text = render(Page("wine", (part(heading="Inputs"), part(heading="Predictions", facts=other))))
    boxes = text[: text.index('class="tools"')]

    assert 1 == boxes.count("<dt>Tested</dt>") == boxes.count("<dt>Reference hash</dt>")
    assert 2 == boxes.count("<dt>Rule</dt>") == boxes.count("<dt>Reference</dt>")


def test_the_page_is_bounded() -> None:
    """Features beyond a limit have a line of the table only, others beyond another limit none; long names are cut."""
    count = TABLE_FEATURES + 50
    report = report_of(*(moved(f"{place}<{'x' * 1000}", place / count, 0.5) for place in range(count)))
    text = render(Page("wide", (part(report=report),)))
    found = checked(text)

    assert FULL_FEATURES == len(found.targets)
    assert TABLE_FEATURES == table(text).count('scope="row"')
    assert "The 100 features that moved most are shown in full." in text
    assert "50 features that moved less are left out here; the JSON report has all." in text
    assert "x" * (LONGEST_NAME + 1) not in text
    assert len(text) < FULL_FEATURES * 15_000 + TABLE_FEATURES * 2_000


def test_too_few_rows_give_no_verdict() -> None:
    """There is no table, and the reading says why."""
    text = render(Page("wine", (part(report=TOO_FEW),)))

    assert "cannot tell" in text
    assert "7 rows are too few." in text
    assert "overview" not in text[text.index("<body") : text.index("<script")]


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
