"""The feed of responses that wait for labels: bounded, beside ingest, and every response in it is accounted for."""

import asyncio
import gzip
import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from driftgauge.drift.profile import FeatureKind
from driftgauge.errors import StorageError
from driftgauge.features.output_columns import OutputColumns
from driftgauge.inference.payload import Kind, ModelKey, Payload
from driftgauge.ingest.appender import Appender, Part
from driftgauge.ingest.label_feed import FedRows, FeedSettings, LabelFeed, layout_of_columns, waiting_responses
from driftgauge.ingest.pipeline import Pipeline, PipelineSettings
from driftgauge.ingest.row_reader import DecodedRows
from driftgauge.metrics.registry import Metrics
from driftgauge.reference.store import ReferenceStore
from driftgauge.storage.label_slices import LabelSlices
from driftgauge.storage.labels import LabelLayout, Put
from driftgauge.storage.memory import MemoryRing
from driftgauge.storage.redis_client import BoundedRedis, connect
from driftgauge.storage.redis_labels import RedisLabels
from driftgauge.storage.ring import id_digests
from tests.support.changed_payloads import changed
from tests.support.failing_labels import FailingLabels
from tests.support.label_stores import NOW, LabelStores, label
from tests.support.models import IRIS
from tests.support.redis_server import RedisServer
from tests.support.rings import SilentRing
from tests.support.rows import REQUESTS, RESPONSES, WINE, block_of

NUMBER, CATEGORY, IGNORED = FeatureKind.NUMERIC, FeatureKind.CATEGORICAL, FeatureKind.IGNORED
COLUMNS, KINDS = ("quality",), (NUMBER,)
LAYOUT = layout_of_columns(COLUMNS, KINDS)


def layouts(_: ModelKey, columns: tuple[str, ...], kinds: tuple[FeatureKind, ...]) -> LabelLayout | None:
    """All outputs of every model get labels."""
    return layout_of_columns(columns, kinds)


class Bench:
    """A feed of a store in memory, and what it counts."""

    def __init__(self, settings: FeedSettings | None = None) -> None:
        self.stores = LabelStores(None, LabelSlices())
        self.dropped: Counter[ModelKey] = Counter()
        self.put: list[Put] = []
        self.feed = LabelFeed(
            self.stores.labels,
            layouts,
            lambda model, number: self.dropped.update({model: number}),
            settings or FeedSettings(),
            lambda _, put: self.put.append(put),
        )
        self.feed.start()

    async def matched(self, *ids: str) -> list[str]:
        """What becomes of labels of these ids."""
        assert LAYOUT is not None
        labels = [label(one, 1.0) for one in id_digests(ids).tolist()]
        return [str(one.outcome) for one in await self.stores.labels.match(WINE, LAYOUT, labels)]


def parts(*ids: str, body_ids: Sequence[str | None] = (), rows: int = 1, count: int = 1) -> list[Part]:
    """Responses of some rows each, one part."""
    payloads = [Payload(Kind.RESPONSE, one, WINE, b"", None, 200, NOW) for one in ids]
    values = np.arange(float(rows * len(ids)))[:, None]
    each = np.full(len(ids), rows)
    decoded = DecodedRows(COLUMNS, KINDS, "s", values, np.zeros(1, int), count * rows * len(ids), each, ids=body_ids)
    return [(payloads, decoded)]


def fed(number: int) -> FedRows:
    """So many responses of one row."""
    return FedRows(COLUMNS, KINDS, block_of(np.zeros((number, 1))))


async def append(bench: Bench, *every: list[Part]) -> None:
    """Append to a ring, with the bench's feed, and let the feed end."""
    appender = Appender(MemoryRing(100), Metrics("200"))
    appender.feed = bench.feed
    for one in every:
        await appender.append(RESPONSES, one)
    await bench.feed.close(5)


async def test_accepted_responses_wait_for_labels() -> None:
    """Each by the id of its header and by that of its body."""
    bench = Bench()
    await append(bench, parts("a", "b", "c", body_ids=["x", None, "c"]), parts("d"))

    assert ["matched", "duplicate", "matched", "matched", "matched", "unknown"] == await bench.matched(*"axbcde")
    assert [Put(3, 0, 0), Put(1, 0, 0)] == bench.put
    assert not bench.dropped


async def test_the_ids_of_bodies_come_through_the_pipeline(tmp_path: Path) -> None:
    """From bodies that are decoded together, alone, in the thread and in the child process."""

    def body(id_: object, rows: int) -> bytes:
        """A response with an id."""
        output = {"name": "quality", "datatype": "FP64", "shape": [rows], "data": [0.5] * rows}
        return json.dumps({"id": id_, "outputs": [output]}).encode()

    bench = Bench()
    limits = PipelineSettings(100, 2**24, 60, 2**22, 200, 0.001, 1.0, 12_000, 604_800)
    pipeline = Pipeline(
        limits, MemoryRing(2000), ReferenceStore(None, tmp_path), Metrics("200"), OutputColumns(), lambda: 0.0
    )
    pipeline.feed_labels(bench.feed)
    mixed = b'{"parameters": {"x": "%b"}, ' % (b"y" * 600_000)
    bodies = [body("a", 1), body("b", 1), body(3, 1), body("c", 200) + b" " * 20_000, gzip.compress(body("d", 1))]
    bodies.append(mixed + body("e", 1)[1:])
    for index, one in enumerate(bodies):
        pipeline.offer(Payload(Kind.RESPONSE, f"header-{index}", WINE, one, None, 200, NOW))
    pipeline.stop()
    await pipeline.run()
    await pipeline.close()
    await bench.feed.close(5)

    assert ["matched"] * 5 == await bench.matched(*"abcde")
    assert ["duplicate"] * 2 + ["matched"] + ["duplicate"] * 3 == await bench.matched(
        *(f"header-{index}" for index in range(6))
    )


async def test_requests_do_not_wait() -> None:
    """Labels are for responses."""
    bench = Bench()
    appender = Appender(MemoryRing(100), Metrics("200"))
    appender.feed = bench.feed
    await appender.append(REQUESTS, parts("a"))
    await bench.feed.close(5)

    assert not bench.put


@pytest.mark.parametrize("made", [frozenset(), frozenset({0, 1})])
def test_the_id_that_the_client_gave_comes_first(made: frozenset[int]) -> None:
    """It decides whether the response is kept: that of the header, or of the body where the proxy made the other."""
    body = int(id_digests(["x"])[0])
    block = block_of(np.array([[1.0], [2.0], [3.0]]), lengths=[2, 1])
    first, second = waiting_responses(FedRows(COLUMNS, KINDS, block, ["x", None], made=made))

    header = int(block.ids[0])
    assert ((body, header) if made else (header, body)) == first.ids
    assert (int(block.ids[1]),) == second.ids
    assert [[[1.0], [2.0]], [[3.0]]] == [first.rows.tolist(), second.rows.tolist()]


async def test_a_constant_id_of_bodies_loses_nothing() -> None:
    """Each response is found by its header, and the newest one by the body's id too."""
    bench = Bench()
    await append(bench, parts("a", "b", "c", body_ids=["1", "1", "1"]))

    assert ["matched", "matched", "matched", "duplicate"] == await bench.matched(*"abc1")
    assert [Put(3, 0, 0)] == bench.put


async def test_where_the_proxy_made_the_id_that_of_the_body_decides() -> None:
    """It is the only one that the client knows, so that the newest response of it counts."""
    bench = Bench()
    (payloads, rows), *_ = parts("a", "b", body_ids=["1", "1"])
    await append(bench, [([changed(one, is_id_made=True) for one in payloads], rows)])

    assert ["unknown", "matched", "duplicate"] == await bench.matched(*"ab1")
    assert [Put(2, 0, 1)] == bench.put


async def test_a_response_with_more_rows_than_are_kept_is_dropped() -> None:
    """Its labels would meet wrong rows."""
    bench = Bench()
    await append(bench, parts("a", rows=2, count=2))

    assert {WINE: 1} == bench.dropped
    assert ["unknown"] == await bench.matched("a")


@pytest.mark.parametrize("settings", [FeedSettings(responses=5), FeedSettings(bytes=5 * 72)])
async def test_a_full_queue_drops_and_counts(settings: FeedSettings) -> None:
    """By number and by bytes. What waits before is put."""
    bench = Bench(settings)
    for number in (3, 3, 2):
        bench.feed.offer(WINE, fed(number))
    waiting = bench.feed.waiting
    await bench.feed.close(5)

    assert waiting == 5
    assert {WINE: 3} == bench.dropped
    assert [3, 2] == [sum(put) for put in bench.put]


async def test_a_full_queue_drops_those_of_the_model_that_has_most() -> None:
    """One that puts nothing, since its server hangs, takes no places of others; what is being put is not dropped."""
    stores, dropped = LabelStores(None, LabelSlices()), Counter[ModelKey]()
    store = FailingLabels(stores.labels, iter(()))
    store.hung.add(WINE)
    settings, put = FeedSettings(responses=6), list[ModelKey]()
    feed = LabelFeed(
        store,
        layouts,
        lambda model, number: dropped.update({model: number}),
        settings,
        lambda model, _: put.append(model),
    )
    feed.start()
    feed.offer(WINE, fed(3))
    for _ in range(5):
        await asyncio.sleep(0)
    for _ in range(3):
        feed.offer(WINE, fed(1))
    feed.offer(IRIS, fed(2))
    for _ in range(20):
        await asyncio.sleep(0)

    assert {WINE: 2} == dropped
    assert 4 == feed.waiting
    assert [IRIS] == put
    await feed.close(0)
    assert {WINE: 6} == dropped


async def test_an_append_that_is_found_out_late_is_counted() -> None:
    """Its rows are not kept until then."""
    bench, ring = Bench(), SilentRing(adds=True)
    appender = Appender(ring, Metrics("200"))
    appender.feed = bench.feed
    await appender.append(RESPONSES, parts("a", "b"))
    ring.silent = False
    await appender.settle_all()
    await bench.feed.close(5)

    assert {WINE: 2} == bench.dropped


async def test_a_store_that_is_away_delays_no_append(own_server: RedisServer) -> None:
    """Responses wait in the queue; what does not get to the store before the end is counted."""
    dropped: list[int] = []
    async with connect(own_server.url, timeout_seconds=5) as client:
        store = RedisLabels(BoundedRedis(client, timeout_seconds=5), 10, 60, LabelSlices())
        feed = LabelFeed(store, layouts, lambda _, number: dropped.append(number))
        feed.start()
        own_server.kill()
        appender = Appender(MemoryRing(100), Metrics("200"))
        appender.feed = feed
        await appender.append(RESPONSES, parts("a", "b"))
        with pytest.raises(StorageError):
            await store.layout(WINE)
        waiting = feed.waiting
        await feed.close(0.01)

    assert waiting == 2
    assert [2] == dropped


async def test_a_closed_feed_takes_no_more() -> None:
    """Later responses are counted as dropped."""
    bench = Bench()
    await bench.feed.close(5)
    bench.feed.offer(WINE, fed(2))

    assert {WINE: 2} == bench.dropped


async def test_an_unexpected_error_costs_one_batch(caplog: pytest.LogCaptureFixture) -> None:
    """It is logged and counted, and the next batch is put."""
    bench = Bench()
    bench.feed.offer(WINE, FedRows(COLUMNS, KINDS, block_of(np.zeros((2, 1))), ["x"]))
    bench.feed.offer(WINE, fed(1))
    await asyncio.sleep(0)
    await bench.feed.close(5)

    assert {WINE: 2} == bench.dropped
    assert [1] == [sum(put) for put in bench.put]
    assert "2 responses of cellar/wine/predictor/wine-v1 cannot wait for labels" in caplog.messages


async def test_a_model_without_outputs_gets_no_labels() -> None:
    """Nothing is put, and nothing is lost."""
    bench = Bench()
    bench.feed.offer(WINE, FedRows(("p_confidence",), (NUMBER,), block_of(np.zeros((2, 1)))))
    await bench.feed.close(5)

    assert not bench.put
    assert not bench.dropped


@pytest.mark.parametrize(
    ("columns", "kinds", "outputs"),
    [
        (("quality",), (NUMBER,), {"quality": NUMBER}),
        (("p_class", "p_confidence"), (CATEGORY, NUMBER), {"p": CATEGORY}),
        (("p_0", "p_1", "p_class", "p_confidence"), (NUMBER, NUMBER, CATEGORY, NUMBER), {"p": CATEGORY}),
        (("grade", "grade_confidence", "price"), (CATEGORY, NUMBER, NUMBER), {"grade": CATEGORY, "price": NUMBER}),
        (("wine_class",), (CATEGORY,), {"wine_class": CATEGORY}),
        (("a", "b"), (IGNORED, NUMBER), {"b": NUMBER}),
        (tuple(f"x_{n}" for n in range(12)), (NUMBER,) * 12, {f"x_{n}": NUMBER for n in range(10)}),
        (("a",), (IGNORED,), None),
    ],
)
def test_the_outputs_of_columns(
    columns: tuple[str, ...], kinds: tuple[FeatureKind, ...], outputs: dict[str, FeatureKind] | None
) -> None:
    """Scores and confidences are no outputs, and there are at most ten."""
    layout = layout_of_columns(columns, kinds)

    assert outputs == (None if layout is None else dict(zip(layout.outputs, layout.output_kinds, strict=True)))
    assert layout is None or (columns, kinds) == (layout.predictions, layout.kinds)
