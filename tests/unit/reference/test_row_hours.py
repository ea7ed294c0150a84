"""References with times: numbers as at their average hour, and the hours that are known."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from driftgauge.protocol.category import code
from driftgauge.reference.column import ColumnRules, TimeRules
from driftgauge.reference.dataset import Reference, prepare
from driftgauge.reference.loading import ChildLoader, FileToLoad, read_signature
from driftgauge.reference.packing import pack, unpack
from driftgauge.reference.table import table_of_columns

DAY = np.float64(86_400)
START = np.float64(1_767_225_600)
"""1 January 2026, 00:00 UTC."""

RULES = ColumnRules(time=TimeRules("ts", zone="UTC"))


def columns(days: int = 10, rows_a_day: int = 300) -> dict[str, NDArray[np.float64]]:
    """Rows of whole days: one number has a rhythm, one has none, and one has a rhythm and gaps."""
    rng = np.random.default_rng(3)
    times = START + np.sort(rng.uniform(0, days * DAY, days * rows_a_day))
    rhythm = np.sin(times / DAY * 2 * np.pi)
    noise = rng.normal(size=(3, times.size)) * 0.5
    gaps = np.where(rng.random(times.size) < 0.1, np.nan, 1e6 * rhythm + 1e6 * noise[2])
    return {"ts": times, "wave": 20 + rhythm + noise[0], "flat": noise[1], "gaps": gaps}


def reference(zone: str | None = "UTC", **arguments: int) -> Reference:
    """A reference of these rows."""
    return prepare(table_of_columns(columns(**arguments), rules=RULES), 0.0, zone)


def test_numbers_are_adjusted_where_they_have_a_rhythm() -> None:
    """The spread is that of the noise, values keep their unit, and a column without a rhythm is as it was."""
    given = columns()
    wave, flat, gaps = reference().features
    spreads = [float(profile.values.std()) for profile in (wave, gaps)]

    assert ["h1", "h0", "h1"] == [one.hours.name for one in (wave, flat, gaps) if one.hours is not None]
    assert [3.0, 1.0, 3.0] == [one.parameters for one in (wave, flat, gaps)]
    assert [0.5, 5e5] == pytest.approx(spreads, rel=0.05)
    assert 20 == pytest.approx(wave.values.mean(), abs=0.05)
    assert sorted(given["flat"].tolist()) == flat.values.tolist()
    assert int(np.isnan(given["gaps"]).sum()) == gaps.missing


def test_cells_are_those_of_adjusted_values_in_the_order_of_time() -> None:
    """A row has the cell that it gets when it is adjusted as a row of the stream is."""
    given = columns()
    for profile in reference().features:
        values = given[profile.name]
        assert profile.hours is not None
        assert profile.in_order is not None
        adjusted = profile.hours.adjust(values, given["ts"])
        present = ~np.isnan(values)
        assert profile.cells.index(adjusted[present]).tolist() == profile.in_order[present].tolist()
        assert {profile.cells.shares.size} >= set(profile.in_order[~present].tolist())


def test_categories_and_missing_values_have_shares_by_hour() -> None:
    """Buckets of hours whose shares are alike; a column without missing values has none for these."""
    rng = np.random.default_rng(5)
    times = START + np.sort(rng.uniform(0, 10 * DAY, 20_000))
    is_night = times % DAY < DAY / 2
    words = np.where(rng.random(times.size) < np.where(is_night, 0.2, 0.8), "red", "white")
    gaps = np.where(rng.random(times.size) < np.where(is_night, 0.3, 0.0), np.nan, 1.0 + rng.random(times.size))
    data = {"ts": times, "word": words, "gaps": gaps, "full": rng.random(times.size)}
    word, some, full = prepare(table_of_columns(data, rules=RULES), 0.0, "UTC").features
    hours = START + np.array([3.5, 18.0]) * np.float64(3600)
    red = int(word.cells.index(np.array([code("red")]))[0])

    assert word.shares_by_hour is not None
    assert some.missing_by_hour is not None
    assert [0.2, 0.8] == pytest.approx(word.shares_by_hour.shares[word.shares_by_hour.bucket(hours), red], abs=0.03)
    assert [0.3, 0.0] == pytest.approx(some.missing_by_hour.shares[some.missing_by_hour.bucket(hours), 1], abs=0.03)
    assert (None, None, None) == (word.missing_by_hour, full.missing_by_hour, full.shares_by_hour)


def test_without_a_zone_nothing_is_adjusted() -> None:
    """Windows that have no times are compared with the numbers as they are."""
    given, one = columns(), reference(None)

    assert sorted(given["wave"].tolist()) == one.features[0].values.tolist()
    assert (None, None, True) == (one.known_hours, one.features[0].hours, one.is_ordered)


def test_known_hours_are_those_of_the_rows() -> None:
    """A reference of mornings knows no evening."""
    times = START + np.arange(600) % 6 * 3600 + np.arange(600) // 6 * DAY
    data = {"ts": times, "a": np.random.default_rng(1).normal(size=600)}
    known = prepare(table_of_columns(data, rules=RULES), 0.0, "UTC").known_hours

    assert known is not None
    assert [True, False] == known.known(START + np.array([3.5, 18.0]) * np.float64(3600)).tolist()


def facts(one: Reference) -> object:
    """What is known of hours, in values that can be compared."""
    times = START + np.arange(48) * np.float64(1800)
    adjusted = [
        None if profile.hours is None else profile.hours.adjust(np.ones(48), times).tolist() for profile in one.features
    ]
    known = None if one.known_hours is None else one.known_hours.known(times).tolist()
    return one.zone, known, adjusted, [profile.values.tolist() for profile in one.features]


def test_hours_survive_the_way_from_the_child() -> None:
    """Models are pickled with their columns."""
    one = reference()

    assert facts(one) == facts(unpack(pack(one)))


async def test_the_child_adjusts_as_the_calling_thread_does(tmp_path: Path) -> None:
    """The models are fitted where the file is read, never on the event loop."""
    path = tmp_path / "a.npz"
    np.savez(path, allow_pickle=False, **columns())
    loader = ChildLoader(memory_bytes=256 * 2**20)
    await loader.rest()
    result = await loader.load(FileToLoad(path, read_signature(path), rules=RULES), 0.0)
    await loader.close()

    assert result.reference is not None
    assert facts(reference()) == facts(result.reference)
