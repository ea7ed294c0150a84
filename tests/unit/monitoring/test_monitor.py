"""Ring -> gauge: what an evaluation reads, publishes, and survives."""

import logging
from pathlib import Path

import pytest

from driftgauge.inference.payload import ModelKey
from tests.support.models import IRIS, WINE
from tests.support.monitor_fixture import MonitorFixture
from tests.support.rings import AwayRing, BrokenRing


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """ReferenceStore: one for `WINE`, by name alone."""
    lines = [f"{9 + 0.1 * number},{3 + 0.01 * number}" for number in range(50)]
    (tmp_path / "wine.csv").write_text("\n".join(["alcohol,ph", *lines]) + "\n")
    return tmp_path


async def test_a_window_like_its_reference_does_not_drift(directory: Path) -> None:
    """The verdict is 0, with D, p and the number of rows beside it."""
    monitored = MonitorFixture(directory)
    await monitored.monitor.refresh()
    await monitored.fill(WINE, 9.0)
    await monitored.monitor.evaluate_all()

    assert monitored.value("driftgauge_drift") == 0
    assert monitored.value("driftgauge_feature_drift_statistic", feature="alcohol", test="ks") == 0
    assert monitored.value("driftgauge_feature_drift_p_value", feature="alcohol", test="ks") == 1
    assert monitored.value("driftgauge_window_rows") == 50
    assert monitored.value("driftgauge_window_timestamp_seconds") == 999
    assert monitored.value("driftgauge_evaluation_timestamp_seconds") == 1_000


async def test_a_shifted_feature_drifts_alone(directory: Path) -> None:
    """The other feature and the other model keep their verdicts."""
    monitored = MonitorFixture(directory)
    await monitored.monitor.refresh()
    await monitored.fill(WINE, 12.0)
    await monitored.monitor.evaluate_all()

    assert monitored.value("driftgauge_drift") == 1
    assert monitored.value("driftgauge_drifted_features") == 1
    assert monitored.value("driftgauge_feature_drift", feature="alcohol", test="ks") == 1
    assert monitored.value("driftgauge_feature_drift", feature="ph", test="ks") == 0
    assert 0.6 == pytest.approx(monitored.value("driftgauge_feature_drift_statistic", feature="alcohol", test="ks"))


async def test_too_few_rows_give_no_verdict(directory: Path) -> None:
    """One row under `min_rows` is too few."""
    monitored = MonitorFixture(directory)
    await monitored.monitor.refresh()
    await monitored.fill(WINE, 12.0, rows=19)
    await monitored.monitor.evaluate_all()

    assert monitored.value("driftgauge_drift") is None
    assert monitored.value("driftgauge_window_rows") == 19


async def test_a_model_without_a_reference_shows_zero_reference_rows(directory: Path) -> None:
    """And nothing that looks like a verdict."""
    monitored = MonitorFixture(directory)
    await monitored.monitor.refresh()
    await monitored.fill(IRIS, 9.0)
    await monitored.monitor.evaluate_all()

    assert monitored.value("driftgauge_reference_rows", IRIS) == 0
    assert monitored.value("driftgauge_drift", IRIS) is None


async def test_a_look_at_the_references_that_fails_ends_nothing(caplog: pytest.LogCaptureFixture) -> None:
    """A directory that no system call takes is logged with its traceback, at each look."""
    monitored = MonitorFixture(Path("references\0"))
    await monitored.monitor.refresh()
    await monitored.monitor.refresh()

    assert ["the look at the references failed"] * 2 == [record.message for record in caplog.records]
    assert all(record.exc_info for record in caplog.records)


async def test_a_reference_that_appears_is_told(directory: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Rows are shown and one line is logged; a fault of the file is a warning."""
    caplog.set_level(logging.INFO)
    monitored = MonitorFixture(directory)
    await monitored.fill(WINE, 9.0)
    await monitored.monitor.refresh()
    (directory / "wine.csv").write_text("")
    await monitored.monitor.refresh()

    assert monitored.value("driftgauge_reference_rows") == 50
    assert ["INFO", "WARNING"] == [record.levelname for record in caplog.records if "wine.csv" in record.message]


async def test_a_reference_filed_by_namespace_makes_its_model_known(directory: Path) -> None:
    """After a restart its gauges are there before the first event is."""
    (directory / "garden").mkdir()
    (directory / "garden" / "iris.csv").write_text("alcohol,ph\n9,3\n10,3\n")
    monitored = MonitorFixture(directory)
    await monitored.monitor.refresh()

    assert [IRIS] == list(monitored.models)
    assert monitored.value("driftgauge_reference_rows", IRIS) == 2


async def test_rows_of_another_schema_are_skipped_and_counted(directory: Path) -> None:
    """The columns of a reference may change under a window."""
    monitored = MonitorFixture(directory)
    await monitored.monitor.refresh()
    await monitored.fill(WINE, 9.0, schema="of-yesterday")
    await monitored.monitor.evaluate_all()

    assert monitored.value("driftgauge_window_rows") == 0
    assert monitored.value("driftgauge_skipped_blocks_total") == 1


async def test_a_store_that_is_away_is_a_counted_failure(directory: Path, caplog: pytest.LogCaptureFixture) -> None:
    """The last verdict stays until it is stale, then it vanishes; the log says which window it is."""
    ring = AwayRing()
    monitored = MonitorFixture(directory, ring)
    ring.away = False
    await monitored.monitor.refresh()
    await monitored.fill(WINE, 9.0)
    await monitored.monitor.evaluate_all()
    ring.away = True
    await monitored.monitor.evaluate_all()

    assert [f"the window of requests of {WINE} cannot be read: the store is away"] == caplog.messages
    assert monitored.value("driftgauge_evaluation_failures_total") == 1
    assert monitored.value("driftgauge_drift") == 0
    monitored.clock.now += 91
    assert monitored.value("driftgauge_drift") is None


async def test_a_fault_of_ours_in_one_model_is_counted_and_survived(
    directory: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The log has the traceback; the clock goes on."""
    monitored = MonitorFixture(directory, BrokenRing())
    monitored.models.admit(WINE)
    await monitored.monitor.refresh()
    await monitored.monitor.evaluate_all()
    await monitored.monitor.evaluate_all()

    assert monitored.value("driftgauge_evaluation_failures_total") == 2
    assert "ZeroDivisionError" in caplog.text


async def test_a_logger_recalls_the_models_that_it_has_references_for(directory: Path) -> None:
    """Their rows outlived a restart; those of others may be a sidecar's."""
    before = MonitorFixture(directory)
    await before.fill(WINE, 12.0)
    await before.fill(IRIS, 12.0)
    monitored = MonitorFixture(directory, before.ring)
    await monitored.monitor.refresh()
    await monitored.monitor.restore_models(None)
    await monitored.monitor.evaluate_all()

    assert [WINE] == list(monitored.models)
    assert monitored.value("driftgauge_drift") == 1


async def test_a_proxy_recalls_the_models_of_its_own_inference_service(directory: Path) -> None:
    """Other pods keep their rows in the same store."""
    second = ModelKey("cellar", "wine", "predictor", "wine-v2")
    before = MonitorFixture(directory)
    for model in (WINE, second, IRIS):
        await before.fill(model, 12.0)
    monitored = MonitorFixture(directory, before.ring)
    await monitored.monitor.restore_models(WINE)

    assert [WINE, second] == list(monitored.models)


async def test_a_store_that_is_away_recalls_nothing(directory: Path) -> None:
    """And is no fault of the start."""
    monitored = MonitorFixture(directory, AwayRing())
    await monitored.monitor.restore_models(None)

    assert [] == list(monitored.models)
