"""Payload -> ring: every payload ends in exactly one way, and what is accepted is in the ring."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from driftgauge.drift.profile import FeatureKind
from driftgauge.features.output_columns import OutputColumns
from driftgauge.inference.payload import OVERFLOW, Kind, ModelKey, Payload
from driftgauge.ingest.pipeline import Pipeline, PipelineSettings
from driftgauge.metrics.registry import Metrics
from driftgauge.protocol.category import code
from driftgauge.reference.dataset import schema_hash
from driftgauge.reference.store import ReferenceStore
from driftgauge.storage.memory import MemoryRing
from driftgauge.storage.ring import RingBuffer, StreamKey, Window, id_digests
from tests.support.models import IRIS, WINE, labels
from tests.support.rings import AwayRing, BlockedRing, BrokenRing
from tests.support.waiting import until

COLUMNS = {"alcohol": FeatureKind.NUMERIC, "ph": FeatureKind.NUMERIC}
REFERENCE = "alcohol,ph\n9.5,3.1\n10.5,3.3\n"
MIXED = "alcohol,day,colour\n9.5,2026-03-01,red\n10.5,2026-03-02,white\n"
PREDICTED = "alcohol,prediction:label,prediction:score\n9.5,red,0.5\n10.5,white,0.25\n"
SETTINGS = PipelineSettings(
    queue_payloads=4,
    queue_bytes=1_000,
    queue_seconds=30,
    max_payload_bytes=500,
    window_rows=2_000,
    flush_interval_seconds=0.001,
    sample_ratio=1.0,
)


def request(body: bytes, model: ModelKey = WINE, *, status: int | None = 200) -> Payload:
    """A request payload of a model."""
    return Payload(Kind.REQUEST, "id-1", model, body, json_length=None, status=status, time=5.0)


def response(body: bytes, model: ModelKey = WINE) -> Payload:
    """A response payload of a model."""
    return Payload(Kind.RESPONSE, "id-1", model, body, json_length=None, status=200, time=6.0)


class Bench:
    """A pipeline with what stands around it.

    Args:
        ring: Where rows go.
        references: The columns of each model.
        settings: The pipeline's bounds.
    """

    def __init__(self, ring: RingBuffer, references: ReferenceStore, settings: PipelineSettings) -> None:
        self.ring = ring
        self.now = 0.0
        self.metrics = Metrics("200")
        self.outputs = OutputColumns()
        self.pipeline = Pipeline(settings, ring, references, self.metrics, self.outputs, lambda: self.now)

    async def run_through(self, payload: Payload) -> None:
        """Offer one payload, and run the pipeline until it has ended."""
        task = asyncio.create_task(self.pipeline.run())
        before = sum(self.ends().values())
        self.pipeline.offer(payload)
        await until(lambda: sum(self.ends().values()) > before)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    async def take(self, *payloads: Payload) -> None:
        """Offer payloads, and run the pipeline until all of them have ended."""
        for payload in payloads:
            self.pipeline.offer(payload)
        self.pipeline.stop()
        await self.pipeline.run()

    async def window(
        self, model: ModelKey = WINE, kind: Kind = Kind.REQUEST, columns: Mapping[str, FeatureKind] = COLUMNS
    ) -> Window:
        """What the ring holds of a model."""
        schema = schema_hash(tuple(columns), tuple(columns.values()))
        return await self.ring.read(StreamKey(model, kind), schema, len(columns))

    def ends(self, model: ModelKey = WINE) -> dict[tuple[str, str, str], int]:
        """How many payloads of a model ended how: (kind, outcome, reason) -> number, zeros left out."""
        return {
            (sample.labels["kind"], sample.labels["outcome"], sample.labels["reason"]): int(sample.value)
            for family in self.metrics.registry.collect()
            for sample in family.samples
            if sample.name == "driftgauge_payloads_total"
            and sample.value
            and labels(model).items() <= sample.labels.items()
        }

    def value(self, name: str, **more: str) -> float | None:
        """One sample of the model `WINE`."""
        return self.metrics.registry.get_sample_value(name, labels(WINE, **more))


Build = Callable[..., Bench]


@pytest.fixture
def build(tmp_path: Path) -> Build:
    """Makes a bench, with a reference of `WINE` only."""

    def make(
        ring: RingBuffer | None = None, settings: PipelineSettings = SETTINGS, reference: str = REFERENCE
    ) -> Bench:
        (tmp_path / "wine.csv").write_text(reference)
        references = ReferenceStore(None, tmp_path)
        references.refresh(0.0)
        return Bench(MemoryRing(2000) if ring is None else ring, references, settings)

    return make


@asynccontextmanager
async def at_work(bench: Bench) -> AsyncIterator[None]:
    """Run the pipeline during the block."""
    task = asyncio.create_task(bench.pipeline.run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_the_rows_of_a_request_are_in_the_ring_and_counted(build: Build) -> None:
    """A window counts rows, and so does the sum of `request`."""
    bench = build()
    await bench.take(request(b'{"instances": [[9.5, 3.1], [9.8, null]]}'))
    window = await bench.window()

    np.testing.assert_array_equal([[9.5, 3.1], [9.8, np.nan]], window.rows)
    assert window.time == 5.0
    assert bench.ends() == {("request", "accepted", ""): 1}
    assert bench.value("driftgauge_rows_total") == 2
    assert bench.value("request_sum", code="200") == 2
    assert bench.value("driftgauge_missing_values_total", feature="ph") == 1
    assert bench.value("driftgauge_missing_values_total", feature="alcohol") == 0


async def test_rows_of_failed_requests_are_counted_and_not_kept(build: Build) -> None:
    """Rows that the model refused count by status code, whatever stands beside them, and never reach the ring."""
    bench = build()
    refused = request(b'{"instances": [[9.5, 3.1], [9.8, 3.2]]}', status=401)._replace(failed=True)
    await bench.take(refused, request(b'{"instances": [[9.6, 3.0]]}'), refused)
    window = await bench.window()

    np.testing.assert_array_equal([[9.6, 3.0]], window.rows)
    assert bench.ends() == {("request", "accepted", ""): 1, ("request", "rejected", "failed"): 2}
    assert bench.value("driftgauge_rows_total") == 1
    assert bench.value("request_sum", code="200") == 1
    assert bench.value("request_sum", code="401") == 4
    assert bench.value("driftgauge_missing_values_total", feature="ph") == 0


async def test_a_failed_request_is_failed_whatever_its_body(build: Build) -> None:
    """A body that cannot be decoded, with a model server that refused it, counts as failed and not as malformed."""
    bench = build()
    await bench.take(request(b"{", status=422)._replace(failed=True))

    assert bench.ends() == {("request", "rejected", "failed"): 1}


async def test_an_unknown_status_code_leaves_the_label_empty(build: Build) -> None:
    """The agent of a logger sends no status code."""
    bench = build()
    await bench.take(request(b'{"instances": [[9.5, 3.1]]}', status=None))

    assert bench.value("request_sum", code="") == 1


async def test_rows_know_which_payload_they_came_in(build: Build) -> None:
    """Rows of one request are seldom independent."""
    bench = build()
    await bench.take(
        request(b'{"instances": [[1, 1], [2, 2]]}'),
        request(b'{"instances": [[3, 3]]}'),
        request(b'{"instances": [[4, 4], [5, 5], [6, 6]]}'),
    )
    window = await bench.window()

    assert [0, 0, 1, 2, 2, 2] == (window.requests - window.requests[0]).tolist()


async def test_rows_have_the_time_and_the_digest_of_the_id_of_their_payload(build: Build) -> None:
    """Of the payload itself, not of the append."""
    bench = build()
    body = b'{"instances": [[9.5, 3.1], [9.6, 3.2]]}'
    await bench.take(request(body)._replace(id="\udcff", time=1.25), request(body)._replace(id="b", time=7.0))
    window = await bench.window()

    assert [1.25, 1.25, 7.0, 7.0] == window.times.tolist()
    assert np.repeat(id_digests(["\udcff", "b"]), 2).tolist() == window.ids.tolist()
    assert window.time == 7.0


async def test_categories_are_codes_and_an_ignored_column_keeps_its_place(build: Build) -> None:
    """Missing values of categories and numbers are counted, those of an ignored column are not."""
    bench = build(reference=MIXED)
    await bench.take(request(b'{"instances": [[9.5, "2026-11-23", "red"], [9.8, null, null]]}'))
    kinds = (FeatureKind.NUMERIC, FeatureKind.IGNORED, FeatureKind.CATEGORICAL)
    window = await bench.window(columns=dict(zip(("alcohol", "day", "colour"), kinds, strict=True)))

    np.testing.assert_array_equal([[9.5, np.nan, code("red")], [9.8, np.nan, np.nan]], window.rows)
    assert 1 == bench.value("driftgauge_missing_values_total", feature="colour")
    assert None is bench.value("driftgauge_missing_values_total", feature="day")


async def test_outputs_of_a_response_have_a_stream_of_their_own(build: Build) -> None:
    """The columns have the names of the response, and the rows do not count as rows of features."""
    bench = build()
    await bench.take(response(b'{"predictions": [5, 6]}'))
    window = await bench.window(kind=Kind.RESPONSE, columns={"prediction": FeatureKind.NUMERIC})

    np.testing.assert_array_equal([[5], [6]], window.rows)
    assert bench.ends() == {("response", "accepted", ""): 1}
    assert bench.value("driftgauge_rows_total") == 0
    assert [0, 0] == (window.requests - window.requests[0]).tolist()


async def test_the_columns_of_the_newest_response_are_recorded(build: Build) -> None:
    """They are recorded by model with the texts of categories, also without a reference."""
    bench = build()
    await bench.take(response(b'{"predictions": ["red"]}', IRIS), response(b'{"predictions": ["white"]}', IRIS))
    layout = bench.outputs.get(IRIS)
    window = await bench.window(IRIS, Kind.RESPONSE, {"prediction": FeatureKind.CATEGORICAL})

    assert layout is not None
    assert {"prediction": FeatureKind.CATEGORICAL} == layout.known
    assert {code("red"): "red", code("white"): "white"} == layout.categories
    assert [[code("red")], [code("white")]] == window.rows.tolist()
    assert None is bench.outputs.get(WINE)


@pytest.mark.parametrize(
    ("first", "second", "columns"),
    [
        (b'["red"]', b"[null]", {"prediction": FeatureKind.CATEGORICAL}),
        (b"[[0, 0]]", b"[[0, 1]]", {"prediction_0": FeatureKind.NUMERIC, "prediction_1": FeatureKind.NUMERIC}),
    ],
    ids=["a column without any value", "numbers that look like scores by chance"],
)
async def test_a_response_is_read_like_the_one_before_it(
    build: Build, first: bytes, second: bytes, columns: Mapping[str, FeatureKind]
) -> None:
    """A column without a value has the kind of earlier responses, so that its rows have the same schema."""
    bench = build()
    await bench.take(response(b'{"predictions": %b}' % first), response(b'{"predictions": %b}' % second))
    window = await bench.window(kind=Kind.RESPONSE, columns=columns)

    assert 2 == len(window.rows)


async def test_predictions_of_a_reference_are_taken_by_name_and_kind(build: Build) -> None:
    """Other outputs are left out, and the columns of the response are not recorded."""
    bench = build(reference=PREDICTED)
    await bench.take(
        response(b'{"predictions": [{"score": 0.5, "label": "red", "note": "x"}]}'),
        response(b'{"predictions": [{"score": 0.5}]}'),
    )
    columns = {"label": FeatureKind.CATEGORICAL, "score": FeatureKind.NUMERIC}
    window = await bench.window(kind=Kind.RESPONSE, columns=columns)

    assert [[code("red"), 0.5]] == window.rows.tolist()
    assert bench.ends() == {("response", "accepted", ""): 1, ("response", "rejected", "wrong_width"): 1}
    assert None is bench.outputs.get(WINE)


async def test_a_reference_of_predictions_alone_tests_no_requests(build: Build) -> None:
    """Their rows are still counted."""
    bench = build(reference="prediction:label\nred\nwhite\n")
    await bench.take(request(b'{"instances": [[9.5, 3.1]]}'), response(b'{"outputs": {"label": ["red"]}}'))

    assert bench.ends() == {("request", "dropped", "no_reference"): 1, ("response", "accepted", ""): 1}
    assert bench.value("request_sum", code="200") == 1


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "empty"),
        (b"{", "malformed"),
        (b'{"instances": [[9.5]]}', "wrong_width"),
        (b'{"instances": [["red", 3.1]]}', "wrong_type"),
        (b'{"instances": [[1e999, 3.1]]}', "infinite"),
        (b"\x1f\x8b" + b"\0" * 20, "malformed"),
    ],
)
async def test_a_payload_that_cannot_be_read_is_rejected_with_its_reason_alone(
    build: Build, body: bytes, reason: str
) -> None:
    """The payload beside it is accepted."""
    bench = build()
    await bench.take(request(body), request(b'{"instances": [[9.5, 3.1]]}'))

    assert bench.ends() == {("request", "rejected", reason): 1, ("request", "accepted", ""): 1}
    assert len((await bench.window()).rows) == 1


async def test_a_model_without_a_reference_has_its_rows_counted_and_dropped(build: Build) -> None:
    """`request_sum` is right even where nothing can be tested."""
    bench = build()
    await bench.take(request(b'{"instances": [[9.5, 3.1], [1, 2]]}', IRIS))

    assert bench.ends(IRIS) == {("request", "dropped", "no_reference"): 1}
    assert bench.metrics.registry.get_sample_value("request_sum", labels(IRIS, code="200")) == 2


async def test_models_beyond_the_cap_are_dropped(build: Build) -> None:
    """The rows of many models cannot be tested together."""
    bench = build()
    await bench.take(request(b'{"instances": [[9.5, 3.1]]}', OVERFLOW))

    assert bench.ends(OVERFLOW) == {("request", "dropped", "other_model"): 1}


async def test_a_full_queue_drops_the_newest(build: Build) -> None:
    """The newest payload is dropped, and the queued ones stay."""
    bench = build()
    await bench.take(*(request(b'{"instances": [[%d, 3.1]]}' % number) for number in range(6)))

    assert bench.ends() == {("request", "accepted", ""): 4, ("request", "dropped", "queue_full"): 2}
    assert [0, 1, 2, 3] == (await bench.window()).rows[:, 0].tolist()


async def test_a_queue_that_is_full_of_bytes_drops_too(build: Build) -> None:
    """Payloads beyond the limit in bytes are dropped, however few they are."""
    bench = build()
    body = b'{"instances": [[9.5, 3.1]]}'.ljust(400)
    await bench.take(request(body), request(body), request(body))

    assert bench.ends() == {("request", "accepted", ""): 2, ("request", "dropped", "queue_full"): 1}


async def test_the_queue_has_space_again_after_a_batch_was_taken(build: Build) -> None:
    """The limit is on the queued payloads, not on all payloads."""
    bench = build()
    body = b'{"instances": [[9.5, 3.1]]}'.ljust(400)
    for _ in range(3):
        await bench.take(request(body), request(body))

    assert bench.ends() == {("request", "accepted", ""): 6}


async def test_a_store_that_is_away_costs_the_rows_and_nothing_else(build: Build) -> None:
    """They are dropped and counted, and the next ones are accepted when it is back."""
    ring = AwayRing()
    bench = build(ring)
    await bench.take(request(b'{"instances": [[9.5, 3.1]]}'))
    ring.away = False
    await bench.take(request(b'{"instances": [[9.8, 3.2]]}'))

    assert bench.ends() == {("request", "dropped", "storage"): 1, ("request", "accepted", ""): 1}
    assert [[9.8, 3.2]] == (await bench.window()).rows.tolist()
    assert bench.value("driftgauge_rows_total") == 1


async def test_a_fault_of_ours_costs_one_batch_and_is_counted(build: Build, caplog: pytest.LogCaptureFixture) -> None:
    """The task continues, and the log has the traceback."""
    bench = build(BrokenRing())
    await bench.take(request(b'{"instances": [[9.5, 3.1]]}'), response(b'{"predictions": [5]}'))
    await bench.take(request(b'{"instances": [[9.5, 3.1]]}'))

    assert bench.ends() == {("request", "dropped", "internal"): 2, ("response", "dropped", "internal"): 1}
    assert "ZeroDivisionError" in caplog.text


async def test_what_is_left_at_the_end_is_counted(build: Build) -> None:
    """The payloads in flight and in the queue are counted, each once."""
    ring = BlockedRing()
    bench = build(ring)
    async with at_work(bench):
        bench.pipeline.offer(request(b'{"instances": [[9.5, 3.1]]}'))
        await ring.reached.wait()
        bench.pipeline.offer(request(b'{"instances": [[9.5, 3.1]]}'))
    await bench.pipeline.close()

    assert bench.ends() == {("request", "dropped", "shutdown"): 2}


async def test_the_gauge_of_the_queue_has_what_waits(build: Build) -> None:
    """The gauge is the length of the queue."""
    bench = build()
    bench.pipeline.offer(request(b"{}"))

    assert bench.pipeline.waiting == 1


async def test_sampled_out_payloads_are_counted_as_such(build: Build) -> None:
    """A ratio of 0 takes none."""
    settings = replace(SETTINGS, sample_ratio=0.0)
    bench = build(settings=settings)
    await bench.take(request(b'{"instances": [[9.5, 3.1]]}'))

    assert bench.ends() == {("request", "sampled_out", ""): 1}


async def test_of_a_payload_longer_than_the_window_the_last_rows_are_kept(build: Build) -> None:
    """Older rows would leave the ring at once; the count includes them."""
    bench = build(settings=replace(SETTINGS, window_rows=2))
    await bench.take(request(b'{"instances": [[1, null], [2, 2], [3, 3]]}'))
    window = await bench.window()

    assert [[2, 2], [3, 3]] == window.rows.tolist()
    assert window.requests[0] == window.requests[1]
    assert bench.value("driftgauge_rows_total") == 3
    assert bench.value("request_sum", code="200") == 3
    assert bench.value("driftgauge_missing_values_total", feature="ph") == 1


async def test_responses_without_a_fixed_width_keep_what_can_be_tested(build: Build) -> None:
    """The label stays one stream; the tokens are left out once their width has changed too often."""
    bench = build(settings=replace(SETTINGS, queue_payloads=100, queue_bytes=100_000))
    for number in range(12):
        tokens = list(range(1 + number % 5))
        await bench.run_through(response(json.dumps({"predictions": [{"score": 0.25, "tokens": tokens}]}).encode()))
    window = await bench.window(kind=Kind.RESPONSE, columns={"score": FeatureKind.NUMERIC})

    assert bench.ends() == {("response", "accepted", ""): 12}
    assert len(window.rows) == 7


async def test_a_payload_that_waited_too_long_is_dropped(build: Build) -> None:
    """So the work in the queue is bounded in time, however slowly it is done."""
    bench = build()
    bench.pipeline.offer(request(b'{"instances": [[1, 1]]}'))
    bench.now = 1.0
    bench.pipeline.offer(response(b'{"predictions": [1]}'))
    bench.now = 30.5
    await bench.take()

    assert bench.ends() == {("request", "dropped", "queue_timeout"): 1, ("response", "accepted", ""): 1}


async def test_a_small_body_that_makes_a_large_table_is_decoded_all_the_same(build: Build) -> None:
    """A small body whose rows lack most columns is decoded in the thread, since it would delay the event loop."""
    bench = build(settings=replace(SETTINGS, queue_bytes=100_000, max_payload_bytes=50_000))
    names = ",".join(f'"n{number}":1' for number in range(100))
    rest = ',{"ph":3.125}' * 300
    body = f'{{"instances":[{{{names},"alcohol":9.5,"ph":3.1}}{rest}]}}'.encode()
    await bench.take(request(body))

    assert bench.ends() == {("request", "accepted", ""): 1}
    assert bench.value("driftgauge_rows_total") == 301


async def test_a_queue_that_is_filling_is_flushed_at_once(build: Build) -> None:
    """A queue that is half full is flushed at once, before it is full."""
    bench = build(settings=replace(SETTINGS, flush_interval_seconds=3_600))
    async with at_work(bench):
        for _ in range(2):
            bench.pipeline.offer(request(b'{"instances": [[9.5, 3.1]]}'))
        await until(lambda: bench.value("driftgauge_rows_total") == 2)
