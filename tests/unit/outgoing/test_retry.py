"""When an event is sent on again, and after how long."""

from datetime import UTC, datetime

import pytest

from driftgauge.outgoing.retry import Backoff, asks_for_retry, retry_after_seconds

NOW = datetime(2026, 11, 23, 4, 50, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("status", "expected"),
    [(400, False), (401, False), (404, False), (408, True), (429, True), (500, True), (503, True), (301, False)],
)
def test_status_codes(status: int, expected: bool) -> None:  # noqa: FBT001 - a parameter of the test
    """Overload, a lost race and errors of the server ask for another attempt; what the sender did wrong does not."""
    assert expected == asks_for_retry(status)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, 0),
        ("", 0),
        ("7", 7),
        (" 120 ", 120),
        ("Mon, 23 Nov 2026 04:50:30 GMT", 30),
        ("Mon, 23 Nov 2026 04:49:00 GMT", 0),
        ("Mon, 23 Nov 2026 04:50:30 -0000", 30),
        ("soon", 0),
        ("-5", 0),
        ("1.5", 0),
        ("\u0663", 0),
        ("9" * 500, 999_999_999),
    ],
)
def test_retry_after(value: str | None, expected: float) -> None:
    """The header has seconds or a date; what cannot be read asks for nothing."""
    assert expected == retry_after_seconds(value, NOW)


def test_waits_grow_to_a_limit() -> None:
    """The limit of the random time doubles with each failure, up to the longest time; the first attempt is at once."""
    longest = Backoff(0.5, 3, uniform=lambda _, high: high)
    assert [0, 0.5, 1, 2, 3, 3] == [longest.seconds(failures) for failures in [0, 1, 2, 3, 4, 2_000]]


def test_waits_differ() -> None:
    """The random time begins at 0, so that several loggers do not send again at the same time."""
    shortest = Backoff(0.5, 3, uniform=lambda low, _: low)
    assert 0 == shortest.seconds(3)
