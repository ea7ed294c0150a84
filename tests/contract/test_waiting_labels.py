"""Which responses wait for labels, and for how long: the contract of every store, tested on each adapter."""

from driftgauge.storage.label_slices import LabelSlices
from driftgauge.storage.labels import Matured, Put, Slice
from driftgauge.storage.redis_client import BoundedRedis
from tests.support.label_stores import DAY, NOW, LabelStores, label, layout, outcomes, response
from tests.support.redis_fixtures import every_store
from tests.support.rows import WINE

pytestmark = every_store


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
