"""What the metrics show of Redis, for each kind of call."""

import logging

import pytest
from prometheus_client import generate_latest
from redis.exceptions import NoPermissionError

from driftgauge.app.redis_report import RedisReport
from driftgauge.errors import StorageError
from driftgauge.metrics.registry import Metrics
from driftgauge.storage.redis_client import Call
from tests.support.clock import ManualClock
from tests.support.scrape import Samples

FAULT = StorageError("Redis could not save a state: NOAUTH")
IDLE_SECONDS = 90


@pytest.fixture
def metrics() -> Metrics:
    """All metrics of a process."""
    return Metrics("200")


@pytest.fixture
def clock() -> ManualClock:
    """A clock that the test sets."""
    return ManualClock()


@pytest.fixture
def report(metrics: Metrics, clock: ManualClock) -> RedisReport:
    """A report on that clock."""
    return RedisReport(metrics, IDLE_SECONDS, clock)


def up(metrics: Metrics, call: Call) -> float:
    """The gauge of a kind of call."""
    return Samples.parse(generate_latest(metrics.registry).decode()).total("driftgauge_redis_up", call=call)


def test_success_of_another_kind_heals_none(report: RedisReport, metrics: Metrics) -> None:
    """A kind that fails is down although others succeed."""
    report(Call.SAVE, FAULT)
    report(Call.APPEND, None)

    assert [0, 1, 1] == [up(metrics, call) for call in (Call.SAVE, Call.APPEND, Call.PING)]


def test_a_kind_that_is_not_called_any_more_is_not_down_for_ever(
    report: RedisReport, metrics: Metrics, clock: ManualClock, caplog: pytest.LogCaptureFixture
) -> None:
    """After a while without calls of the kind, the success of another one heals it, and the log says so."""
    caplog.set_level(logging.WARNING)
    report(Call.SAVE, FAULT)
    clock.now += IDLE_SECONDS + 1
    report(Call.APPEND, None)

    assert 1 == up(metrics, Call.SAVE)
    assert "Redis works again" in caplog.text


def test_a_kind_that_goes_on_failing_stays_down(report: RedisReport, metrics: Metrics, clock: ManualClock) -> None:
    """Each failure begins the while again."""
    for _ in range(5):
        clock.now += IDLE_SECONDS - 1
        report(Call.SAVE, FAULT)
        report(Call.APPEND, None)

    assert 0 == up(metrics, Call.SAVE)


def test_nothing_is_healed_while_every_call_fails(report: RedisReport, metrics: Metrics, clock: ManualClock) -> None:
    """Time alone heals no kind."""
    report(Call.SAVE, FAULT)
    clock.now += 10 * IDLE_SECONDS
    report(Call.APPEND, FAULT)

    assert 0 == up(metrics, Call.SAVE)


def test_each_fault_is_logged_once_a_minute(
    report: RedisReport, clock: ManualClock, caplog: pytest.LogCaptureFixture
) -> None:
    """However many calls fail; another fault has its own line, and the next line says how many were left out."""
    slow, refused = StorageError("Redis could not append rows"), StorageError("Redis could not read rows")
    slow.__cause__, refused.__cause__ = TimeoutError(), NoPermissionError("no permission")
    for _ in range(100):
        report("append", slow)
        report("read", refused)
    clock.now += 60
    report("append", slow)

    assert ["timeout", "permission", "timeout"] == [vars(record)["fields"]["fault"] for record in caplog.records]
    assert caplog.messages[0].startswith("Redis could not append rows: check that Redis runs")
    assert caplog.messages[2].endswith(" (99 more since the last line)")


def test_it_is_well_again_when_each_kind_of_call_succeeds(
    report: RedisReport, clock: ManualClock, caplog: pytest.LogCaptureFixture
) -> None:
    """The success of a kind that never failed says nothing; the line comes once."""
    for call in ("append", "read"):
        report(call, StorageError("away"))
    caplog.clear()
    clock.now += 9
    lines = []
    for call in ("ping", "read", "append", "append"):
        report(call, None)
        lines.append(len(caplog.records))

    assert [0, 0, 1, 1] == lines
    assert ["Redis works again, after 9 s"] == caplog.messages
