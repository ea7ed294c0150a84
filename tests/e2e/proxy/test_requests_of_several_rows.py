"""Requests of many rows that resemble each other raise no alarm among single rows, on the real process."""

from functools import partial
from pathlib import Path

import numpy as np

from tests.support.echo_model import EchoModel
from tests.support.models import WINE, labels
from tests.support.processes import Driftgauge
from tests.support.scrape import Samples
from tests.support.traffic import body_of, wrong_responses

IDENTITY = {"DRIFTGAUGE_NAMESPACE": WINE.namespace, "DRIFTGAUGE_INFERENCE_SERVICE": WINE.inference_service}
FLAGS = ("--flush-interval-seconds=0.02", "--evaluation-interval-seconds=0.2")


def has_fed(rows: int, found: Samples) -> bool:
    """Whether the detector was fed so many rows of requests."""
    return found.total("driftgauge_detector_rows_total", kind="request") == rows


def test_a_request_of_250_rows_that_resemble_each_other_raises_no_alarm(tmp_path: Path) -> None:
    """Three times, each after 200 single rows; then single rows a standard deviation away do raise one."""
    rng = np.random.default_rng(1)
    reference = tmp_path / "wine.csv"
    np.savetxt(reference, rng.standard_normal((5_000, 2)), "%.4f", ",", header="alcohol,ph", comments="")
    seen: list[float] = []
    with (
        EchoModel() as model,
        Driftgauge("proxy", f"--upstream-url={model.url}", f"--reference={reference}", *FLAGS, env=IDENTITY) as proxy,
    ):
        fed = 0
        for level in (1.2, -1.5, 2.0):
            alike = level + 0.3 * rng.standard_normal((250, 2))
            for rows in ([*rng.standard_normal((200, 1, 2))], [alike]):
                assert [] == wrong_responses(proxy.port, [body_of(one.tolist()) for one in rows])
                fed += sum(len(one) for one in rows)
                samples = proxy.wait_for(partial(has_fed, fed), "all rows in the evidence")
                seen.append(samples.total("driftgauge_drift", **labels()))
        moved = [body_of(one.tolist()) for one in 1 + rng.standard_normal((600, 1, 2))]
        assert [] == wrong_responses(proxy.port, moved)
        proxy.wait_for(lambda found: found.total("driftgauge_drift", **labels()) == 1, "an alarm on single rows")

    assert [0.0] * 6 == seen
