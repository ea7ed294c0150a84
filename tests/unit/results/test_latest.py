"""The newest evaluation of every stream."""

import pytest

from driftgauge.drift.result import CannotTellReason, VerdictState
from driftgauge.inference.payload import PAYLOAD_KINDS, Kind
from driftgauge.results.latest import Evaluation, LatestEvaluations, ModelEvaluations, ReferenceFacts
from driftgauge.results.model_state import ModelState
from tests.support.clock import ManualClock
from tests.support.models import IRIS, WINE
from tests.support.reports import ALCOHOL, FOUND, moved, report_of

FACTS = ReferenceFacts(1_599, "ab12", "/mnt/wine.csv", 0.0)
FIRST = Evaluation(FOUND, 1_000, 0.01, 999)
SECOND = Evaluation(report_of(ALCOHOL), 1_000, 0.02, 999)
OK = Evaluation(report_of(moved("alcohol", 0.1, 0.2)), 1_000, 0.02, 999)


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
    assert (FIRST if count else None) == latest.evaluation(WINE, Kind.RESPONSE)


def test_one_stream_has_the_evaluation_of_its_model_and_kind(latest: LatestEvaluations) -> None:
    """Other models and the other kind do not matter."""
    latest.publish(WINE, Kind.REQUEST, FIRST)
    latest.publish(IRIS, Kind.REQUEST, SECOND)

    assert FIRST is latest.evaluation(WINE, Kind.REQUEST)
    assert latest.evaluation(WINE, Kind.RESPONSE) is None


def test_a_withdrawn_evaluation_is_not_returned(latest: LatestEvaluations) -> None:
    """Withdrawing twice is no error, and the other kind keeps its evaluation."""
    for kind in PAYLOAD_KINDS:
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
    latest.set_reference(IRIS, Kind.REQUEST, None)
    latest.set_reference(WINE, Kind.REQUEST, None)
    latest.set_reference(WINE, Kind.REQUEST, FACTS)

    assert FACTS == latest.reference(WINE, Kind.REQUEST)
    assert latest.reference(WINE, Kind.RESPONSE) is None
    assert [(WINE, FACTS), (IRIS, None)] == list(latest.references(Kind.REQUEST).items())
    assert {} == latest.references(Kind.RESPONSE)


def test_every_model_has_a_state(latest: LatestEvaluations) -> None:
    """A model without a reference has one too; models are sorted."""
    latest.set_reference(IRIS, Kind.REQUEST, None)
    latest.publish(WINE, Kind.REQUEST, FIRST)

    assert [
        (WINE, ModelState(VerdictState.DRIFT)),
        (IRIS, ModelState(VerdictState.CANNOT_TELL, CannotTellReason.NO_REFERENCE)),
    ] == list(latest.states().items())


def test_a_model_that_waits_for_its_first_evaluation_has_no_state(latest: LatestEvaluations) -> None:
    """It has a reference, and the store has not failed."""
    latest.set_reference(WINE, Kind.REQUEST, FACTS)
    latest.set_reference(WINE, Kind.RESPONSE, None)

    assert {} == latest.states()


def test_a_failure_of_the_store_counts_when_the_result_is_stale(latest: LatestEvaluations, clock: ManualClock) -> None:
    """Until then the verdict stays; without any result a failure counts when it has lasted as long."""
    latest.publish(WINE, Kind.REQUEST, OK)
    latest.record_store_failure(WINE, Kind.REQUEST)
    latest.record_store_failure(IRIS, Kind.REQUEST)
    clock.now += 90
    latest.record_store_failure(IRIS, Kind.REQUEST)
    before = latest.states()
    clock.now += 1
    away = ModelState(VerdictState.CANNOT_TELL, CannotTellReason.STORE)

    assert {WINE: ModelState(VerdictState.OK)} == before
    assert {WINE: away, IRIS: away} == latest.states()


def test_a_single_failure_of_the_store_leaves_a_model_ok(latest: LatestEvaluations) -> None:
    """Its predictions have no result yet, because they wait for a baseline."""
    latest.publish(WINE, Kind.REQUEST, OK)
    latest.withdraw(WINE, Kind.RESPONSE)
    latest.record_store_failure(WINE, Kind.RESPONSE)

    assert {WINE: ModelState(VerdictState.OK)} == latest.states()


def test_stale_predictions_keep_a_model_from_being_ok(latest: LatestEvaluations, clock: ManualClock) -> None:
    """Its inputs are ok; of its predictions nothing is known, and only the log has the reason."""
    latest.publish(WINE, Kind.RESPONSE, OK)
    clock.now += 91
    latest.publish(WINE, Kind.REQUEST, Evaluation(OK.report, clock.now, 0.02, 999))

    assert {WINE: ModelState(VerdictState.CANNOT_TELL)} == latest.states()


@pytest.mark.parametrize("kind", PAYLOAD_KINDS)
def test_the_next_result_ends_a_failure_of_the_store(latest: LatestEvaluations, clock: ManualClock, kind: Kind) -> None:
    """When that result is stale in turn, the store is no longer the reason."""
    latest.record_store_failure(WINE, kind)
    latest.publish(WINE, kind, OK)
    fresh = latest.states()
    clock.now += 91

    assert {WINE: ModelState(VerdictState.OK)} == fresh
    assert {WINE: ModelState(VerdictState.CANNOT_TELL)} == latest.states()


def test_a_model_that_is_removed_has_no_state(latest: LatestEvaluations) -> None:
    """Its result, its failure and its reference are forgotten."""
    latest.publish(WINE, Kind.REQUEST, OK)
    latest.record_store_failure(WINE, Kind.RESPONSE)
    latest.record_store_failure(IRIS, Kind.REQUEST)
    latest.set_reference(IRIS, Kind.REQUEST, None)
    latest.retain([])

    assert {} == latest.states()
