"""The log in JSON: each line one object, with the ids of the request that it concerns."""

import json
import sys
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from tests.support.agent import Event, post
from tests.support.echo_model import EchoModel
from tests.support.ports import free_port
from tests.support.processes import Child, Driftgauge
from tests.support.waiting import wait_until

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
IDS = {"X-Request-Id": "request-1", "traceparent": f"00-{TRACE}-00f067aa0ba902b7-01"}


def lines(child: Child) -> list[dict[str, object]]:
    """The lines so far, each of which must be a JSON object."""
    return [json.loads(line) for line in child.stderr.splitlines()]


def line_with(child: Child, words: str) -> dict[str, object]:
    """The line whose message has these words, as soon as it is there."""
    return wait_until(
        lambda: next((line for line in lines(child) if words in str(line["message"])), None), f"a line with {words!r}"
    )


def ask(port: int, body: bytes) -> int:
    """The status code of an inference with ids."""
    url = f"http://127.0.0.1:{port}/v1/models/wine:predict"
    try:
        with urlopen(Request(url, body, IDS), timeout=30) as response:
            return int(response.status)
    except HTTPError as error:
        with error:
            return error.code


def test_an_error_of_the_model_server_has_the_ids_of_the_request() -> None:
    """The id of the client's proxy and the trace id, beside the status code."""
    with Driftgauge("proxy", f"--upstream-url=http://127.0.0.1:{free_port()}", "--log-format=json") as proxy:
        status = ask(proxy.port, b"{}")
        line = line_with(proxy, "cannot be reached")

    assert (502, "warning") == (status, line["level"])
    assert ("request-1", TRACE, 502) == (line["request_id"], line["trace_id"], line["status"])
    assert {"time", "level", "logger", "message"} <= set(line)


def test_a_rejected_payload_has_the_ids_of_its_request(tmp_path: Path) -> None:
    """Beside the model and the reason."""
    (tmp_path / "wine.csv").write_text("alcohol\n9.5\n")
    flags = (f"--reference={tmp_path / 'wine.csv'}", "--inference-service=wine", "--log-format=json")
    with EchoModel() as model, Driftgauge("proxy", "--upstream-url", model.url, *flags) as proxy:
        ask(proxy.port, b"[1]")
        line = line_with(proxy, "a request was rejected")

    assert ("request-1", TRACE, "wine") == (line["request_id"], line["trace_id"], line["inference_service"])
    assert {"kind", "reason", "namespace", "component", "model_name"} <= set(line)


def test_an_event_that_cannot_be_used_has_its_id() -> None:
    """KServe's agent takes it from the request."""
    with Driftgauge("logger", "--log-format=json") as logger:
        post(logger.port, Event("request", b"no JSON", "a1", inference_service="wine"))
        line = line_with(logger, "a request was rejected")

    assert ("a1", "wine") == (line["request_id"], line["inference_service"])


@pytest.mark.parametrize("option", ["port", "admin_port"])
def test_a_port_in_use_is_a_line_of_json_too(option: str) -> None:
    """The last line of a process that cannot start, exit code 2."""
    with Driftgauge("logger") as logger:
        ports = {"port": free_port(), "admin_port": free_port()} | {option: getattr(logger, option)}
        flags = [f"--{name.replace('_', '-')}={port}" for name, port in ports.items()]
        with Child([sys.executable, "-m", "driftgauge", "logger", *flags, "--log-format=json"]) as second:
            code = second.wait()
            last = lines(second)[-1]

    assert 2 == code
    assert ("error", True) == (last["level"], str(last["message"]).startswith(f"{option}: cannot listen"))


@pytest.mark.parametrize("source", ["flag", "variable", "file"])
def test_faults_of_the_options_are_lines_of_json_too(tmp_path: Path, source: str) -> None:
    """Each of them, whatever source sets the format."""
    options = tmp_path / "driftgauge.yaml"
    options.write_text("log_format: json\n")
    given = {"flag": ["--log-format=json"], "variable": [], "file": ["--config", str(options)]}[source]
    flags = ["--alpha=7", "--window-rows=none", *given]
    env = {"DRIFTGAUGE_LOG_FORMAT": "json"} if source == "variable" else {}
    with Child([sys.executable, "-m", "driftgauge", "proxy", *flags], env) as child:
        code = child.wait()
        found = lines(child)

    assert 2 == code
    assert [("error", "window_rows"), ("error", "alpha")] == [
        (line["level"], str(line["message"]).split(":")[0]) for line in found
    ]
