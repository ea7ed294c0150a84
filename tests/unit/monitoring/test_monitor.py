"""From the ring to the gauges: what an evaluation reads, publishes and survives."""

import asyncio
import logging
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from driftgauge.drift.budget import Budget
from driftgauge.drift.result import VerdictState
from driftgauge.errors import StorageError
from driftgauge.inference.known_models import KnownModels
from driftgauge.inference.payload import Kind, ModelKey
from driftgauge.storage.memory import MemoryRing
from driftgauge.storage.ring import StreamKey
from tests.support.models import IRIS, WINE
from tests.support.monitor_fixture import BY_P_VALUE, MonitorFixture
from tests.support.rings import AwayRing, BrokenRing


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """A directory with one reference, for `WINE`, filed by the model's name."""
    lines = [f"{9 + 0.1 * number},{3 + 0.01 * number}" for number in range(50)]
    (tmp_path / "wine.csv").write_text("\n".join(["alcohol,ph", *lines]) + "\n")
    return tmp_path


def states(fixture: MonitorFixture, model: ModelKey = WINE) -> dict[str, float | None]:
    """The series of `driftgauge_state` of a model, by their label `state`."""
    return {state.value: fixture.value("driftgauge_state", model, state=state.value) for state in VerdictState}


async def evaluate_windows(fixture: MonitorFixture) -> None:
    """Evaluate five windows of random rows of `WINE`: enough rows to know how much neighbours resemble each other."""
    generator = np.random.default_rng(1)
    for _ in range(5):
        await fixture.put(StreamKey(WINE, Kind.REQUEST), generator.uniform(3, 10, (100, 2)))
        await fixture.monitor.evaluate_all()


async def test_a_window_like_its_reference_does_not_drift(directory: Path) -> None:
    """The verdict is 0, and D, p and the number of rows are shown."""
    fixture = MonitorFixture(directory)
    await fixture.watcher.refresh()
    await fixture.fill(WINE, 9.0)
    await fixture.monitor.evaluate_all()

    assert fixture.value("driftgauge_drift") == 0
    assert fixture.value("driftgauge_feature_drift_statistic", feature="alcohol", test="ks") == 0
    assert fixture.value("driftgauge_feature_drift_p_value", feature="alcohol", test="ks") == 1
    assert fixture.value("driftgauge_window_rows") == 50
    assert fixture.value("driftgauge_window_timestamp_seconds") == 999
    assert fixture.value("driftgauge_evaluation_timestamp_seconds") == 1_000


async def test_a_shifted_feature_drifts_alone(directory: Path) -> None:
    """The other feature does not drift."""
    fixture = MonitorFixture(directory)
    await fixture.watcher.refresh()
    await fixture.fill(WINE, 12.0)
    await fixture.monitor.evaluate_all()

    assert fixture.value("driftgauge_drift") == 1
    assert fixture.value("driftgauge_drifted_features") == 1
    assert fixture.value("driftgauge_feature_drift", feature="alcohol", test="ks") == 1
    assert fixture.value("driftgauge_feature_drift", feature="ph", test="ks") == 0
    assert 0.6 == pytest.approx(fixture.value("driftgauge_feature_drift_statistic", feature="alcohol", test="ks"))


async def test_too_few_rows_give_no_verdict(directory: Path) -> None:
    """One row less than `min_rows` is too few."""
    fixture = MonitorFixture(directory)
    await fixture.watcher.refresh()
    await fixture.fill(WINE, 12.0, rows=19)
    await fixture.monitor.evaluate_all()

    assert fixture.value("driftgauge_drift") is None
    assert fixture.value("driftgauge_window_rows") == 19


async def test_a_reference_of_two_rows_gives_no_verdict(directory: Path, caplog: pytest.LogCaptureFixture) -> None:
    """By budget it is too small for any alarm: the verdict is absent, features are untested, and one line says why."""
    (directory / "wine.csv").write_text("alcohol,ph\n9,3\n10,3.1\n")
    fixture = MonitorFixture(directory, rule=replace(BY_P_VALUE, budget=Budget(86_400.0, 60.0, 0.02)))
    await fixture.watcher.refresh()
    await evaluate_windows(fixture)

    assert fixture.value("driftgauge_drift") is None
    assert fixture.value("driftgauge_drifted_features") is None
    assert (0, 2) == (
        fixture.value("driftgauge_features", state="tested"),
        fixture.value("driftgauge_features", state="untested"),
    )
    (line,) = (record.message for record in caplog.records if "no verdict" in record.message)
    assert line.startswith(f"the requests of {WINE} have no verdict: Cannot tell")
    assert "the reference has 2 values, " in line


async def test_a_verdict_that_is_lost_again_is_logged_again(directory: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Between two lines there was a verdict."""
    full = (directory / "wine.csv").read_text()
    fixture = MonitorFixture(directory, rule=replace(BY_P_VALUE, budget=Budget(86_400.0, 60.0, 0.02)))
    for content in ("alcohol,ph\n9,3\n10,3.1\n", full, "alcohol,ph\n9,3\n10,3.2\n"):
        (directory / "wine.csv").write_text(content)
        await fixture.load_changed_reference()
        await evaluate_windows(fixture)

    assert 2 == sum("no verdict" in record.message for record in caplog.records)


async def test_a_model_without_a_reference_shows_zero_reference_rows(directory: Path) -> None:
    """It has no verdict."""
    fixture = MonitorFixture(directory)
    await fixture.watcher.refresh()
    await fixture.fill(IRIS, 9.0)
    await fixture.monitor.evaluate_all()

    assert fixture.value("driftgauge_reference_rows", IRIS) == 0
    assert fixture.value("driftgauge_drift", IRIS) is None


async def test_a_model_without_a_reference_has_the_state_cannot_tell(directory: Path) -> None:
    """Its state says so before the first evaluation, and the reason is `no_reference`."""
    fixture = MonitorFixture(directory)
    await fixture.fill(IRIS, 9.0)
    await fixture.watcher.refresh()

    assert states(fixture, IRIS) == {"ok": 0, "drift": 0, "cannot_tell": 1}
    assert fixture.value("driftgauge_cannot_tell", IRIS, reason="no_reference") == 1


async def test_the_state_of_a_model_is_that_of_its_newest_window(directory: Path) -> None:
    """A reason is shown only while it holds."""
    fixture = MonitorFixture(directory)
    await fixture.watcher.refresh()
    await fixture.fill(WINE, 9.0, rows=19)
    await fixture.monitor.evaluate_all()
    few = states(fixture), fixture.value("driftgauge_cannot_tell", reason="few_rows")
    await fixture.fill(WINE, 9.0)
    await fixture.monitor.evaluate_all()

    assert ({"ok": 0, "drift": 0, "cannot_tell": 1}, 1) == few
    assert {"ok": 1, "drift": 0, "cannot_tell": 0} == states(fixture)
    assert fixture.value("driftgauge_cannot_tell", reason="few_rows") is None


@pytest.mark.parametrize(("age", "ok", "reason", "drift"), [(90, 1, None, 0), (91, 0, 1, None)], ids=["fresh", "stale"])
async def test_nothing_says_ok_once_the_store_is_away_for_long(
    directory: Path, age: float, ok: int, reason: int | None, drift: int | None
) -> None:
    """Until the newest result is stale its verdict stays; then the state is `cannot_tell` because of the store."""
    ring = AwayRing()
    ring.away = False
    fixture = MonitorFixture(directory, ring)
    await fixture.watcher.refresh()
    await fixture.fill(WINE, 9.0)
    await fixture.monitor.evaluate_all()
    ring.away = True
    fixture.clock.now += age
    await fixture.monitor.evaluate_all()

    assert {"ok": ok, "drift": 0, "cannot_tell": 1 - ok} == states(fixture)
    assert reason == fixture.value("driftgauge_cannot_tell", reason="store")
    assert drift == fixture.value("driftgauge_drift")


async def test_a_store_that_is_away_from_the_start_is_the_reason(directory: Path) -> None:
    """There is no result that could become stale; it has been away for as long."""
    fixture = MonitorFixture(directory, AwayRing())
    fixture.models.admit(WINE)
    await fixture.watcher.refresh()
    await fixture.monitor.evaluate_all()
    fixture.clock.now += 91

    assert {"ok": 0, "drift": 0, "cannot_tell": 1} == states(fixture)
    assert 1 == fixture.value("driftgauge_cannot_tell", reason="store")


async def test_a_store_that_is_back_is_no_longer_a_reason(directory: Path) -> None:
    """The next evaluation has a verdict again."""
    ring = AwayRing()
    fixture = MonitorFixture(directory, ring)
    fixture.models.admit(WINE)
    await fixture.watcher.refresh()
    await fixture.monitor.evaluate_all()
    ring.away = False
    await fixture.fill(WINE, 9.0)
    await fixture.monitor.evaluate_all()

    assert {"ok": 1, "drift": 0, "cannot_tell": 0} == states(fixture)
    assert fixture.value("driftgauge_cannot_tell", reason="store") is None


async def test_a_failed_refresh_of_the_references_is_logged_each_time(caplog: pytest.LogCaptureFixture) -> None:
    """A directory name that no system call accepts is logged with its traceback, and refreshing continues."""
    fixture = MonitorFixture(Path("references\0"))
    await fixture.watcher.refresh()
    await fixture.watcher.refresh()

    assert ["refreshing the references failed"] * 2 == [record.message for record in caplog.records]
    assert all(record.exc_info for record in caplog.records)


async def test_a_file_is_loaded_once_though_loading_takes_longer_than_the_interval(directory: Path) -> None:
    """The check that falls into the first load waits until it has ended, and finds nothing to do."""
    fixture = MonitorFixture(directory)
    await asyncio.gather(*(fixture.watcher.refresh() for _ in range(9)))

    assert [directory / "wine.csv"] == fixture.loader.loaded
    assert fixture.references.get(WINE) is not None


async def test_a_reference_that_appears_is_logged(directory: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Its rows are shown and one line is logged; a file that cannot be used is a warning."""
    caplog.set_level(logging.INFO)
    fixture = MonitorFixture(directory)
    await fixture.fill(WINE, 9.0)
    await fixture.watcher.refresh()
    (directory / "wine.csv").write_text("")
    await fixture.load_changed_reference()

    assert fixture.value("driftgauge_reference_rows") == 50
    assert ["INFO", "WARNING"] == [record.levelname for record in caplog.records if "wine.csv" in record.message]


async def test_a_reference_filed_by_namespace_makes_its_model_known(directory: Path) -> None:
    """After a restart its gauges exist before the first event."""
    (directory / "garden").mkdir()
    (directory / "garden" / "iris.csv").write_text("alcohol,ph\n9,3\n10,3\n")
    fixture = MonitorFixture(directory)
    await fixture.watcher.refresh()

    assert [IRIS] == list(fixture.models)
    assert fixture.value("driftgauge_reference_rows", IRIS) == 2


async def test_rows_of_another_schema_are_skipped_and_counted(directory: Path) -> None:
    """The columns of a reference may change while the window has rows."""
    fixture = MonitorFixture(directory)
    await fixture.watcher.refresh()
    await fixture.fill(WINE, 9.0, schema="of-other-columns")
    await fixture.monitor.evaluate_all()

    assert fixture.value("driftgauge_window_rows") == 0
    assert fixture.value("driftgauge_skipped_blocks_total") == 1


async def test_an_unreachable_store_is_a_counted_failure(directory: Path, caplog: pytest.LogCaptureFixture) -> None:
    """The last verdict stays until it is stale, then it vanishes; the log names the window."""
    ring = AwayRing()
    fixture = MonitorFixture(directory, ring)
    ring.away = False
    await fixture.watcher.refresh()
    await fixture.fill(WINE, 9.0)
    await fixture.monitor.evaluate_all()
    ring.away = True
    await fixture.monitor.evaluate_all()

    assert [f"the window of requests of {WINE} cannot be read: the store is away"] == caplog.messages
    assert fixture.value("driftgauge_evaluation_failures_total") == 1
    assert fixture.value("driftgauge_drift") == 0
    fixture.clock.now += 91
    assert fixture.value("driftgauge_drift") is None


async def test_a_bug_in_one_evaluation_is_counted_and_survived(
    directory: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The log has the traceback, and evaluations continue."""
    fixture = MonitorFixture(directory, BrokenRing())
    fixture.models.admit(WINE)
    await fixture.watcher.refresh()
    await fixture.monitor.evaluate_all()
    await fixture.monitor.evaluate_all()

    assert fixture.value("driftgauge_evaluation_failures_total") == 2
    assert "ZeroDivisionError" in caplog.text


async def test_a_logger_restores_the_models_that_it_has_references_for(directory: Path) -> None:
    """Rows of other models may be a sidecar's."""
    before = MonitorFixture(directory)
    await before.fill(WINE, 12.0)
    await before.fill(IRIS, 12.0)
    fixture = MonitorFixture(directory, before.ring)
    await fixture.watcher.refresh()
    await fixture.restorer(None).restore()
    await fixture.monitor.evaluate_all()

    assert [WINE] == list(fixture.models)
    assert fixture.value("driftgauge_drift") == 1


async def test_a_proxy_restores_the_models_of_its_own_inference_service(directory: Path) -> None:
    """Other pods may keep their rows in the same store."""
    second = ModelKey("cellar", "wine", "predictor", "wine-v2")
    before = MonitorFixture(directory)
    for model in (WINE, second, IRIS):
        await before.fill(model, 12.0)
    fixture = MonitorFixture(directory, before.ring)
    await fixture.restorer(WINE).restore()

    assert [WINE, second] == list(fixture.models)


async def test_thousands_of_models_in_a_shared_store_take_a_bounded_number_of_places(
    directory: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Rows of invented models are restored up to the places there are, and a model with requests gets one of these."""
    before = MonitorFixture(directory)
    before.use_models(KnownModels(1_000))
    for number in range(1_000):
        await before.fill(WINE._replace(namespace=f"n{number}"), 12.0, rows=1)
    fixture = MonitorFixture(directory, before.ring)
    fixture.use_models(KnownModels(5, reserved_by=lambda model: ("", "wine") if model == WINE else None))
    fixture.references.refresh(0.0)
    await fixture.restorer(None).restore()

    assert 5 == len(list(fixture.models))
    assert WINE == fixture.models.admit(WINE)
    assert "995 models in the store get no place" in caplog.text


async def test_an_unreachable_store_restores_no_model(directory: Path) -> None:
    """The start succeeds without them."""
    fixture = MonitorFixture(directory, AwayRing())
    await fixture.restorer(None).advance()

    assert [] == list(fixture.models)


async def test_models_are_restored_when_the_store_replies_for_the_first_time(directory: Path) -> None:
    """A process that started while the store was away, and gets no traffic, has their verdicts at its next look."""
    before = MonitorFixture(directory)
    await before.fill(WINE, 12.0)
    ring = AwayRing(before.ring)
    fixture = MonitorFixture(directory, ring)
    await fixture.watcher.refresh()
    restorer = fixture.restorer(None)
    for _ in range(3):
        await restorer.advance()
    known = list(fixture.models)
    ring.away = False
    await restorer.advance()
    await fixture.monitor.evaluate_all()

    assert [] == known
    assert [WINE] == list(fixture.models)
    assert fixture.value("driftgauge_drift") == 1


async def test_a_store_that_cannot_list_its_keys_in_time_is_asked_less_and_less_often(directory: Path) -> None:
    """The pauses grow to ten looks; it may be busy with ten million keys of others."""

    class SlowRing(MemoryRing):
        """A ring that replies, but lists its streams too slowly."""

        asked = 0

        async def streams(self, on_away: object = None) -> list[StreamKey]:  # noqa: ARG002 - of the protocol
            """Fail as after a timeout."""
            self.asked += 1
            raise StorageError("Redis could not list streams within 1 s")

    ring = SlowRing(100)
    restorer = MonitorFixture(directory, ring).restorer(None)
    asked_at = []
    for look in range(45):
        before = ring.asked
        await restorer.advance()
        asked_at += [look] * (ring.asked - before)

    assert [0, 2, 6, 14, 25, 36] == asked_at


async def test_a_name_that_is_no_text_restores_no_model(directory: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A model whose name cannot be a label is skipped and counted in the log; the others are restored."""
    before = MonitorFixture(directory)
    for model in (WINE._replace(model_name="\udcff"), WINE):
        await before.fill(model, 12.0)
    fixture = MonitorFixture(directory, before.ring)
    await fixture.restorer(WINE).restore()

    assert [WINE] == list(fixture.models)
    assert "1 models in the store have names" in caplog.text
