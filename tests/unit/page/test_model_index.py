"""The list of models."""

import re
from dataclasses import replace

from driftgauge.drift.result import CannotTellReason, DriftReport, VerdictState
from driftgauge.page.model_index import Entry, render_index
from driftgauge.results.model_state import ModelState, model_state, state_of_report
from tests.support.outcome_reports import RESULT, WAITING
from tests.support.reports import FOUND, TOO_FEW, moved, report_of

WITHOUT_DRIFT = report_of()


def entry(
    name: str, link: str, inputs: DriftReport | None, predictions: DriftReport | None, time: float | None
) -> Entry:
    """A model whose state is that of its reports."""
    reports = [state_of_report(one) for one in (inputs, predictions) if one is not None]
    return Entry(name, link, inputs, predictions, time, model_state(reports))


def test_models_that_drift_come_first() -> None:
    """Those without a verdict are next; models of one state are sorted by name."""
    entries = [
        entry("b", "report?b", TOO_FEW, None, 1.0),
        entry("a", "report?a", None, TOO_FEW, 1.0),
        entry("d", "report?d", WITHOUT_DRIFT, FOUND, 1.0),
        entry("c", "report?c", FOUND, None, 1.0),
        entry("0", "report?0", WITHOUT_DRIFT, None, 1.0),
    ]

    assert ["c", "d", "a", "b", "0"] == re.findall(r"<bdi>(\w)</bdi>", render_index(entries))


def test_each_model_has_its_verdicts_and_its_link() -> None:
    """Readings follow the verdicts; names and links are escaped."""
    text = render_index([entry("<wine>", "report?a=1&b=2", FOUND, None, 1.7e9)])

    assert '<a href="report?a=1&amp;b=2"><bdi>&lt;wine&gt;</bdi></a>' in text
    assert "1 of 2 features has drifted." in text
    assert "not evaluated" in text
    assert "2023-11-14 22:13:20 UTC" in text


def test_a_model_without_a_verdict_says_why() -> None:
    """The badge says that it cannot tell, the reason follows, and nothing is green."""
    text = render_index([entry("wine", "report", TOO_FEW, None, None)])
    line = re.findall("<td>(.*?)</td>", text)[0]

    assert "? cannot tell too few rows, 2 cannot tell7 rows are too few." == re.sub("<.*?>", "", line)
    assert not re.search(r'class="[^"]*\bok\b', text)


def test_the_features_of_a_model_are_counted() -> None:
    """Those without a verdict are counted beside its state."""
    partly = replace(report_of(moved("acid", 0.1, 0.2)), untested=TOO_FEW.untested)

    assert "✓ ok 1 ok, 2 cannot tell" in re.sub(
        "<.*?>", "", render_index([entry("wine", "report", partly, None, None)])
    )


def test_no_models_yet() -> None:
    """An empty list says why it is empty: stale evaluations vanish as well."""
    assert "No model has been evaluated yet, or not of late." in render_index([])


def test_a_model_that_was_never_evaluated() -> None:
    """Its time is `never`, it has no link, and the reason is given if it is known."""
    known, unknown = (
        render_index([Entry("wine", "", None, None, None, ModelState(VerdictState.CANNOT_TELL, reason))])
        for reason in (CannotTellReason.NO_REFERENCE, None)
    )

    assert "<td>never</td>" in known
    assert "<a " not in known[known.index("<tbody") :]
    assert "? cannot tell no reference" in re.sub("<.*?>", "", known)
    assert "? cannot tell" in re.sub("<.*?>", "", unknown)
    assert "no reference" not in unknown


def test_the_list_links_to_everything_else() -> None:
    """It can load itself again, and has the links to metrics, JSON and runbooks."""
    text = render_index([])

    assert {"metrics", "drift", "runbooks/"} <= set(re.findall('href="(.*?)"', text))
    assert 'data-seconds="30"' in text


def test_each_model_has_the_verdicts_on_its_labels() -> None:
    """The worst of all outputs, the rows and their age; a dash where no labels are taken, words before the first."""
    days = replace(RESULT, time=20 * 86_400.0, window_time=8 * 86_400.0)
    state = ModelState(VerdictState.OK)
    text = render_index(
        [
            Entry("none", "report", None, None, 1.0, state),
            Entry("waiting", "report", None, None, 1.0, state, WAITING),
            Entry("worse", "report", None, None, 1.0, state, days),
        ]
    )
    cells = [re.sub("<.*?>", "", one) for one in re.findall("<td>(.*?)</td>", text)][2::4]

    assert cells == [
        "Performance ▲ driftConcept ✓ ok412 labelled rows, the newest of a response 12 days old",
        "–",  # noqa: RUF001 an en dash
        "no labels yet",
    ]
