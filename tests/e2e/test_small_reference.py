"""A reference of two rows: the running process says that it cannot tell, not that there is no drift."""

import json
from pathlib import Path

from tests.support.echo_model import EchoModel
from tests.support.models import WINE, labels
from tests.support.processes import Driftgauge, get
from tests.support.traffic import body_of, wrong_responses

BODIES = [body_of([[9.0 + number % 7 / 10, 3.0 + number % 5 / 10]]) for number in range(40)]
IDENTITY = {"DRIFTGAUGE_NAMESPACE": WINE.namespace, "DRIFTGAUGE_INFERENCE_SERVICE": WINE.inference_service}
REASON = "the reference has 2 values, "


def test_a_reference_of_two_rows_gives_no_verdict(tmp_path: Path) -> None:
    """Metrics, JSON, page and log agree: no feature has a verdict, and the reference has too few values."""
    reference = tmp_path / "wine.csv"
    reference.write_text("alcohol,ph\n9,3\n10,3.4\n")
    with EchoModel() as model:
        flags = (
            f"--upstream-url={model.url}",
            f"--reference={reference}",
            "--min-rows=40",
            "--flush-interval-seconds=0.02",
        )
        with Driftgauge("proxy", *flags, "--evaluation-interval-seconds=0.2", env=IDENTITY) as proxy:
            wrong = wrong_responses(proxy.port, BODIES)
            samples = proxy.wait_for(lambda found: found.total("driftgauge_window_rows") == 40, "a full window")
            (report,) = json.loads(get(f"{proxy.admin_url}/drift"))["models"]
            page = get(f"{proxy.admin_url}/").decode()
            logged = proxy.stderr

    assert [] == wrong
    assert [] == samples.matching("driftgauge_drift")
    assert 2 == samples.total("driftgauge_features", **labels(), state="untested")
    assert (None, None, ["alcohol", "ph"]) == (report["drift"], report["drifted_features"], report["untested"])
    assert [None, None] == [feature["drift"] for feature in report["features"]]
    assert {"reference_small"} == {one["reason"] for one in report["could_not_tell"]}
    assert report["reading"].startswith("Cannot tell")
    assert "cannot tell" in page
    assert "No drift" not in page
    assert [True] * 3 == [REASON in text for text in (report["reading"], page, logged)]
