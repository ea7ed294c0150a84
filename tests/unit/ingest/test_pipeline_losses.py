"""Payload -> ring: every payload ends in exactly one way, and what is lost is counted."""

from dataclasses import replace

import numpy as np
import pytest

from driftgauge.inference.payload import OVERFLOW
from tests.support.changed_payloads import changed
from tests.support.models import IRIS, labels
from tests.support.pipeline_bench import SETTINGS, Build, at_work, request, response
from tests.support.rings import AwayRing, BlockedRing, BrokenRing
from tests.support.waiting import until


async def test_rows_of_failed_requests_are_counted_and_not_kept(build: Build) -> None:
    """Rows that the model refused count by status code, whatever stands beside them, and never reach the ring."""
    bench = build()
    refused = changed(request(b'{"instances": [[9.5, 3.1], [9.8, 3.2]]}', status=401), failed=True)
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
    await bench.take(changed(request(b"{", status=422), failed=True))

    assert bench.ends() == {("request", "rejected", "failed"): 1}


async def test_an_unknown_status_code_leaves_the_label_empty(build: Build) -> None:
    """The agent of a logger sends no status code."""
    bench = build()
    await bench.take(request(b'{"instances": [[9.5, 3.1]]}', status=None))

    assert bench.value("request_sum", code="") == 1


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


async def test_a_payload_that_waited_too_long_is_dropped(build: Build) -> None:
    """So the work in the queue is bounded in time, however slowly it is done."""
    bench = build()
    bench.pipeline.offer(request(b'{"instances": [[1, 1]]}'))
    bench.now = 1.0
    bench.pipeline.offer(response(b'{"predictions": [1]}'))
    bench.now = 30.5
    await bench.take()

    assert bench.ends() == {("request", "dropped", "queue_timeout"): 1, ("response", "accepted", ""): 1}


async def test_a_queue_that_is_filling_is_flushed_at_once(build: Build) -> None:
    """A queue that is half full is flushed at once, before it is full."""
    bench = build(settings=replace(SETTINGS, flush_interval_seconds=3_600))
    async with at_work(bench):
        for _ in range(2):
            bench.pipeline.offer(request(b'{"instances": [[9.5, 3.1]]}'))
        await until(lambda: bench.value("driftgauge_rows_total") == 2)


@pytest.mark.parametrize("at_once", [1, 256])
async def test_an_append_of_a_small_batch_while_others_wait_leaves_nothing_out(build: Build, at_once: int) -> None:
    """One append of 0.3 s, as the first to a store in the network takes, says little of what the pipeline carries."""
    ring = BlockedRing()
    bench = build(ring, replace(SETTINGS, queue_payloads=4_096, queue_bytes=2**20))
    async with at_work(bench):
        for _ in range(at_once):
            bench.pipeline.offer(request(b'{"instances": [[9.5, 3.1]]}'))
        await ring.reached.wait()
        bench.pipeline.offer(request(b'{"instances": [[9.5, 3.1]]}'))
        bench.now += 0.3
        ring.go.set()
        await until(lambda: bench.ends().get(("request", "accepted", ""), 0) == at_once + 1)
        for _ in range(60):
            bench.pipeline.offer(request(b'{"instances": [[9.5, 3.1]]}'))

    assert 1 == bench.metrics.carried.head
