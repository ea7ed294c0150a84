"""A reference volume that hangs, or has no files as of a ConfigMap that does not exist, costs the verdict alone."""

from pathlib import Path

import pytest

from tests.support.agent import pair, post
from tests.support.echo_model import EchoModel
from tests.support.hung_file import hung
from tests.support.models import WINE, labels
from tests.support.processes import Driftgauge
from tests.support.scrape import Samples
from tests.support.traffic import body_of, wrong_responses

BODIES = [body_of([[9.0 + number / 10, 3.2]]) for number in range(30)]
IDENTITY = {"DRIFTGAUGE_NAMESPACE": WINE.namespace, "DRIFTGAUGE_INFERENCE_SERVICE": WINE.inference_service}
FAST = ("--reference-poll-seconds=0.1", "--evaluation-interval-seconds=0.2", "--flush-interval-seconds=0.02")


@pytest.fixture
def volume(tmp_path: Path) -> Path:
    """A directory without files, as the kubelet leaves one: with its own hidden `..data`."""
    (tmp_path / "..2026").mkdir()
    (tmp_path / "..data").symlink_to("..2026")
    return tmp_path


def dropped(samples: Samples) -> float:
    """Requests whose rows were of no use for want of a reference."""
    return samples.total(
        "driftgauge_payloads_total", **labels(), kind="request", outcome="dropped", reason="no_reference"
    )


@pytest.mark.parametrize("option", ["--reference={}/wine.csv", "--reference-dir={}"])
def test_the_proxy_serves_on(volume: Path, option: str) -> None:
    """Every response equals the model's to the byte; the metrics report 0 reference rows and no verdict."""
    with EchoModel() as model:
        flags = (f"--upstream-url={model.url}", option.format(volume), *FAST)
        with Driftgauge("proxy", *flags, env=IDENTITY) as proxy:
            wrong = wrong_responses(proxy.port, BODIES)
            samples = proxy.wait_for(lambda found: dropped(found) == len(BODIES), "the end of every request")

    assert [] == wrong
    assert [0] == [sample.value for sample in samples.matching("driftgauge_reference_rows", **labels())]
    assert [] == samples.matching("driftgauge_drift")
    assert ["cannot_tell"] == [
        sample.labels["state"] for sample in samples.matching("driftgauge_state", **labels()) if sample.value
    ]
    assert 1 == samples.total("driftgauge_cannot_tell", **labels(), reason="no_reference")
    assert len(BODIES) == samples.total("request_count", **labels(), code="200")
    assert 0 == samples.total("request_error_count")


def test_the_logger_takes_events_on(volume: Path) -> None:
    """Every event gets the response 200; the model that sent them has 0 reference rows and no verdict."""
    with Driftgauge("logger", f"--reference-dir={volume}", *FAST) as logger:
        events = [event for number, body in enumerate(BODIES) for event in pair(body, b"{}", f"{number}")]
        statuses = post(logger.port, *events)
        samples = logger.wait_for(
            lambda found: (
                dropped(found) == len(BODIES) and bool(found.matching("driftgauge_reference_rows", **labels()))
            ),
            "the end of every request, and a look at the references",
        )

    assert {200} == set(statuses)
    assert [0] == [sample.value for sample in samples.matching("driftgauge_reference_rows", **labels())]
    assert [] == samples.matching("driftgauge_drift")
    assert ["cannot_tell"] == [
        sample.labels["state"] for sample in samples.matching("driftgauge_state", **labels()) if sample.value
    ]
    assert 1 == samples.total("driftgauge_cannot_tell", **labels(), reason="no_reference")
    assert len(BODIES) == samples.total("request_count", **labels(), code="")


@pytest.mark.parametrize("mode", ["proxy", "logger"])
def test_a_volume_that_hangs_holds_up_neither_begin_nor_end(tmp_path: Path, mode: str) -> None:
    """While opening the reference blocks, the ports accept connections, and SIGTERM ends the process with code 0."""
    path = tmp_path / "wine.csv"
    path.write_text("alcohol,ph\n9,3\n")
    with hung(path), Driftgauge(mode, f"--reference-dir={tmp_path}", "--drain-timeout-seconds=1") as child:
        code = child.terminate(deadline_seconds=20)
        reported = child.stderr

    assert code == 0
    assert "the references are still being read; serving begins without them" in reported
    assert "loaded the reference" not in reported
    assert reported.endswith("done\n")
