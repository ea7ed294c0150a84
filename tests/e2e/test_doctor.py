"""`driftgauge doctor` beside real processes: what it finds, its exit code, and what it must not show."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.agent import Event, post
from tests.support.echo_model import EchoModel
from tests.support.ports import free_port
from tests.support.processes import Driftgauge, get
from tests.support.redis_server import RedisServer
from tests.support.traffic import ask, body_of

RED = Path(__file__).parents[2] / "examples" / "wine" / "red.csv"
ROW = [7.4, 0.7, 0.0, 1.9, 0.076, 11.0, 34.0, 0.9978, 3.51, 0.56, 9.4]


def doctor(*words: str, **env: str) -> subprocess.CompletedProcess[str]:
    """Run the command to its end, without the options of this process."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("DRIFTGAUGE_")}
    return subprocess.run(
        [sys.executable, "-m", "driftgauge", "doctor", *words],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env=own | env,
    )


def findings(done: subprocess.CompletedProcess[str]) -> list[tuple[str, str, str]]:
    """Check, level and sentence of each finding in JSON."""
    return [(one["check"], one["level"], one["sentence"]) for one in json.loads(done.stdout)["findings"]]


def test_a_proxy_that_works_has_no_failure() -> None:
    """The flags are those of the running process, the password comes from the environment, and all is checked."""
    with EchoModel() as model, RedisServer("--requirepass", "hunter2", "--maxmemory", "64mb") as redis:
        secret = {"DRIFTGAUGE_REDIS_PASSWORD": "hunter2"}
        flags = ("--upstream-url", model.url, "--reference", RED, "--inference-service=wine", "--redis-url", redis.url)
        with Driftgauge("proxy", *flags, env=secret) as proxy:
            ask(proxy.port, body_of([ROW]))
            get(f"{proxy.admin_url}/metrics")
            proxy.wait_for(lambda s: s.total("driftgauge_payloads_total", kind="request") == 1, "the payload")
            done = doctor("--admin-port", str(proxy.admin_port), "--format", "json", **secret)
            status = get(f"{proxy.admin_url}/status").decode()

    found = findings(done)
    assert (0, "") == (done.returncode, done.stderr)
    assert not [one for one in found if one[1] == "fail"]
    assert [
        "configuration",
        "reference",
        "model server",
        "model ready",
        "redis",
        "redis version",
        "redis memory",
        "redis write",
        "port",
        "admin_port",
        "process",
        "ready",
        "state",
    ] == [check for check, _, _ in found][:13]
    assert ("payloads", "ok", "1 request accepted") in found
    assert "hunter2" not in done.stdout + status


def test_a_flag_with_an_at_sign_is_checked_as_the_process_has_it(tmp_path: Path) -> None:
    """A folder of a version, and the URL of a Redis with a user."""
    folder = tmp_path / "x@v2"
    folder.mkdir()
    url = f"redis://bob@127.0.0.1:{free_port()}"
    with Driftgauge("logger", "--reference-dir", folder, "--redis-url", url) as logger:
        found = findings(doctor("--admin-port", str(logger.admin_port), "--format", "json"))

    assert ("reference", "warn", f"{folder} has no files: file <inference_service>.csv there") in found
    assert [("redis", "fail")] == [(check, level) for check, level, _ in found if check.startswith("redis")]


def test_a_password_in_a_flag_is_hidden_and_what_depends_on_it_is_not_checked() -> None:
    """The name of the flag is a warning: a check of the defaults would say something untrue."""
    url = f"rediss://127.0.0.1:{free_port()}?ssl_password=hunter2"
    with Driftgauge("logger", "--redis-url", url) as logger:
        found = findings(doctor("--admin-port", str(logger.admin_port), "--format", "json"))
        status = json.loads(get(f"{logger.admin_url}/status"))

    assert ["redis_url"] == status["flags_hidden"]
    assert "hunter2" not in str((status, found))
    assert [("configuration", "warn")] == [one[:2] for one in found if "--redis-url" in one[2]]
    assert not [check for check, _, _ in found if check.startswith("redis")]


def test_a_logger_lists_the_events_of_each_service(tmp_path: Path) -> None:
    """One line for each finding, and a summary; its file of options is found without being named."""
    options = tmp_path / "driftgauge.yaml"
    options.write_text(f"reference_dir: {RED.parent}\n")
    with Driftgauge("logger", "--config", options) as logger:
        post(logger.port, Event("request", body_of([ROW]), "a1", inference_service="red"))
        done = doctor(DRIFTGAUGE_ADMIN_PORT=str(logger.admin_port))

    lines = done.stdout.splitlines()
    valid = "the options of driftgauge logger are valid as the running process was started"
    assert 0 == done.returncode
    assert f"ok    configuration: {valid}, file {options}" == lines[0]
    assert any(line.startswith("ok    events: ") and line.endswith("red: 1 request") for line in lines)
    assert lines[-1].endswith(", 0 failures")


def test_a_failure_is_exit_code_1() -> None:
    """Before the start: no model server, and a wrong option; every fault is a line."""
    port = str(free_port())
    away = doctor("--admin-port", port, "--upstream-url", f"http://127.0.0.1:{free_port()}")
    wrong = doctor("--admin-port", port, "--alpha", "7", "--min-rows", "9000", DRIFTGAUGE_PROT="1")

    assert (1, 1) == (away.returncode, wrong.returncode)
    assert "fail  model server: " in away.stdout
    assert 3 == sum(line.startswith("fail  configuration: ") for line in wrong.stdout.splitlines())


@pytest.mark.parametrize("words", [("--mode", "proxi"), ("--formt", "json"), ("stray",)])
def test_wrong_arguments_are_exit_code_2(words: tuple[str, ...]) -> None:
    """With the usage of doctor."""
    done = doctor(*words)

    assert 2 == done.returncode
    assert done.stderr.startswith("usage: driftgauge doctor ")


def test_flags_of_ones_own_are_checked_instead_of_the_processs(tmp_path: Path) -> None:
    """As before a change: the process is looked at all the same."""
    options = tmp_path / "driftgauge.yaml"
    options.write_text(f"reference: {tmp_path / 'none.csv'}\n")
    with Driftgauge("logger", "--reference-dir", RED.parent) as logger:
        ports = {"DRIFTGAUGE_PORT": str(logger.port), "DRIFTGAUGE_ADMIN_PORT": str(logger.admin_port)}
        done = doctor("--mode", "logger", "--config", str(options), **ports)

    lines = done.stdout.splitlines()
    assert f"ok    configuration: the options of driftgauge logger are valid, file {options}" == lines[0]
    assert f"fail  reference: {tmp_path / 'none.csv'}: there is no such file" in lines
    assert f"ok    port: {logger.port} is used by the running driftgauge" in lines
    assert 1 == done.returncode
