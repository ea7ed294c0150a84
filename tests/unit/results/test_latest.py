"""The newest evaluation of every stream."""

import pytest

from driftgauge.inference.payload import Kind
from driftgauge.results.latest import Evaluation, LatestEvaluations, ModelEvaluations, ReferenceFacts
from tests.support.clock import ManualClock
from tests.support.models import IRIS, WINE
from tests.support.reports import ALCOHOL, FOUND, report_of

FIRST = Evaluation(FOUND, 1_000, 0.01, 999)
SECOND = Evaluation(report_of(ALCOHOL), 1_000, 0.02, 999)


@pytest.fixture
def clock() -> ManualClock:
    """A clock at 1,000 seconds."""
    return ManualClock()


@pytest.fixture
def latest(clock: ManualClock) -> LatestEvaluations:
    """Evaluations that are stale after 90 seconds."""
    return LatestEvaluations(90, clock)


def test_fresh_evaluations_are_returned_by_kind(latest: LatestEvaluations) -> None:
    """They are sorted by model, whatever the order in which they were published."""
    latest.publish(IRIS, Kind.REQUEST, SECOND)
    latest.publish(WINE, Kind.REQUEST, FIRST)

    assert [(WINE, FIRST), (IRIS, SECOND)] == list(latest.fresh().items())
    assert {} == latest.fresh(Kind.RESPONSE)


def test_a_new_evaluation_replaces_the_one_before(latest: LatestEvaluations) -> None:
    """A stream has one evaluation."""
    latest.publish(WINE, Kind.REQUEST, FIRST)
    latest.publish(WINE, Kind.REQUEST, SECOND)

    assert {WINE: SECOND} == latest.fresh()


@pytest.mark.parametrize(("age", "count"), [(90, 1), (90.5, 0)])
def test_a_stale_evaluation_is_not_returned(
    latest: LatestEvaluations, clock: ManualClock, age: float, count: int
) -> None:
    """An evaluation is stale beyond 90 seconds, not at 90."""
    latest.publish(WINE, Kind.RESPONSE, FIRST)
    clock.now += age

    assert count == len(latest.fresh(Kind.RESPONSE)) == len(latest.by_model())


def test_a_withdrawn_evaluation_is_not_returned(latest: LatestEvaluations) -> None:
    """Withdrawing twice is no error, and the other kind keeps its evaluation."""
    for kind in Kind:
        latest.publish(WINE, kind, FIRST)
    latest.withdraw(WINE, Kind.REQUEST)
    latest.withdraw(WINE, Kind.REQUEST)

    assert [ModelEvaluations(WINE, None, FIRST)] == latest.by_model()


def test_models_have_the_evaluations_of_both_kinds(latest: LatestEvaluations) -> None:
    """A model with one evaluation has `None` for the other kind; models are sorted."""
    latest.publish(IRIS, Kind.RESPONSE, SECOND)
    latest.publish(WINE, Kind.REQUEST, FIRST)
    latest.publish(WINE, Kind.RESPONSE, SECOND)

    assert [ModelEvaluations(WINE, FIRST, SECOND), ModelEvaluations(IRIS, None, SECOND)] == latest.by_model()


def test_the_reference_of_a_stream_is_the_one_recorded_last(latest: LatestEvaluations) -> None:
    """A stream that was recorded without a reference differs from one that was never recorded."""
    facts = ReferenceFacts(1_599, "ab12", "/mnt/wine.csv", 0.0)
    latest.set_reference(IRIS, Kind.REQUEST, None)
    latest.set_reference(WINE, Kind.REQUEST, None)
    latest.set_reference(WINE, Kind.REQUEST, facts)

    assert facts == latest.reference(WINE, Kind.REQUEST)
    assert latest.reference(WINE, Kind.RESPONSE) is None
    assert [(WINE, facts), (IRIS, None)] == list(latest.references(Kind.REQUEST).items())
    assert {} == latest.references(Kind.RESPONSE)
