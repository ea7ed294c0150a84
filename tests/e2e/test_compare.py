"""A canary against the stable revision, as two real proxies with one Redis, and the gate as a command."""

import json
import subprocess
import sys
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.error import HTTPError

import numpy as np
import pytest

from driftgauge.cli.main import run
from tests.support.echo_model import EchoModel
from tests.support.models import WINE
from tests.support.processes import Driftgauge, get
from tests.support.redis_server import RedisServer
from tests.support.traffic import ask, body_of
from tests.support.waiting import wait_until

FAST = ("--flush-interval-seconds=0.02", "--evaluation-interval-seconds=0.2", "--drain-delay-seconds=0")
QUERY = f"namespace={WINE.namespace}&inference_service=wine&revision=v2&against=stable"


def adding(offset: float) -> Callable[[bytes], bytes]:
    """A model that predicts the sum of a row and an offset."""

    def respond(body: bytes) -> bytes:
        """The predictions of a V1 request."""
        return json.dumps({"predictions": [sum(row) + offset for row in json.loads(body)["instances"]]}).encode()

    return respond


@pytest.fixture
def reference(tmp_path: Path) -> Path:
    """A reference of WINE: two features that are normally distributed."""
    rows = np.random.default_rng(1).standard_normal((2_000, 2))
    np.savetxt(tmp_path / "wine.csv", rows, "%.4f", ",", header="alcohol,ph", comments="")
    return tmp_path / "wine.csv"


def gate(admin_url: str, *flags: str) -> subprocess.CompletedProcess[str]:
    """Run the command."""
    named = ("--inference-service=wine", f"--namespace={WINE.namespace}", "--revision=v2", f"--admin-url={admin_url}")
    command = [sys.executable, "-m", "driftgauge", "compare", *named, *flags]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)


def test_a_gate_asks_either_pod_of_two_revisions_with_one_redis(reference: Path, own_server: RedisServer) -> None:
    """Both pods know the traffic and the rows of both: 0 passes, 2 says what is missing, and JSON has the counts."""
    flags = (f"--reference={reference}", f"--redis-url={own_server.url}", *FAST)
    rng = np.random.default_rng(2)
    with ExitStack() as stack:
        proxies = {}
        for name, offset in (("stable", 0.0), ("v2", 0.01)):
            model = stack.enter_context(EchoModel(response=adding(offset)))
            env = {
                "DRIFTGAUGE_NAMESPACE": WINE.namespace,
                "INFERENCE_SERVICE_NAME": WINE.inference_service,
                "DRIFTGAUGE_REVISION": name,
            }
            flag = f"--upstream-url={model.url}"
            proxies[name] = stack.enter_context(Driftgauge("proxy", flag, *flags, env=env))
        absent = gate(proxies["v2"].admin_url, "--against=v1")

        def compared() -> dict[str, Any] | None:
            """The comparison, once it has requests of three criteria; each look sends further requests."""
            for name in ("stable", "v2") * 15:
                assert ask(proxies[name].port, body_of([rng.standard_normal(2).tolist()]))[0] == 200
            try:
                found: dict[str, Any] = json.loads(get(f"{proxies['stable'].admin_url}/compare?{QUERY}"))
            except HTTPError:  # the first rows are not in the store yet
                return None
            parts = [one for one in found["criteria"] if one["criterion"] != "accuracy"]
            return found if all(min(one["requests"].values()) >= 40 for one in parts) else None

        found = wait_until(compared, "rows and counts of two slots", 120)
        passed = gate(proxies["v2"].admin_url, "--min-requests=20", "--fail-on=errors,drift")
        few = gate(proxies["stable"].admin_url, "--min-requests=1000000", "--json")
        labels = gate(proxies["stable"].admin_url, "--min-requests=20", "--fail-on=accuracy")
        named = f"namespace={WINE.namespace}&inference_service=wine&revision"
        pages = [get(f"{proxies[name].admin_url}/report?{named}={name}").decode() for name in ("stable", "v2")]

    assert (absent.returncode, "no requests" in absent.stderr) == (2, True)
    assert (found["revision"], found["against"], found["inputs_differ"]) == ("v2", "stable", False)
    assert {"drift": "shift", "errors": "odds_ratio", "latency": "ratio", "accuracy": "difference"} == {
        one["criterion"]: one["measure"] for one in found["criteria"]
    }
    assert (passed.returncode, passed.stderr) == (0, "")
    assert passed.stdout.endswith("revision v2 does not fail against stable\n")
    assert few.returncode == 2
    assert {one["state"] for one in json.loads(few.stdout)["criteria"]} == {"cannot_tell"}
    assert (labels.returncode, "there are no labels" in labels.stdout) == (2, True)
    assert all("Revision <bdi>v2</bdi> does not fail against <bdi>stable</bdi>" in page for page in pages)


@pytest.mark.parametrize(
    ("flag", "sentence"),
    [
        ("--fail-on=speed", "fail_on: must be some of drift, errors, latency, accuracy; it is 'speed'"),
        ("--wait=soon", "wait: must be a number with s, m or h, such as 10m; it is 'soon'"),
        ("--min-requests=0", "min_requests: must be at least 1; it is 0"),
        ("--admin-url=ftp://wine", "admin_url: must be http://host:port or https://host:port, without a query"),
    ],
)
def test_wrong_use_of_the_gate_is_2_and_one_sentence(
    flag: str, sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """A pipeline must not take a wrong flag for a canary that fails."""
    assert run(["compare", "--inference-service=wine", "--revision=v2", flag]) == 2
    assert f"driftgauge: {sentence}\n" == capsys.readouterr().err
