"""The contract of every store of responses that wait for labels, tested on each adapter."""

import math
from collections.abc import Sequence

import numpy as np
import pytest

from driftgauge.inference.payload import Kind
from driftgauge.storage.label_slices import LabelSlices
from driftgauge.storage.labels import LabelLayout, LabelOutcome, Match, Matured, Put, Slice, StoredLabel
from driftgauge.storage.redis_client import BoundedRedis
from driftgauge.storage.ring import StreamKey, Window
from tests.support.label_stores import NOW, LabelStores, label, layout, response
from tests.support.redis_fixtures import every_store
from tests.support.rows import WINE

pytestmark = every_store

OUTCOMES = StreamKey(WINE, Kind.OUTCOME)
DAY = 86_400.0


@pytest.fixture
def stores(bounded_redis: BoundedRedis | None) -> LabelStores:
    """A store that judges labels when they come, and its ring."""
    return LabelStores(bounded_redis, LabelSlices(ttl_seconds=23 * DAY, pending=24 * 4))


@pytest.fixture
def ripening(bounded_redis: BoundedRedis | None) -> LabelStores:
    """A store that judges labels when their responses are an hour old, and its ring."""
    return LabelStores(bounded_redis, LabelSlices(ttl_seconds=23 * DAY, pending=24 * 8, maturity_seconds=3600))


def outcomes(matches: Sequence[Match]) -> list[str]:
    """What became of the labels."""
    return [str(one.outcome) for one in matches]


async def window(stores: LabelStores, of: LabelLayout | None = None) -> Window:
    """The rows of outcomes."""
    of = layout() if of is None else of
    return await stores.ring.read(OUTCOMES, of.schema, len(of.predictions) + len(of.outputs))


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


async def test_a_full_slice_keeps_the_smallest_digests(stores: LabelStores) -> None:
    """Whatever the order; a label of another one was not kept, and one below that never came is unknown."""
    digests = [place << 60 for place in (9, 3, 1, 7, 2, 8, 5)]
    put = await stores.labels.put(WINE, layout(), [response(one, [[1.0, 2.0]]) for one in digests])
    asked = [label(one << 60, 5.0) for one in (1, 2, 3, 5, 7, 8, 9, 4)]

    assert Put(6, 3, 0) == put
    assert [*["matched"] * 4, *["not_kept"] * 3, "unknown"] == outcomes(
        await stores.labels.match(WINE, layout(), asked)
    )
    assert [(4, 3, 4, 4)] == [one[2:] for one in await stores.labels.slices(WINE)]


async def test_slices_are_full_by_themselves(stores: LabelStores) -> None:
    """A day with many responses leaves no other day out."""
    for age in range(3):
        await stores.labels.put(
            WINE, layout(), [response((4 * one + age) << 50, [[1.0, 2.0]], time=NOW - age * DAY) for one in range(5)]
        )

    assert [(4, 1)] * 3 == [(one.responses, one.left_out) for one in await stores.labels.slices(WINE)]


async def test_bytes_are_bounded_too(bounded_redis: BoundedRedis | None) -> None:
    """Responses with many rows leave fewer places, and one that would fill a part of the slice alone never waits."""
    stores = LabelStores(bounded_redis, LabelSlices(ttl_seconds=23 * DAY, pending_bytes=24 * 10_000))
    wide = [[1.0, 2.0]] * 5  # 613 bytes
    put = await stores.labels.put(WINE, layout(), [response(one << 50, wide) for one in range(1, 21)])
    too_large = await stores.labels.put(WINE, layout(), [response(0, [*wide, [1.0, 2.0]])])

    assert Put(16, 4, 0) == put
    assert Put(0, 1, 0) == too_large
    assert [(16, 5)] == [(one.responses, one.left_out) for one in await stores.labels.slices(WINE)]


async def test_a_response_waits_for_the_time_to_live(stores: LabelStores) -> None:
    """After it and at most one slice more, a label is unknown, and the rows without labels are counted once."""
    start = 20_000 * DAY
    stores.now = start
    await stores.labels.put(
        WINE, layout(), [response(7, [[1.0, 2.0]] * 3, time=start), response(8, [[1.0, 2.0]], time=start)]
    )
    stores.now = start + 24 * DAY - 1
    matched = await stores.labels.match(WINE, layout(), [label(7, 5.0, row=2)])
    before = await stores.labels.mature(WINE)
    stores.now = start + 24 * DAY
    unknown = await stores.labels.match(WINE, layout(), [label(7, 5.0, row=1)])
    ended = [await stores.labels.mature(WINE), await stores.labels.mature(WINE)]

    assert ["matched", "unknown"] == outcomes([*matched, *unknown])
    assert [Matured(0, 0), Matured(0, 3), Matured(0, 0)] == [before, *ended]
    assert [] == await stores.labels.slices(WINE)


async def test_a_response_that_is_too_old_never_waits(stores: LabelStores) -> None:
    """A delayed event of the week before last is left out; one from the future waits in the newest slice."""
    put = await stores.labels.put(
        WINE, layout(), [response(7, [[1.0, 2.0]], time=NOW - 25 * DAY), response(8, [[1.0, 2.0]], time=NOW + 9 * DAY)]
    )

    assert Put(1, 1, 0) == put
    assert ["unknown", "matched"] == outcomes(await stores.labels.match(WINE, layout(), [label(7, 5.0), label(8, 5.0)]))


async def test_a_label_with_a_time_looks_where_its_response_is(stores: LabelStores) -> None:
    """Clocks may differ by minutes; a label whose time is days off does not find its response."""
    await stores.labels.put(WINE, layout(), [response(7, [[1.0, 2.0]], time=NOW - 2 * DAY)])
    times = (NOW - 2 * DAY + 250, NOW - 2 * DAY - 250, NOW - 9 * DAY, NOW + 90 * DAY, NOW - 900 * DAY)
    labels = [label(7, float(index), time=time) for index, time in enumerate(times)]

    assert ["matched", "too_late", "unknown", "unknown", "unknown"] == outcomes(
        await stores.labels.match(WINE, layout(), labels)
    )


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


async def test_a_response_that_must_leave_takes_its_labels_along(ripening: LabelStores) -> None:
    """They are not judged, since what waits is a uniform sample."""
    await ripening.labels.put(WINE, layout(), [response(9 << 50, [[1.0, 2.0]], aliases=(1,))])
    await ripening.labels.match(WINE, layout(), [label(1, 5.0)])
    await ripening.labels.put(WINE, layout(), [response(one << 50, [[1.0, 2.0]]) for one in range(1, 9)])
    ripening.now += 3600

    assert Matured(0, 0) == await ripening.labels.mature(WINE)
    assert ["unknown", "not_kept"] == outcomes(
        await ripening.labels.match(WINE, layout(), [label(1, 5.0), label(9 << 50, 5.0)])
    )
    assert [(8, 1, 8, 0)] == [one[2:] for one in await ripening.labels.slices(WINE)]


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


async def test_slices_say_what_waits(stores: LabelStores) -> None:
    """Their times, responses and rows, oldest first."""
    day = 20_000 * DAY
    stores.now = day + 100
    await stores.labels.put(
        WINE, layout(), [response(7, [[1.0, 2.0]] * 2, time=day + 50), response(8, [[1.0, 2.0]], time=day - 50)]
    )
    await stores.labels.match(WINE, layout(), [label(7, 5.0), label(7, 5.0, output=1)])

    assert [Slice(day - DAY, day, 1, 0, 1, 0), Slice(day, day + DAY, 1, 0, 2, 1)] == await stores.labels.slices(WINE)


async def test_a_sample_is_of_the_time_that_is_asked_for(stores: LabelStores) -> None:
    """Labelled or not, and no more rows than asked for; those of another layout are left out."""
    times = [NOW - 2 * DAY, NOW - DAY, NOW - 60, NOW]
    await stores.labels.put(
        WINE, layout(), [response(index, [[index, 0.0]] * 2, time=time) for index, time in enumerate(times)]
    )
    await stores.labels.put(WINE, layout("other"), [response(9, [[9.0, 0.0]], time=NOW - 60)])
    await stores.labels.match(WINE, layout(), [label(1, 5.0)])

    sample = await stores.labels.sample(WINE, layout(), NOW - DAY, NOW, 100)
    few = await stores.labels.sample(WINE, layout(), 0.0, NOW + 1, 3)
    assert [1.0, 1.0, 2.0, 2.0] == sample.rows[:, 0].tolist()
    assert [0.0, 0.0, 1.0] == few.rows[:, 0].tolist()
    assert [NOW - DAY, NOW - DAY, NOW - 60, NOW - 60] == sample.times.tolist()
    assert [NOW - 2 * DAY, NOW - 2 * DAY, NOW - DAY] == few.times.tolist()
    assert [1 / 3, 1 / 5] == [sample.other_columns, few.other_columns]
    none = await stores.labels.sample(WINE, layout(), NOW + 1, NOW + 2, 3)
    assert ((0, 2), (0,), 0.0) == (none.rows.shape, none.times.shape, none.other_columns)


async def test_a_sample_is_uniform_over_slices_that_keep_different_shares(stores: LabelStores) -> None:
    """A full day counts no more than its share: digests beyond its threshold are left out of the others, too."""
    await stores.labels.put(WINE, layout(), [response(one << 50, [[0.0, 0.0]], time=NOW - DAY) for one in range(1, 40)])
    await stores.labels.put(WINE, layout(), [response(one << 49, [[1.0, 0.0]]) for one in (7, 9, 11)])
    sample = await stores.labels.sample(WINE, layout(), 0.0, NOW + 1, 100)

    assert [0.0, 0.0, 0.0, 1.0, 0.0, 1.0] == sample.rows[:, 0].tolist()


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
