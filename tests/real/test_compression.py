"""Triton's HTTP client compresses requests and responses: it gets the model's classes, driftgauge gets the rows."""

import json
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.support import wine
from tests.support.captured import captured_rows
from tests.support.parts import environment_python
from tests.support.processes import Driftgauge

pytestmark = [pytest.mark.real_server, pytest.mark.timeout(300)]

PROGRAM = Path(__file__).parent / "programs" / "triton_infer.py"
ALGORITHMS = (None, "gzip", "deflate")
ROWS = wine.ROWS[:4]


def proxy(upstream_url: str, reference: Path) -> Driftgauge:
    """A proxy in front of a server, which tests often and lets its window be read."""
    return Driftgauge(
        "proxy",
        *("--upstream-url", upstream_url, "--reference", reference, "--inference-service", "wine"),
        *("--min-rows", "3", "--evaluation-interval-seconds", "0.5", "--allow-capture", "true"),
    )


def infer(url: str, messages: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Send inferences with Triton's client; returns what each of them got."""
    argv: list[str | Path] = [environment_python("mlserver"), PROGRAM, url.removeprefix("http://")]
    lines = "".join(json.dumps(message) + "\n" for message in messages)
    done = subprocess.run(argv, input=lines, stdout=subprocess.PIPE, check=True, timeout=120, text=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


def message(rows: Any, output: str, *, binary: bool, request: str | None, response: str | None) -> dict[str, Any]:  # noqa: ANN401 - an array
    """One inference."""
    return {
        "rows": rows.tolist(),
        "output": output,
        "binary": binary,
        "request_compression": request,
        "response_compression": response,
    }


@pytest.mark.parametrize("binary", [True, False], ids=["binary", "json"])
def test_every_compression_of_requests_and_responses(kserve_url: str, wine_reference: Path, *, binary: bool) -> None:
    """Nine inferences of four rows each have the classes of direct ones, and all rows are in the window, to the bit."""
    messages = [
        message(ROWS + place, "class", binary=binary, request=request, response=response)
        for place, (request, response) in enumerate((one, other) for one in ALGORITHMS for other in ALGORITHMS)
    ]
    direct = infer(kserve_url, messages)
    with proxy(kserve_url, wine_reference) as sidecar:
        through = infer(sidecar.url, messages)
        found = captured_rows(sidecar, 36)
        samples = sidecar.metrics()

    assert [4] * 9 == [len(one["classes"]) for one in through]
    assert direct == through
    np.testing.assert_array_equal(np.concatenate([ROWS + place for place in range(9)]), found, strict=True)
    assert 9 == samples.total("driftgauge_payloads_total", kind="request", outcome="accepted")
    assert 9 == samples.total("driftgauge_payloads_total", kind="response", outcome="accepted")


@pytest.mark.parametrize("response", ALGORITHMS)
def test_mlserver_decompresses_gzip(mlserver_url: str, wine_reference: Path, response: str | None) -> None:
    """MLServer's own support: JSON tensors, plain and as gzip, and a response as gzip."""
    messages = [
        message(ROWS + place, "predict", binary=False, request=request, response=response)
        for place, request in enumerate((None, "gzip"))
    ]
    direct = infer(mlserver_url, messages)
    with proxy(mlserver_url, wine_reference) as sidecar:
        through = infer(sidecar.url, messages)
        found = captured_rows(sidecar, 8)

    assert [4, 4] == [len(one["classes"]) for one in through]
    assert direct == through
    np.testing.assert_array_equal(np.concatenate([ROWS, ROWS + 1]), found, strict=True)


def test_requests_that_mlserver_does_not_decompress(mlserver_url: str, wine_reference: Path) -> None:
    """MLServer responds to `deflate` with 422, through the proxy as directly; such rows reached no model."""
    refused = message(ROWS, "predict", binary=False, request="deflate", response=None)
    good = message(ROWS + 1, "predict", binary=False, request="gzip", response=None)
    direct = infer(mlserver_url, [refused, good])
    with proxy(mlserver_url, wine_reference) as sidecar:
        through = infer(sidecar.url, [refused, good])
        found = captured_rows(sidecar, 4)
        samples = sidecar.metrics()

    assert direct == through
    assert through[0]["error"].startswith("[422]")
    np.testing.assert_array_equal(ROWS + 1, found, strict=True)
    assert 1 == samples.total("driftgauge_payloads_total", kind="request", reason="failed")
