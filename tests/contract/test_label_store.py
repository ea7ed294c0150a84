"""The contract of every store of responses that wait for labels, tested on each adapter."""

import math

import numpy as np
import pytest

from driftgauge.storage.labels import LabelOutcome, Match, Matured, Put, StoredLabel
from tests.support.label_stores import DAY, NOW, LabelStores, label, layout, outcomes, response, window
from tests.support.redis_fixtures import every_store
from tests.support.rows import WINE

pytestmark = every_store


async def test_a_label_that_meets_its_response_is_one_row_of_outcomes(stores: LabelStores) -> None:
    """The row has the predictions, its own label, and no label of the other output."""
    put = await stores.labels.put(WINE, layout(), [response(7, [[1.0, 2.0], [3.0, math.nan]], time=NOW - 60)])
    matches = await stores.labels.match(WINE, layout(), [label(7, 5.0, row=1, output=1)])
    rows = await window(stores)

    assert Put(kept=1, left_out=0, displaced=0) == put
    assert [Match(LabelOutcome.MATCHED, 60.0, is_judged=True)] == matches
    assert np.array([[3.0, np.nan, np.nan, 5.0]]).tobytes() == rows.rows.tobytes()
    assert ([NOW - 60], [7]) == (rows.times.tolist(), rows.ids.tolist())


async def test_labels_of_one_response_came_together(stores: LabelStores) -> None:
    """Their rows of outcomes are of one payload, so that what depends on each other is known."""
    await stores.labels.put(WINE, layout(), [response(7, [[1.0, 2.0], [3.0, 4.0]]), response(8, [[5.0, 6.0]])])
    labels = [label(7, 1.0), label(7, 2.0, row=1), label(7, 3.0, output=1), label(8, 4.0)]
    await stores.labels.match(WINE, layout(), labels)

    assert [0, 0, 0, 1] == (await window(stores)).requests.tolist()


async def test_each_row_of_outcomes_knows_its_place_in_the_inference(stores: LabelStores) -> None:
    """Labels come in any order, and of some rows alone: whoever joins inputs with labels needs the row."""
    await stores.labels.put(WINE, layout(), [response(7, [[1.0, 2.0]] * 300), response(8, [[3.0, 4.0]] * 2)])
    labels = [label(7, 1.0, row=299), label(8, 1.0, row=1), label(7, 2.0), label(7, 3.0, row=256, output=1)]
    await stores.labels.match(WINE, layout(), labels)
    rows = await window(stores)

    assert ([7, 8, 7, 7], [299, 1, 0, 256]) == (rows.ids.tolist(), rows.places.tolist())


async def test_rows_that_mature_know_their_places(ripening: LabelStores) -> None:
    """Those of one response in the order of their rows, be their labels as they may."""
    await ripening.labels.put(WINE, layout(), [response(7, [[1.0, 2.0]] * 4)])
    await ripening.labels.match(WINE, layout(), [label(7, 1.0, row=3), label(7, 2.0, row=1)])
    ripening.now += 3600
    await ripening.labels.mature(WINE)

    assert [1, 3] == (await window(ripening)).places.tolist()


async def test_a_label_is_matched_by_each_id_of_an_inference(stores: LabelStores) -> None:
    """The other ids lead to the same response."""
    await stores.labels.put(WINE, layout(), [response(7, [[1.0, 2.0]], aliases=(8, 9))])
    matches = await stores.labels.match(WINE, layout(), [label(9, 5.0), label(8, 5.0), label(7, 6.0)])

    assert ["matched", "duplicate", "too_late"] == outcomes(matches)


async def test_a_further_id_that_comes_again_is_of_the_newest_response(stores: LabelStores) -> None:
    """Each of the older ones is still found by its own first id, in whatever slice."""
    for first, time in ((7, NOW - 3 * DAY), (8, NOW - 60), (9, NOW)):
        await stores.labels.put(WINE, layout(), [response(first, [[float(first), 2.0]], time, aliases=(1,))])
    matches = await stores.labels.match(WINE, layout(), [label(1, 5.0), *(label(first, 5.0) for first in (7, 8, 9))])

    assert ["matched", "matched", "matched", "duplicate"] == outcomes(matches)
    assert [9.0, 7.0, 8.0] == (await window(stores)).rows[:, 0].tolist()
    assert [3] == [sum(one.responses for one in await stores.labels.slices(WINE))]


@pytest.mark.parametrize("first_is_newer", [False, True])
async def test_an_id_that_is_the_first_of_one_and_a_further_of_another_is_of_the_newest(
    stores: LabelStores, *, first_is_newer: bool
) -> None:
    """So replicas of two versions may put the ids of a response in different orders."""
    old, new = (NOW, NOW - 60) if first_is_newer else (NOW - 60, NOW)
    every = [response(1, [[7.0, 2.0]], old, aliases=(7,)), response(8, [[8.0, 2.0]], new, aliases=(1,))]
    for one in every if first_is_newer else reversed(every):
        await stores.labels.put(WINE, layout(), [one])
    matches = await stores.labels.match(WINE, layout(), [label(1, 5.0), label(7, 5.0), label(8, 5.0)])

    assert ["matched", *(["duplicate", "matched"] if first_is_newer else ["matched", "duplicate"])] == outcomes(matches)
    assert [7.0 if first_is_newer else 8.0] == (await window(stores)).rows[:1, 0].tolist()


async def test_an_id_beyond_a_full_slice_may_come_where_it_may_be_a_further_one(stores: LabelStores) -> None:
    """A further id decides nothing of what is kept, so that one beyond says so only if no response has any."""
    await stores.labels.put(WINE, layout(), [response(one << 56, [[1.0, 2.0]]) for one in (1, 2, 3, 4, 5)])
    before = await stores.labels.match(WINE, layout(), [label(6 << 56, 5.0), label(1, 5.0)])
    await stores.labels.put(WINE, layout(), [response(1 << 54, [[1.0, 2.0]], aliases=(7 << 56,))])
    after = await stores.labels.match(WINE, layout(), [label(6 << 56, 5.0), label(1, 5.0), label(7 << 56, 5.0)])

    assert [Match(LabelOutcome.NOT_KEPT), Match(LabelOutcome.UNKNOWN)] == before
    assert [
        Match(LabelOutcome.NOT_KEPT, may_come=True),
        Match(LabelOutcome.UNKNOWN, may_come=True),
        Match(LabelOutcome.MATCHED, 0.0, is_judged=True),
    ] == after


async def test_a_label_that_no_response_waits_for_is_unknown(stores: LabelStores) -> None:
    """Before the response it is unknown, and afterwards it is matched."""
    before = await stores.labels.match(WINE, layout(), [label(7, 5.0)])
    await stores.labels.put(WINE, layout(), [response(7, [[1.0, 2.0]])])
    after = await stores.labels.match(WINE, layout(), [label(7, 5.0)])

    assert ["unknown", "matched"] == outcomes([*before, *after])


@pytest.mark.parametrize(
    "bad",
    [
        label(7, 1.0, row=1),
        label(7, 1.0, row=-1),
        label(7, 1.0, row=2**40),
        label(7, 1.0, output=2),
        label(7, 1.0, output=-1),
        label(7, 1.0, output=300),
        label(7, math.nan),
        label(7, math.inf),
    ],
)
async def test_a_label_that_the_response_cannot_have_is_malformed(stores: LabelStores, bad: StoredLabel) -> None:
    """A row or an output that it lacks, and a value that is no number."""
    await stores.labels.put(WINE, layout(), [response(7, [[1.0, 2.0]])])

    assert ["malformed"] == outcomes(await stores.labels.match(WINE, layout(), [bad]))
    assert ["unknown"] == outcomes(await stores.labels.match(WINE, layout(), [bad._replace(id=8)]))
    assert len((await window(stores)).rows) == 0


async def test_the_same_value_again_is_a_duplicate(stores: LabelStores) -> None:
    """Also the negative zero, which equals zero."""
    await stores.labels.put(WINE, layout(), [response(7, [[1.0, 2.0]])])
    matches = await stores.labels.match(WINE, layout(), [label(7, 0.0), label(7, -0.0)])

    assert ["matched", "duplicate"] == outcomes(matches)
    assert len((await window(stores)).rows) == 1


async def test_a_response_of_another_layout_is_unknown(stores: LabelStores) -> None:
    """Its columns are others."""
    await stores.labels.put(WINE, layout(), [response(7, [[1.0, 2.0]])])

    assert ["unknown"] == outcomes(await stores.labels.match(WINE, layout("other"), [label(7, 5.0)]))


async def test_the_newest_layout_is_known(stores: LabelStores) -> None:
    """There is none before a response waited."""
    before = await stores.labels.layout(WINE)
    for one in (layout(), layout("other\udc80 \u00fc")):
        await stores.labels.put(WINE, one, [response(7, [[1.0, 2.0]])])

    assert before is None
    assert layout("other\udc80 \u00fc") == await stores.labels.layout(WINE)


async def test_the_newest_response_of_an_id_counts(stores: LabelStores) -> None:
    """Also if the older one is of another slice, and had a label."""
    await stores.labels.put(WINE, layout(), [response(7, [[1.0, 2.0]], time=NOW - 3 * DAY)])
    await stores.labels.match(WINE, layout(), [label(7, 5.0)])
    put = await stores.labels.put(WINE, layout(), [response(7, [[3.0, 4.0]])])
    matches = await stores.labels.match(WINE, layout(), [label(7, 6.0)])

    assert Put(1, 0, 1) == put
    assert ["matched"] == outcomes(matches)
    assert [1.0, 3.0] == (await window(stores)).rows[:, 0].tolist()
    assert [1] == [one.responses for one in await stores.labels.slices(WINE) if one.responses]


async def test_a_response_that_comes_twice_waits_once(stores: LabelStores) -> None:
    """An event that is delivered again does not let its label count again."""
    again = response(7, [[1.0, 2.0]], aliases=(8,))
    await stores.labels.put(WINE, layout(), [again])
    await stores.labels.match(WINE, layout(), [label(7, 5.0)])
    put = await stores.labels.put(WINE, layout(), [again])

    assert Put(1, 0, 0) == put
    assert ["duplicate"] == outcomes(await stores.labels.match(WINE, layout(), [label(8, 5.0)]))


async def test_labels_are_judged_when_their_responses_are_mature(ripening: LabelStores) -> None:
    """In the order of the responses, each once, with the label that they have then."""
    ids = [7, 8, 9]
    await ripening.labels.put(WINE, layout(), [response(one, [[one, 0.0]], time=NOW - 60 * one) for one in ids])
    first = await ripening.labels.match(WINE, layout(), [label(one, 1.0) for one in ids])
    changed = await ripening.labels.match(WINE, layout(), [label(8, 2.0), label(9, 1.0)])
    young = await ripening.labels.mature(WINE)
    ripening.now += 3600 - 60 * 8
    judged = [await ripening.labels.mature(WINE), await ripening.labels.mature(WINE)]
    late = await ripening.labels.match(WINE, layout(), [label(8, 3.0), label(8, 2.0), label(7, 4.0)])
    rows = (await window(ripening)).rows

    assert ["matched"] * 3 == outcomes(first)
    assert ["corrected", "duplicate"] == outcomes(changed)
    assert [Matured(0, 0), Matured(2, 0), Matured(0, 0)] == [young, *judged]
    assert ["too_late", "duplicate", "corrected"] == outcomes(late)
    assert [[9.0, 1.0], [8.0, 2.0]] == rows[:, [0, 2]].tolist()


async def test_a_label_of_a_mature_response_is_judged_at_once(ripening: LabelStores) -> None:
    """Nothing is left to wait for."""
    await ripening.labels.put(WINE, layout(), [response(7, [[1.0, 2.0]], time=NOW - 3600)])
    matches = await ripening.labels.match(WINE, layout(), [label(7, 5.0), label(7, 6.0)])

    assert ["matched", "too_late"] == outcomes(matches)
    assert len((await window(ripening)).rows) == 1


async def test_a_response_of_the_future_is_judged_once(stores: LabelStores) -> None:
    """Clocks of replicas differ: a label that comes before its response's time is judged when that has come."""
    await stores.labels.put(WINE, layout(), [response(7, [[1.0, 2.0]], time=NOW + 60)])
    matches = await stores.labels.match(WINE, layout(), [label(7, 5.0)])
    early = await stores.labels.mature(WINE)
    stores.now += 60
    late = await stores.labels.mature(WINE)

    assert [Match(LabelOutcome.MATCHED, 0.0, is_judged=False)] == matches
    assert [Matured(0, 0), Matured(1, 0)] == [early, late]
    assert len((await window(stores)).rows) == 1


async def test_many_labels_are_matched_and_matured_in_steps(ripening: LabelStores) -> None:
    """More than one script takes, in order, of two layouts."""
    units = [(row, output) for row in range(30) for output in range(2)]
    for name, first in (("quality", 1), ("other", 41)):
        ids = range(first, first + 4)
        responses = [response(one, [[one, 0.0]] * 30, time=NOW - one) for one in ids]
        await ripening.labels.put(WINE, layout(name), responses)
        labels = [label(one, 1.0, row, output) for one in ids for row, output in units]
        assert ["matched"] * 240 == outcomes(await ripening.labels.match(WINE, layout(name), labels))
    ripening.now += 3600

    assert Matured(480, 0) == await ripening.labels.mature(WINE)
    rows = await window(ripening, layout("other"))
    assert np.repeat([44.0, 43.0, 42.0, 41.0], 60).tolist() == rows.rows[:, 0].tolist()
    assert np.repeat([44, 43, 42, 41], 60).tolist() == rows.ids.tolist()


async def test_a_call_that_is_made_again_does_nothing_twice(stores: LabelStores) -> None:
    """Each returns what it returned, also where other calls came in between."""
    responses = [response(one, [[1.0, 2.0]]) for one in (7, 8, 7)]
    labels = [label(7, 5.0), label(7, 5.0), label(8, 6.0), label(9, 1.0)]
    put = await stores.labels.put(WINE, layout(), responses)
    matches = await stores.labels.match(WINE, layout(), labels)
    stores.now += 60

    assert put == await stores.labels.put(WINE, layout(), responses, again=True)
    assert matches == await stores.labels.match(WINE, layout(), labels, again=True)
    assert len((await window(stores)).rows) == 2
    matured = await stores.labels.mature(WINE)
    assert matured == await stores.labels.mature(WINE, again=True)


async def test_a_first_call_may_be_one_that_is_made_again(stores: LabelStores) -> None:
    """Its first attempt never came to the store."""
    await stores.labels.put(WINE, layout(), [response(7, [[1.0, 2.0]])], again=True)

    assert ["matched"] == outcomes(await stores.labels.match(WINE, layout(), [label(7, 5.0)], again=True))
    assert Matured(0, 0) == await stores.labels.mature(WINE, again=True)


async def test_a_model_that_is_forgotten_is_unknown(stores: LabelStores) -> None:
    """In memory with all that waits; in Redis it expires by itself."""
    await stores.labels.put(WINE, layout(), [response(7, [[1.0, 2.0]])])
    stores.labels.retain([])

    assert ["matched" if stores.is_shared else "unknown"] == outcomes(
        await stores.labels.match(WINE, layout(), [label(7, 5.0)])
    )


async def test_nothing_asks_for_nothing(stores: LabelStores) -> None:
    """Empty batches have empty results."""
    assert Put(0, 0, 0) == await stores.labels.put(WINE, layout(), [])
    assert [] == await stores.labels.match(WINE, layout(), [])
    assert [] == await stores.labels.slices(WINE)
    assert await stores.labels.layout(WINE) is None
