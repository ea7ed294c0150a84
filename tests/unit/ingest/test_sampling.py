"""The sample ratio follows what is carried: nothing is dropped, all lengths of bodies are kept alike, it is steady."""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from statistics import fmean, pstdev

import pytest

from driftgauge.inference.payload import Kind
from driftgauge.inference.sample_ratio import is_sampled
from driftgauge.ingest.sampling import STEP_SECONDS, SampleSettings, Sampling
from driftgauge.metrics.registry import Metrics
from tests.support.clock import ManualClock
from tests.support.models import WINE
from tests.support.overloaded import SETTINGS, Body, Overloaded

SMALL, TABLE, LONG = Body(300), Body(9_000, 32), Body(2**20, 10_000)
MIX = (Body(300, 1, 0.9), Body(2**20, 10_000, 0.1))

# Requests come at most at some thousands a second, which is what a test can simulate in time.
LOADS: dict[str, tuple[Callable[[], Overloaded], float, float]] = {
    # the pipeline and the bodies, requests a second, how many of them it can carry
    "slightly too many": (lambda: Overloaded(SMALL, payload_seconds=3e-4), 2_000, 1_667),
    "five times too many": (lambda: Overloaded(SMALL, payload_seconds=5e-4), 5_000, 1_000),
    "the model takes 0.1 s": (lambda: Overloaded(SMALL, payload_seconds=5e-4, flight_seconds=0.2), 5_000, 1_000),
    "the model takes 1 s": (lambda: Overloaded(SMALL, payload_seconds=5e-4, flight_seconds=1.0), 2_000, 1_000),
    "of 32 rows": (lambda: Overloaded(TABLE, payload_seconds=1e-3), 5_000, 500),
    "of 1 MB": (lambda: Overloaded(LONG, byte_seconds=1 / 70e6), 500, 67),
    "short and long": (lambda: Overloaded(*MIX, payload_seconds=1e-5, byte_seconds=1 / 70e6), 3_000, 645),
}


def test_the_sample_has_the_configured_share() -> None:
    """10,000 ids at a ratio of 0.25: the standard deviation of the count is 43; five of them are allowed."""
    taken = sum(is_sampled(f"id-{number}", 0.25) for number in range(10_000))

    assert 2_500 - 5 * 43 < taken < 2_500 + 5 * 43


@pytest.mark.parametrize("load", LOADS)
def test_overload_drops_nothing_and_the_ratio_becomes_steady(load: str) -> None:
    """At most 1 % is dropped after a sudden start and later; what is kept is what can be carried, at a steady ratio."""
    make, rate, carried = LOADS[load]
    overloaded = make()
    overloaded.run(rate, 3)
    assert overloaded.dropped_share <= 0.01

    overloaded.run(rate, 12)
    overloaded.forget_counts()
    ratios: list[float] = []
    overloaded.run(rate, 8, lambda: ratios.append(overloaded.ratio))
    assert overloaded.dropped_share <= 0.01
    assert carried / rate == pytest.approx(overloaded.kept_share, rel=0.2)
    assert pstdev(ratios) < 0.25 * fmean(ratios)


def test_bodies_of_every_length_are_kept_alike() -> None:
    """Of 300 bytes and of 1 MB the same share is kept, from the sudden start on: 5 standard deviations are allowed."""
    overloaded = Overloaded(*MIX, payload_seconds=1e-5, byte_seconds=1 / 70e6, flight_seconds=0.02)
    overloaded.run(3_000, 20)
    (short, long), (_, long_counts) = overloaded.shares, overloaded.counts
    deviation = (short * (1 - short) / long_counts.total) ** 0.5

    assert abs(short - long) < 5 * deviation


def test_the_ratio_comes_back_when_the_load_ends() -> None:
    """After a fivefold overload the ratio grows to 1 within 15 s, and hardly ever falls on its way."""
    overloaded = Overloaded(SMALL, payload_seconds=5e-4)
    overloaded.run(5_000, 6)
    assert overloaded.ratio < 0.4
    ratios: list[float] = []
    overloaded.run(100, 15, lambda: ratios.append(overloaded.ratio))

    assert 1 == ratios[-1]
    assert sum(later < earlier for earlier, later in pairwise(ratios)) <= 1


def test_without_overload_everything_is_read() -> None:
    """A pipeline that is nine tenths busy leaves nothing out."""
    overloaded = Overloaded(SMALL, payload_seconds=1e-4)
    overloaded.run(4_500, 10)

    assert 1 == overloaded.kept_share


def test_rows_beyond_the_limit_lower_the_ratio_and_10_000_are_still_read() -> None:
    """Of 64,000 rows a second some 12,000 are read, and never less than 10,000; of 9,600 all."""
    settings = replace(SETTINGS, max_rows_per_second=12_000)
    overloaded = Overloaded(TABLE, payload_seconds=1e-6, settings=settings)
    overloaded.run(2_000, 3)
    for _ in range(5):
        overloaded.forget_counts()
        overloaded.run(2_000, 2)
        assert 10_000 <= overloaded.rows / 2 <= 14_000
    overloaded.run(300, 5)
    overloaded.forget_counts()
    overloaded.run(300, 5)
    assert 1 == overloaded.kept_share


def test_a_queue_that_would_take_too_long_is_not_filled() -> None:
    """Where bodies take 1 s each, no more are taken than can be read within `queue_seconds`."""
    overloaded = Overloaded(SMALL, payload_seconds=1.0)
    overloaded.run(2, 300)

    assert overloaded.dropped_share <= 0.01
    assert overloaded.kept_share > 0.2


def test_a_store_that_hung_is_not_thought_slow_for_ever() -> None:
    """While it does not reply nearly nothing is taken; the next batch, however small, shows that it is fast again."""
    sampling, metrics = _sampling(ManualClock())
    sampling.note_work(10, 100, 0.1)
    sampling.note_work(0, 0, 300.0)
    sampling.note_queue(3, 30)
    hung = metrics.carried.head
    sampling.note_batch(1, 10, 0.01)
    sampling.note_queue(3, 30)

    assert (0, 1) == (hung, metrics.carried.head)


def test_memory_of_copies_that_fills_up_lowers_the_ratio() -> None:
    """At the head nothing more is taken, and at last what is under way is left out by its id."""
    carried = Metrics("200").carried
    shares = []
    for fullness in (0.0, 0.5, 0.65, 0.8, 0.9, 1.0):
        carried.note_copies(fullness)
        shares.append((round(carried.head, 3), round(carried.end, 3)))

    assert [(1, 1), (1, 1), (0.5, 1), (0, 0.8), (0, 0.4), (0, 0)] == shares


def _sampling(clock: ManualClock, memory_seconds: float = 1e6) -> tuple[Sampling, Metrics]:
    metrics = Metrics("200", 0.5)
    return Sampling(SampleSettings(0.5, 100, 100, 1_000, 30, memory_seconds), metrics, clock), metrics


async def test_a_lower_ratio_is_logged_once_a_minute_and_its_end_once(caplog: pytest.LogCaptureFixture) -> None:
    """A line says why, and which rows come; another one that the configured ratio is back."""
    caplog.set_level(logging.INFO)
    clock = ManualClock()
    sampling, metrics = _sampling(clock)
    sample = metrics.model(WINE).sample
    sampling.note_rows(WINE, Kind.REQUEST, 1, 10)
    for rate in (100, 0, 100, 0):
        for _ in range(60):
            clock.now += 1
            for _ in range(rate):
                sample.count_request()
            sampling.advance(clock.now)
    lines = [record.getMessage() for record in caplog.records]

    assert 4 == len(lines)
    assert "max_rows_per_second, 100" in lines[0]
    assert str(WINE) in lines[0]
    assert "the sample ratio is back at the configured one, 0.5" == lines[1] == lines[3]


async def test_a_ratio_comes_back_although_no_request_comes() -> None:
    """The task steps while a ratio is lower than the configured one, and sleeps otherwise."""
    clock = ManualClock()
    sampling, metrics = _sampling(clock)
    metrics.carried.set_slow(0.5)
    task = asyncio.create_task(sampling.run())
    while metrics.carried.slow < 1:
        clock.now += 1
        await asyncio.sleep(STEP_SECONDS / 10)
    task.cancel()

    assert 0.5 == metrics.model(WINE).sample.ratio


def test_the_lowest_ratio_is_known_while_labels_may_come() -> None:
    """It is that of the models that are asked for, and is forgotten after the time to live, or as long again."""
    clock = ManualClock()
    sampling, metrics = _sampling(clock, memory_seconds=100)
    assert 0.5 == sampling.lowest([WINE])
    sample = metrics.model(WINE).sample
    metrics.carried.set_slow(0.5)
    lowest = []
    for _ in range(5):
        for _ in range(100):
            sample.count_request()
        clock.now += 50
        sampling.advance(clock.now)
        lowest.append(sampling.lowest([WINE]))

    assert [0.25, 0.25, 0.25, 0.5, 0.5] == lowest
