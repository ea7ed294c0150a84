"""What becomes of labels whose store fails or hangs: each is counted once, and no other model waits."""

import asyncio
from itertools import repeat

import pytest

from driftgauge.labels.label_results import MatcherLimits
from driftgauge.storage.labels import LabelLayout
from tests.support.failing_labels import LabelFailure
from tests.support.labelled import EARLY_SECONDS, NUMBER, Labelled, a_label
from tests.support.models import IRIS, WINE


async def test_a_model_whose_calls_fail_delays_no_other() -> None:
    """The labels of others match while its call does not end, and none of its own is counted until it has ended."""
    labelled = Labelled()
    for model in (WINE, IRIS):
        await labelled.respond("4711", model=model)
    labelled.failing.hung.add(WINE)
    labelled.offer(a_label("4711"), models=[WINE])
    task = asyncio.create_task(labelled.matcher.run(0.0))
    for _ in range(10):
        await asyncio.sleep(0)
    labelled.offer(a_label("4711"), models=[IRIS])
    for _ in range(100):
        await asyncio.sleep(0)
    assert ({}, {"matched": 1}) == (labelled.outcomes(WINE), labelled.outcomes(IRIS))
    labelled.failing.hung.clear()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await labelled.matcher.close()
    assert {"matched": 1} == labelled.outcomes(WINE)


async def test_a_label_of_two_models_is_asked_of_the_one_that_does_not_fail() -> None:
    """It waits for no call of the other one."""
    labelled = Labelled(iter([LabelFailure.BEFORE]))
    await labelled.respond("4711", model=IRIS)
    labelled.offer(a_label("1"), models=[WINE])
    await labelled.matcher.advance()
    labelled.failing.hung.add(WINE)
    labelled.offer(a_label("4711"), models=[WINE, IRIS])
    task = asyncio.create_task(labelled.matcher.run(0.0))
    for _ in range(100):
        await asyncio.sleep(0)
    assert {"matched": 1} == labelled.outcomes(IRIS)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_labels_that_wait_for_a_store_take_no_places_of_others() -> None:
    """A model whose calls fail may fill its own queue, and labels of others are taken and matched."""
    labelled = Labelled(repeat(LabelFailure.BEFORE), limits=MatcherLimits(EARLY_SECONDS, queue_labels=2))
    assert labelled.offer(a_label("1"), a_label("2"))
    assert not labelled.offer(a_label("4711"), models=[IRIS])
    await labelled.matcher.advance()
    assert not labelled.offer(a_label("3"))
    assert labelled.offer(a_label("4711"), a_label("4712"), models=[IRIS])
    labelled.failing.failures = iter(())
    await labelled.respond("4711", model=IRIS)
    assert await labelled.matcher.advance()
    assert {"matched": 1} == labelled.outcomes(IRIS)


async def test_a_call_that_is_cut_off_at_the_end_is_counted_once() -> None:
    """A label whose call is cancelled is in one place until the end counts it as dropped."""
    labelled = Labelled()
    await labelled.respond("4711")
    labelled.offer(a_label("4711"))
    await labelled.matcher.advance()  # the layout is known, so that the next call is a match
    labelled.offer(a_label("4711"))
    labelled.failing.hung.add(WINE)
    task = asyncio.create_task(labelled.matcher.advance())
    for _ in range(10):
        await asyncio.sleep(0)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert (1, {"matched": 1}) == (labelled.matcher.waiting, labelled.outcomes())
    closing = asyncio.create_task(labelled.matcher.close())
    for _ in range(10):
        await asyncio.sleep(0)
    closing.cancel()
    await asyncio.gather(closing, return_exceptions=True)
    assert (0, {"matched": 1, "dropped": 1}) == (labelled.matcher.waiting, labelled.outcomes())


@pytest.mark.parametrize("failure", [LabelFailure.BEFORE, LabelFailure.AFTER])
async def test_a_call_that_failed_is_made_again(failure: LabelFailure) -> None:
    """A label is matched once, whether or not the store had done it before it failed."""
    labelled = Labelled(iter([LabelFailure.NEVER, failure]))
    await labelled.respond("4711")
    labelled.offer(a_label("4711"))
    assert not await labelled.matcher.advance()
    assert {} == labelled.outcomes()
    assert await labelled.matcher.advance()
    assert {"matched": 1} == labelled.outcomes()


async def test_a_store_that_stays_away_drops_labels() -> None:
    """Labels are dropped when they have waited for the store as long as for a response."""
    labelled = Labelled(repeat(LabelFailure.BEFORE))
    labelled.offer(a_label("4711"))
    await labelled.matcher.advance()
    labelled.clock.now += EARLY_SECONDS
    await labelled.matcher.advance()
    assert {"dropped": 1} == labelled.outcomes()


async def test_an_unexpected_error_drops_the_labels_of_its_call() -> None:
    """They are counted, labels of other models match, and the task goes on with the model at its next turn."""
    labelled = Labelled(iter([LabelFailure.NEVER, LabelFailure.BUG]))
    for model in (WINE, IRIS):
        await labelled.respond("4711", model=model)
        labelled.offer(a_label("4711"), models=[model])
    assert not await labelled.matcher.advance()
    assert ({"dropped": 1}, {"matched": 1}) == (labelled.outcomes(WINE), labelled.outcomes(IRIS))
    assert 0 == labelled.matcher.waiting
    labelled.offer(a_label("4711"))
    assert await labelled.matcher.advance()
    assert {"dropped": 1, "matched": 1} == labelled.outcomes()


async def test_a_layout_that_cannot_be_read_never_spins() -> None:
    """A turn ends although each question for the layout fails, and the labels are dropped when their time is over."""
    labelled = Labelled(repeat(LabelFailure.BUG))
    labelled.offer(a_label("4711"))
    assert not await labelled.matcher.advance()
    assert 1 == labelled.matcher.waiting
    labelled.clock.now += EARLY_SECONDS
    await labelled.matcher.advance()
    assert ({"dropped": 1}, 0) == (labelled.outcomes(), labelled.matcher.waiting)


async def test_labels_in_hand_are_counted_when_a_layout_does_not_fit_itself() -> None:
    """A layout with fewer kinds than outputs costs the labels of one batch, each counted once."""
    labelled = Labelled()
    layout = LabelLayout(("quality",), (NUMBER,), ("quality", "price"), (NUMBER,))
    await labelled.respond("4711", layout=layout)
    labelled.offer(a_label("4711"), a_label("4711", 6, output="price"), a_label("4711", 6, output="other"))
    assert not await labelled.matcher.advance()
    assert ({"dropped": 3}, 0) == (labelled.outcomes(), labelled.matcher.waiting)


async def test_a_tick_that_failed_counts_its_rows_once() -> None:
    """Rows that matured in a call whose result was lost are counted by the next one."""
    labelled = Labelled(maturity_seconds=60)
    await labelled.respond("4711")
    labelled.offer(a_label("4711"))
    await labelled.matcher.advance()
    labelled.clock.now += 61
    labelled.failing.failures = iter([LabelFailure.AFTER])
    for _ in range(3):
        await labelled.matcher.mature([WINE])
    assert 1 == labelled.rows()["labelled"]


@pytest.mark.parametrize("failure", [LabelFailure.BEFORE, LabelFailure.BUG])
async def test_a_model_that_fails_does_not_stop_those_behind_it(failure: LabelFailure) -> None:
    """The rows of the next model are judged in the same tick, and its own ones at the next."""
    labelled = Labelled(maturity_seconds=60)
    for model in (WINE, IRIS):
        await labelled.respond("4711", model=model)
        labelled.offer(a_label("4711"), models=[model])
    await labelled.matcher.advance()
    labelled.clock.now += 61
    labelled.failing.failures = iter([failure])
    await labelled.matcher.mature([WINE, IRIS])
    assert (0, 1) == (labelled.rows(WINE)["labelled"], labelled.rows(IRIS)["labelled"])
    await labelled.matcher.mature([WINE, IRIS])
    assert (1, 1) == (labelled.rows(WINE)["labelled"], labelled.rows(IRIS)["labelled"])


async def test_a_model_whose_rows_cannot_be_judged_delays_no_other() -> None:
    """The rows of the others are counted while its call does not end."""
    labelled = Labelled(maturity_seconds=60)
    for model in (WINE, IRIS):
        await labelled.respond("4711", model=model)
        labelled.offer(a_label("4711"), models=[model])
    await labelled.matcher.advance()
    labelled.clock.now += 61
    labelled.failing.hung.add(WINE)
    task = asyncio.create_task(labelled.matcher.mature([WINE, IRIS]))
    for _ in range(20):
        await asyncio.sleep(0)
    assert (0, 1) == (labelled.rows(WINE)["labelled"], labelled.rows(IRIS)["labelled"])
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
