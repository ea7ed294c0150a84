"""Texts, codes and missing words in the real process: requests are read as the reference was read."""

import json
from pathlib import Path

import pytest

from driftgauge.cli.main import run
from tests.support.echo_model import EchoModel
from tests.support.models import WINE, labels
from tests.support.processes import Driftgauge
from tests.support.traffic import wrong_responses

HEADER = "zip,country,sector, score\n"
ROWS = ["94103,NA, Private,1.5", "10001,DE,Public,2.5", "94103,,unknown,NaN", "10001.0,NA, Private,-999"]
INSTANCES = [
    {"zip": 94103, "country": "NA", "sector": " Private", " score": 1.5},
    {"zip": 10001.0, "country": "DE", "sector": "Public", " score": 2.5},
    {"zip": "94103", "country": None, "sector": "unknown", " score": "NaN"},
    {"zip": "10001.0", "country": "NA", "sector": " Private", " score": -999},
]
IDENTITY = {"DRIFTGAUGE_NAMESPACE": WINE.namespace, "DRIFTGAUGE_INFERENCE_SERVICE": WINE.inference_service}
FAST = ("--reference-poll-seconds=0.1", "--evaluation-interval-seconds=0.2", "--flush-interval-seconds=0.02")
TIMES = 60


@pytest.mark.parametrize("is_built", [True, False])
def test_requests_are_read_as_the_reference(tmp_path: Path, is_built: bool) -> None:  # noqa: FBT001 - a parameter
    """No category is unseen, missing values are counted alike, and no payload is rejected."""
    reference = tmp_path / "wine.csv"
    reference.write_text(HEADER + "\n".join(ROWS * TIMES) + "\n")
    words: tuple[str, ...] = ("--missing-words=unknown,-999",)
    if is_built:
        built = tmp_path / "wine.npz"
        assert 0 == run(["reference", "build", str(reference), "-o", str(built), "--categorical", "zip", *words])
        reference, words = built, ()
    bodies = [json.dumps({"instances": INSTANCES}).encode()] * TIMES
    if not is_built:  # a CSV file alone cannot say that codes are categories
        bodies = [body.replace(b'"94103"', b"94103").replace(b'"10001.0"', b"10001.0") for body in bodies]
    with EchoModel() as model:
        flags = (f"--upstream-url={model.url}", f"--reference={reference}", "--min-rows=100", *words, *FAST)
        with Driftgauge("proxy", *flags, env=IDENTITY) as proxy:
            proxy.wait_for(lambda found: found.total("driftgauge_reference_rows", **labels()) > 0, "the reference")
            wrong = wrong_responses(proxy.port, bodies)
            samples = proxy.wait_for(
                lambda found: found.total("driftgauge_window_rows", **labels()) >= 4 * TIMES,
                "an evaluation of all rows",
            )

    missing = {
        name: samples.total("driftgauge_missing_values_total", **labels(), feature=name)
        for name in ("zip", "country", "sector", " score")
    }
    unseen = [
        sample.value
        for sample in samples.matching("driftgauge_feature_share", **labels(), sample="window", bin="unseen")
    ]
    assert [] == wrong
    assert 0 == samples.total("driftgauge_payloads_total", **labels(), outcome="rejected")
    assert {"zip": 0, "country": TIMES, "sector": TIMES, " score": 2 * TIMES} == missing
    assert [0.0] * (3 if is_built else 2) == unseen
    assert [0] == [sample.value for sample in samples.matching("driftgauge_state", **labels(), state="drift")]
