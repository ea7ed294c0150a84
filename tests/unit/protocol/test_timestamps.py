"""Timestamps of RFC 3339 down to nanoseconds."""

import pytest

from driftgauge.protocol.timestamps import read_seconds


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1970-01-01T00:00:00Z", 0.0),
        ("1969-12-31T23:59:59.5Z", -0.5),
        ("1985-04-12T23:20:50.52Z", 482196050.52),  # RFC 3339, section 5.8, as its next two
        ("1996-12-19T16:39:57-08:00", 851042397.0),
        ("1990-12-31T23:59:60Z", 662688000.0),
        ("1937-01-01T12:00:27.87+00:20", -1041337172.13),
        ("2018-04-05t17:31:00z", 1522949460.0),
        ("2018-04-05 17:31:00+00:00", 1522949460.0),
        ("1970-01-01T00:00:00.000000001Z", 1e-9),
        ("1970-01-01T00:00:00.1234567891234Z", 0.123456789),
        ("2026-03-01T12:00:00.7048219Z", 1772366400.7048219),
    ],
)
def test_instant(text: str, expected: float) -> None:
    """The result is the nearest double; digits beyond nanoseconds are cut."""
    assert expected == read_seconds(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "yesterday",
        "2026-03-01",
        "2026-03-01T12:00:00",
        "2026-13-01T12:00:00Z",
        "2026-02-30T12:00:00Z",
        "2026-03-01T24:00:00Z",
        "2026-03-01T12:00:61Z",
        "2026-03-01T12:00:00.Z",
        "2026-03-01T12:00:00+24:00",
        "2026-03-01T12:00:00+00:60",
        "0000-01-01T00:00:00Z",
        "2026-03-01T12:00:00Z\n",
        "٢٠٢٦-03-01T12:00:00Z",
        "2026-03-01T12:60:00Z",
        "20260301T120000Z",
        "2026-W09-7T12:00:00Z",
        "2026-03-01T12Z",
        "2026-03-01T12:00Z",
        "2026-03-01_12:00:00Z",
        "2026-03-01T12:00:00,5Z",
        "2026-03-01T12:00:00+0000",
        "2026-03-01T12:00:00+00",
        "2026-03-01T12:00:00+00:00:30",
    ],
)
def test_no_instant(text: str) -> None:
    """A text that RFC 3339 does not allow, also if `fromisoformat` does, or a date that does not exist is refused."""
    with pytest.raises(ValueError):  # noqa: PT011 - the messages differ
        read_seconds(text)
