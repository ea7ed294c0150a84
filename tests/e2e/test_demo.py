"""The demo as a person starts it: every mode ends by itself, with the right verdicts, and stops all its programs."""

import os
import re
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.support.ports import free_ports_in_a_row

ROOT = Path(__file__).parents[2]
LIMIT_SECONDS = 110
"""Below the time limit of a test; the demo needs a fraction of it."""


@contextmanager
def demo(*flags: str) -> Iterator[subprocess.Popen[str]]:
    """The demo as a child process on free ports, terminated if the test leaves it running."""
    port = str(free_ports_in_a_row(5))
    with subprocess.Popen(
        [sys.executable, "-u", "-m", "examples.demo", "--port", port, *flags],
        cwd=ROOT,
        env=os.environ | {"COLUMNS": "80", "TERM": "dumb"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as child:
        try:
            yield child
        finally:
            child.terminate()


def still_open(output: str) -> list[str]:
    """Addresses in the output on which something still listens."""
    urls = set(re.findall(r"http://127\.0\.0\.1:\d+", output))
    assert len(urls) == 4, "the model server, the data port, the admin port and the port of labels are printed"
    return sorted(url for url in urls if listens(urlsplit(url).port))


def listens(port: int | None) -> bool:
    """Whether a port of this machine accepts a connection."""
    with socket.socket() as probe:
        return not probe.connect_ex(("127.0.0.1", port))


def read_until(child: subprocess.Popen[str], words: str) -> str:
    """The output up to and including the line that has these words."""
    assert child.stdout is not None
    lines: list[str] = []
    for line in child.stdout:
        lines.append(line)
        if words in line:
            return "".join(lines)
    raise AssertionError(f"The demo ended without printing {words!r}:\n" + "".join(lines))


def expect_verdicts(output: str, *, redis: bool = False) -> None:
    """Red wines are no drift, nor is a batch of wines that are alike; white wines are drift in all of them.

    With Redis, the last window has only the white wines since Redis was lost.
    """
    assert "599/599 0 of 11 features, 0 of 1 predictions drift" in output
    assert "250/250 0 of 11 features, 0 of 1 predictions drift" in output
    assert re.search(r"Drift was found after at most \d+ white wines:\n +Drift in 1[01] of 11 features; ", output)
    assert "1000/1000 11 of 11 features, 1 of 1 predictions drift" in output
    sulfur, quality = (r"0\.[78]\d\d", r"0\.[23]\d\d") if redis else (r"0\.790", r"0\.284")
    assert re.search(rf"total_sulfur_dioxide +0\.021 +{sulfur} .* ok -> drift", output)
    assert re.search(rf"prediction quality +0\.048 +{quality} .* ok -> drift", output)
    assert re.search(r"^request_count +201$", output, re.MULTILINE)
    assert re.search(r"^request_error_count +0$", output, re.MULTILINE)
    assert re.search(r"p50 [\d.]+ ms, p99 [\d.]+ ms$", output, re.MULTILINE)
    assert "1198/1198 performance ok, concept ok" in output
    assert "1198/1198 performance drift, concept drift" in output


def expect_outage(output: str) -> None:
    """The terminal says that Redis was lost but no request, how many rows were, and that the verdict is back."""
    assert re.search(r"Half-way, Redis was killed\. It started again, empty, \d+\.\d s later\.", output)
    assert re.search(r"No request failed: \d+ were sent meanwhile, and each got its response\.", output)
    lost = re.search(r"(\d+) wines could not be stored, and all of them are counted as dropped\.", output)
    kept = re.search(r"^driftgauge_rows_total +(\d+)$", output, re.MULTILINE)
    assert lost
    assert kept
    assert 599 + 250 + 1000 == int(lost[1]) + int(kept[1])
    assert int(lost[1]) > 0
    assert re.search(r"The verdict was back \d+\.\d s after Redis: drift\.", output)


@pytest.mark.parametrize("flags", [(), ("--redis",), ("--logger",)], ids=" ".join)
def test_demo_ends_well(flags: tuple[str, ...]) -> None:
    """Red wines are no drift, nor is a batch of wines that are alike; white wines are, and so is another taste."""
    with demo(*flags) as child:
        output, _ = child.communicate(timeout=LIMIT_SECONDS)

    assert 0 == child.returncode, output
    expect_verdicts(output, redis="--redis" in flags)
    if "--redis" in flags:
        expect_outage(output)
    assert [] == still_open(output)


def test_kept_demo_stays_until_it_is_interrupted() -> None:
    """With `--keep` everything runs on after the same verdicts; Ctrl-C then stops all programs, with exit code 0."""
    with demo("--logger", "--redis", "--keep") as child:
        output = read_until(child, "until Ctrl-C")
        up = still_open(output)
        address = re.search(r"http://127\.0\.0\.1:\d+/drift", output)
        assert address is not None
        with urllib.request.urlopen(address[0]) as response:  # noqa: S310 an address of this machine
            report = response.read()
        child.send_signal(signal.SIGINT)
        rest, _ = child.communicate(timeout=LIMIT_SECONDS)

    expect_verdicts(output, redis=True)
    assert 4 == len(up)
    assert b"total_sulfur_dioxide" in report
    assert 0 == child.returncode, output + rest
    assert [] == still_open(output)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_demo_stops_its_programs(number: signal.Signals) -> None:
    """An interrupted demo exits with 130, without a traceback, and stops all its programs."""
    with demo() as child:
        output = read_until(child, "the model listens")
        child.send_signal(number)
        rest, _ = child.communicate(timeout=LIMIT_SECONDS)

    assert 130 == child.returncode, output + rest
    assert "Traceback" not in rest
    assert [] == still_open(output)


def test_killed_program_is_reported() -> None:
    """If the model server is killed, the demo prints that, exits with 1, and stops all its programs."""
    with demo() as child:
        output = read_until(child, "the model listens")
        os.kill(model_server_of(child.pid), signal.SIGKILL)
        rest, _ = child.communicate(timeout=LIMIT_SECONDS)

    assert 1 == child.returncode, output + rest
    assert "The model server ended unexpectedly with signal SIGKILL." in rest
    assert "Traceback" not in rest
    assert [] == still_open(output)


def test_taken_port_is_one_sentence() -> None:
    """If another program listens on a port, the demo names both and a remedy in one line, and exits with 1."""
    with demo() as first:
        output = read_until(first, "the model listens")
        taken = re.search(r"http://127\.0\.0\.1:(\d+)/", output)
        assert taken is not None
        with demo("--port", taken[1]) as second:
            refused, _ = second.communicate(timeout=LIMIT_SECONDS)

    assert 1 == second.returncode
    assert re.fullmatch(
        rf"Port {taken[1]} is taken by process \d+ \(.*\): stop it, or use .* `make demo PORT=\d+`\.",
        refused.splitlines()[-1],
    )


def model_server_of(demo_pid: int) -> int:
    """The process id of the model server that this demo started."""
    for pid in map(int, Path(f"/proc/{demo_pid}/task/{demo_pid}/children").read_text().split()):
        if b"examples.demo.model_server" in Path(f"/proc/{pid}/cmdline").read_bytes():
            return pid
    raise AssertionError("The demo has no model server.")
