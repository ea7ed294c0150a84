"""The stores of responses that wait for labels equal plain dictionaries and each other, whatever comes when."""

import asyncio
import itertools
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chisquare

from driftgauge.inference.payload import Kind
from driftgauge.storage.label_slices import LabelSlices
from driftgauge.storage.labels import LabelOutcome, Matured, StoredLabel, WaitingResponse
from driftgauge.storage.redis_client import BoundedRedis, connect
from driftgauge.storage.ring import StreamKey, id_digests
from tests.support.label_model import DictLabels
from tests.support.label_stores import NOW, LabelStores, label, layout, response
from tests.support.redis_server import RedisServer
from tests.support.rows import WINE

OUTCOMES = StreamKey(WINE, Kind.OUTCOME)
LENGTH = 8.0
MOST = 3


@dataclass(frozen=True)
class Step:
    """One call, after some time.

    Args:
        seconds: How long after the call before.
        responses: They are put.
        labels: They are matched then.
        again: Whether each call is made again.
    """

    seconds: float
    responses: list[WaitingResponse]
    labels: list[StoredLabel]
    again: bool


IDS = [one << 56 for one in range(1, 9)]
OTHER_IDS = [one << 56 for one in range(100, 103)]
RESPONSES = st.builds(
    lambda one, alias, rows, age: response(
        one, [[float(one >> 56), 0.5]] * rows, -age, tuple(other for other in alias if other != one)
    ),
    st.sampled_from(IDS),
    st.one_of(st.just(()), st.tuples(st.sampled_from(IDS + OTHER_IDS))),
    st.integers(1, 2),
    st.sampled_from([-3.0, 0.0, 0.5, 3.0, 9.0, 30.0, 150.0, 180.0, 190.0]),
)
LABELS = st.builds(
    label, st.sampled_from(IDS + OTHER_IDS), st.sampled_from([0.0, 1.0]), st.integers(0, 2), st.integers(0, 1)
)
STEPS = st.lists(
    st.builds(
        Step,
        st.sampled_from([0.0, 1.0, 5.0, 9.0, 60.0, 170.0]),
        st.lists(RESPONSES, max_size=6),
        st.lists(LABELS, max_size=8),
        st.booleans(),
    ),
    max_size=8,
)


def rows_of(stores: Sequence[tuple[int, int, int, float]]) -> list[tuple[float, ...]]:
    """Rows of outcomes of what a model of a store has judged."""
    return [
        (float(digest >> 56), 0.5, *(value if place == output else -1.0 for place in range(2)))
        for digest, _, output, value in stores
    ]


async def window(stores: LabelStores) -> list[tuple[float, ...]]:
    """The rows of outcomes, with -1 for no label."""
    read = await stores.ring.read(OUTCOMES, layout().schema, 4)
    return [tuple(row) for row in np.nan_to_num(read.rows, nan=-1.0).tolist()]


async def assert_equal_to_dictionaries(stores: LabelStores, maturity: float, steps: Sequence[Step]) -> None:
    """Makes all calls, and compares all results and the rows of outcomes with the model's."""
    model = DictLabels(LENGTH, MOST, maturity)
    counts: Counter[LabelOutcome] = Counter()
    matured = at_once = 0
    for step in steps:
        stores.now += step.seconds
        now = stores.now
        responses = [one._replace(time=now + one.time) for one in step.responses]
        put = await stores.labels.put(WINE, layout(), responses)
        matches = await stores.labels.match(WINE, layout(), step.labels)
        judged = await stores.labels.mature(WINE)
        if step.again:
            assert put == await stores.labels.put(WINE, layout(), responses, again=True)
            assert matches == await stores.labels.match(WINE, layout(), step.labels, again=True)
            assert judged == await stores.labels.mature(WINE, again=True)

        assert model.put(responses, now) == put
        assert [model.match(one, now) for one in step.labels] == [one.outcome for one in matches]
        assert Matured(*model.mature(now)) == judged
        counts.update(one.outcome for one in matches)
        at_once += sum(one.is_judged for one in matches)
        matured += judged.labelled
        slices = await stores.labels.slices(WINE)
        assert len(model.waiting) == sum(one.responses for one in slices)
        assert sum(len(one.rows) for one in model.waiting.values()) == sum(one.rows for one in slices)
        assert sum(len(model.labelled_rows(one)) for one in model.waiting) == sum(one.labelled_rows for one in slices)

    assert sum(len(step.labels) for step in steps) == counts.total()
    rows = await window(stores)
    assert len(rows) == at_once + matured
    assert rows_of(model.rows) == rows
    if not maturity and all(one.time <= 0 for step in steps for one in step.responses):
        assert len(rows) == counts[LabelOutcome.MATCHED]


def bounds(maturity: float) -> LabelSlices:
    """Slices of eight seconds, for three responses each."""
    return LabelSlices(23 * LENGTH, 24 * MOST, maturity_seconds=maturity)


MATURITY = st.sampled_from([0.0, 0.0, 4.0, 20.0])


@settings(max_examples=150, deadline=None)
@given(maturity=MATURITY, steps=STEPS)
async def test_the_store_in_memory_equals_dictionaries(maturity: float, steps: list[Step]) -> None:
    """Every label has one outcome, and the rows of outcomes are the labels that were judged."""
    await assert_equal_to_dictionaries(LabelStores(None, bounds(maturity)), maturity, steps)


@settings(max_examples=60, deadline=None)
@given(maturity=MATURITY, steps=STEPS)
async def test_the_store_in_redis_equals_dictionaries(
    redis_server: RedisServer, maturity: float, steps: list[Step]
) -> None:
    """As in memory: so both stores return the same."""
    async with connect(redis_server.url, timeout_seconds=5) as client:
        await client.flushall()
        stores = LabelStores(BoundedRedis(client, timeout_seconds=5), bounds(maturity))
        await assert_equal_to_dictionaries(stores, maturity, steps)


@given(order=st.permutations(range(12)), others=st.permutations(range(12)))
@settings(max_examples=30, deadline=None)
async def test_replicas_choose_the_same_responses_in_any_order(
    redis_server: RedisServer, order: list[int], others: list[int]
) -> None:
    """Two replicas at one Redis, and a store in memory, keep the smallest digests of all."""
    every = [response((index * 37 % 101) << 56, [[1.0, 2.0]]) for index in range(12)]
    smallest = sorted(one.ids[0] for one in every)[:MOST]
    memory = LabelStores(None, bounds(0.0))
    async with connect(redis_server.url, timeout_seconds=5) as client:
        await client.flushall()
        replicas = [LabelStores(BoundedRedis(client, timeout_seconds=5), bounds(0.0)) for _ in range(2)]
        for index, (one, other) in enumerate(zip(order, others, strict=True)):
            await replicas[index % 2].labels.put(WINE, layout(), [every[one]])
            await memory.labels.put(WINE, layout(), [every[other]])
        asked = [label(one.ids[0], 1.0) for one in every]
        expected = ["matched" if one.ids[0] in smallest else "not_kept" for one in every]
        for stores in (replicas[0], memory):
            assert expected == [str(one.outcome) for one in await stores.labels.match(WINE, layout(), asked)]


async def test_of_two_replicas_only_one_matches_a_label(redis_server: RedisServer) -> None:
    """A label that is posted to both at once is matched by one, and a duplicate for the other."""
    async with connect(redis_server.url, timeout_seconds=5) as client:
        await client.flushall()
        replicas = [LabelStores(BoundedRedis(client, timeout_seconds=5), LabelSlices()) for _ in range(2)]
        await replicas[0].labels.put(WINE, layout(), [response(one, [[1.0, 2.0]]) for one in range(1, 401)])
        labels = [label(one, 1.0) for one in range(1, 401)]
        results = await asyncio.gather(
            replicas[0].labels.match(WINE, layout(), labels),
            replicas[1].labels.match(WINE, layout(), list(reversed(labels))),
        )

        assert {"matched": 400, "duplicate": 400} == Counter(str(one.outcome) for one in itertools.chain(*results))
        assert len((await replicas[0].ring.read(OUTCOMES, layout().schema, 4)).rows) == 400


@pytest.mark.parametrize("ids", ["order-{}", "{:08x}-0000-4000-8000-000000000000"])
async def test_those_that_wait_are_a_uniform_sample(ids: str) -> None:
    """Of 20,000 responses that come one after the other, no tenth is kept more often than chance allows.

    The chi-square statistic of ten equal shares (Pearson 1900) has 9 degrees of freedom.
    """
    stores = LabelStores(None, LabelSlices(pending=24 * 500))
    digests = id_digests(ids.format(number) for number in range(20_000)).tolist()
    await stores.labels.put(WINE, layout(), [response(one, [[float(place), 0.0]]) for place, one in enumerate(digests)])
    sample = (await stores.labels.sample(WINE, layout(), 0.0, NOW + 1, 1000)).rows
    tenths = np.bincount((sample[:, 0] // 2000).astype(int), minlength=10)

    assert len(sample) == 500
    assert chisquare(tenths).pvalue > 0.001
