"""Rows of requests that the model server refused, or never got, move no number of a whole proxy process."""

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.echo_model import EchoModel
from tests.support.ports import free_port
from tests.support.processes import Driftgauge
from tests.support.raw_client import post
from tests.support.scrape import Samples
from tests.support.traffic import PATH, ask, body_of

FLAGS = (
    "--inference-service=wine",
    "--evaluation-interval-seconds=0.2",
    "--flush-interval-seconds=0.02",
    "--min-rows=20",
    "--decision=p-value",  # fifty rows are too few for a budget
)
USUAL = [[round(9 + 0.1 * n, 3), round(3 + 0.01 * n, 3)] for n in range(50)]
SHIFTED = [[30.0 + n, 9.0] for n in range(80)]


@pytest.fixture
def reference(tmp_path: Path) -> Path:
    """Rows as usual."""
    path = tmp_path / "wine.csv"
    path.write_text("alcohol,ph\n" + "".join(f"{alcohol},{ph}\n" for alcohol, ph in USUAL))
    return path


@pytest.fixture
def model() -> Iterator[EchoModel]:
    """The model server."""
    with EchoModel() as model:
        yield model


def failed(samples: Samples) -> float:
    """How many request payloads were rejected as failed."""
    return samples.total("driftgauge_payloads_total", kind="request", outcome="rejected", reason="failed")


def _send_at_once(port: int, request: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.sendall(request)
        return b"".join(iter(lambda: connection.recv(65536), b""))


@pytest.mark.parametrize("status", [401, 422, 500, 503])
def test_refused_rows_are_not_in_the_window(model: EchoModel, reference: Path, status: int) -> None:
    """240 shifted rows that the model server refused are counted with its code, and set no drift."""
    with Driftgauge("proxy", "--upstream-url", model.url, "--reference", reference, *FLAGS) as proxy:
        ask(proxy.port, body_of(USUAL))
        model.respond_with(status)
        codes = [ask(proxy.port, body_of(SHIFTED))[0] for _ in range(3)]
        proxy.wait_for(lambda s: failed(s) == 3, "three failed requests")
        before = proxy.metrics().total("driftgauge_evaluation_timestamp_seconds")
        samples = proxy.wait_for(
            lambda s: s.total("driftgauge_evaluation_timestamp_seconds") > before, "another evaluation"
        )

    assert [status] * 3 == codes
    assert 240 == samples.total("request_sum", code=str(status))
    assert 3 == samples.total("request_error_count", code=str(status))
    assert 50 == samples.total("driftgauge_window_rows")
    assert 50 == samples.total("driftgauge_rows_total")
    assert 0 == samples.total("driftgauge_drift")
    assert 1 == samples.total("driftgauge_payloads_total", kind="response")


def test_rows_that_never_reached_the_model_are_not_in_the_window(reference: Path) -> None:
    """With the model server down, the proxy's own 502 is counted with its rows, which are not in the window."""
    url = f"http://127.0.0.1:{free_port()}"
    with Driftgauge("proxy", "--upstream-url", url, "--reference", reference, *FLAGS) as proxy:
        # Head and body in one segment: a body that comes after the 502 is counted as incomplete.
        request = post(PATH, body_of(SHIFTED), "Connection: close")
        responses = [_send_at_once(proxy.port, request) for _ in range(3)]
        proxy.wait_for(lambda s: failed(s) == 3, "three failed requests")
        samples = proxy.metrics()  # that scrape may have read the rows before they were counted

    assert [b"HTTP/1.1 502 Bad Gateway"] * 3 == [response.partition(b"\r\n")[0] for response in responses]
    assert 240 == samples.total("request_sum", code="502")
    assert 0 == samples.total("driftgauge_rows_total")
