"""The part of a page on another revision of the same model."""

from dataclasses import replace

from driftgauge.drift.canary.criteria import Criterion, CriterionResult, CriterionState
from driftgauge.inference.payload import ModelKey
from driftgauge.page.contents import Page
from driftgauge.page.document import render
from driftgauge.page.release_part import ReleasePart, release_section, with_release
from driftgauge.results.latest_comparisons import MOST_COMPARISONS, LatestComparisons, ReleaseComparison
from tests.support.models import WINE
from tests.unit.page.test_document import checked, part

STABLE, CANARY = (WINE._replace(revision=revision) for revision in ("stable", "v2"))
RESULTS = (
    CriterionResult(
        Criterion.DRIFT, CriterionState.FAILED, "predictions differ", (900, 950), None, 0.42, (0.3, None), 3.1, 2.6
    ),
    CriterionResult(
        Criterion.ERRORS, CriterionState.OK, "errors do not", (900, 950), (0.01, 0.02), 0.5, (0.25, 1.5), 0.2, 2.6
    ),
    CriterionResult(Criterion.LATENCY, CriterionState.OK, "latencies do not", (9, 9), None, 1.04, (None, None), 0, 2.6),
    CriterionResult(Criterion.ACCURACY, CriterionState.CANNOT_TELL, "there are no labels"),
)
FOUND = ReleaseComparison(CANARY, STABLE, RESULTS, 1_000.0, 1_600.0)
COMMAND = "driftgauge compare --inference-service wine --revision v2 --against stable"


def test_the_four_criteria_have_state_effect_interval_and_evidence() -> None:
    """An end of an interval that is not known is left open; without data there is a dash."""
    text = release_section(ReleasePart(FOUND, "3 minutes ago", ""))

    assert 4 == text.count('scope="row"')
    assert "shift +0.42 sd <small>(0.3 to ...)</small>" in text
    assert "odds x 0.50 <small>(0.25 to 1.5)</small>" in text
    assert "<td>x 1.04</td>" in text
    assert "<td>3.10 / 2.60</td>" in text
    assert "1.0 % / 2.0 %" in text
    assert "As of 3 minutes ago (1970-01-01 00:26:40 UTC), since 1970-01-01 00:16:40 UTC" in text
    assert [1, 2, 1] == [text.count(f"</b> {word}</span>") for word in ("fails", "ok", "cannot tell")]
    assert "there are no labels." in text


def test_the_first_sentence_has_the_verdict() -> None:
    """Which criteria fail, and which cannot tell; a canary that fails by none does not fail."""
    text = release_section(ReleasePart(FOUND, "now", ""))
    assert "Revision <bdi>v2</bdi> fails against <bdi>stable</bdi> by drift; accuracy cannot tell." in text

    well = release_section(ReleasePart(replace(FOUND, results=RESULTS[1:3]), "now", ""))
    assert "Revision <bdi>v2</bdi> does not fail against <bdi>stable</bdi>.</strong>" in well


def test_the_difference_of_accuracies_is_in_points() -> None:
    """As the accuracies beside it, which are in percent."""
    accuracy = CriterionResult(Criterion.ACCURACY, CriterionState.OK, "ok", (9, 9), (0.9, 0.88), 0.02, (-0.01, None))
    text = release_section(ReleasePart(replace(FOUND, results=(accuracy,)), "now", ""))

    assert "+2.0 points <small>(-1.0 to ...)</small>" in text


def test_errors_of_numbers_are_no_shares() -> None:
    """Mean absolute errors have the unit of the label, and may be beyond 1."""
    accuracy = CriterionResult(Criterion.ACCURACY, CriterionState.OK, "ok", (9, 9), (2.5, 2.0), 0.5, evidence=0.1)
    one = replace(FOUND, results=(replace(accuracy, threshold=2.6),), numbers=True)
    text = release_section(ReleasePart(one, "now", ""))

    assert "<td>error +0.5</td><td>2.5 / 2</td>" in text


def test_without_a_comparison_there_is_one_sentence_with_the_command() -> None:
    """And no table."""
    text = release_section(ReleasePart(None, "", COMMAND))

    assert f"<code>{COMMAND}</code>" in text
    assert "<table" not in text


def test_a_page_with_the_part_is_one_valid_document() -> None:
    """What stood below the tables stays there."""
    page = with_release(Page("wine", (part("Inputs"),)), ReleasePart(FOUND, "now", ""))
    text = render(with_release(page, ReleasePart(None, "", COMMAND)))

    checked(text)
    assert 2 == text.count("<h2>Compared with another revision</h2>")


def test_names_and_sentences_are_escaped() -> None:
    """Revisions come from a query, and reasons may contain anything."""
    odd = '<script>"&'
    results = (replace(RESULTS[0], reason=odd),)
    one = ReleaseComparison(WINE._replace(revision=odd), WINE._replace(revision=odd), results, 1.0, 2.0)

    for shown in (ReleasePart(one, odd, ""), ReleasePart(None, "", odd)):
        text = release_section(shown)
        checked(text)
        assert "<script" not in text
        assert "&lt;script&gt;" in text


def test_the_newest_comparison_of_either_side_is_found() -> None:
    """A page of the stable revision shows it as that of the canary does."""
    latest = LatestComparisons()
    newer = replace(FOUND, canary=WINE._replace(revision="v3"))
    for one in (FOUND, newer):
        latest.publish(one)

    assert (FOUND, newer, newer) == (latest.of(CANARY), latest.of(newer.canary), latest.of(STABLE))
    latest.publish(FOUND)
    assert latest.of(STABLE) is FOUND
    assert latest.of(WINE) is None


def test_comparisons_are_bounded_and_forgotten_with_their_models() -> None:
    """The one that was published first goes, and those of which no model is known."""
    latest = LatestComparisons()
    models = [ModelKey("", "wine", "predictor", "wine", f"v{number}") for number in range(MOST_COMPARISONS + 1)]
    for model in models:
        latest.publish(replace(FOUND, canary=model))

    assert latest.of(models[0]) is None
    assert latest.of(models[1]) is not None
    latest.retain({models[2]})
    assert latest.of(models[1]) is None
    assert latest.of(models[2]) is not None
