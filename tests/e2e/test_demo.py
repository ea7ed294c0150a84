"""The demo as a person starts it: every mode ends by itself, judges rightly, and leaves nothing behind."""

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

ROOT = Path(__file__).parents[2]
LIMIT_SECONDS = 110
"""Under the limit of a test; the demo promises two minutes and takes a fraction."""


@contextmanager
def demo(*flags: str) -> Iterator[subprocess.Popen[str]]:
    """The demo as a child, killed if the test leaves it running."""
    with subprocess.Popen(
        [sys.executable, "-u", "-m", "examples.demo", *flags],
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
    """Addresses of the output at which something still listens."""
    urls = set(re.findall(r"http://127\.0\.0\.1:\d+", output))
    assert len(urls) == 3, "the model server, the data port and the admin port are told"
    return sorted(url for url in urls if listens(urlsplit(url).port))


def listens(port: int | None) -> bool:
    """Whether a connection to a port of this machine is taken."""
    with socket.socket() as probe:
        return not probe.connect_ex(("127.0.0.1", port))


def read_until(child: subprocess.Popen[str], words: str) -> str:
    """The output up to and with the line that has these words."""
    assert child.stdout is not None
    lines: list[str] = []
    for line in child.stdout:
        lines.append(line)
        if words in line:
            return "".join(lines)
    raise AssertionError(f"The demo ended without saying {words!r}:\n" + "".join(lines))


@pytest.mark.parametrize("flags", [(), ("--redis",), ("--logger",), ("--logger", "--redis")], ids=" ".join)
def test_demo_ends_well(flags: tuple[str, ...]) -> None:
    """Red against red is no drift, white is in all features; requests are counted without errors; nothing is left."""
    with demo(*flags) as child:
        output, _ = child.communicate(timeout=LIMIT_SECONDS)

    assert 0 == child.returncode, output
    assert "599/599 0 of 11 features drift" in output
    assert "1000/1000 11 of 11 features drift" in output
    assert re.search(r"total_sulfur_dioxide +0\.021 +0\.790 .* ok -> drift", output)
    assert re.search(r"^request_count +200$", output, re.MULTILINE)
    assert re.search(r"^request_error_count +0$", output, re.MULTILINE)
    assert re.search(r"p50 [\d.]+ ms, p99 [\d.]+ ms$", output, re.MULTILINE)
    assert [] == still_open(output)


def test_kept_demo_stays_until_it_is_interrupted() -> None:
    """With `--keep` everything is up after the verdict, `/drift` too; Ctrl-C is a good end, and ends all programs."""
    with demo("--keep") as child:
        output = read_until(child, "until Ctrl-C")
        up = still_open(output)
        address = re.search(r"http://127\.0\.0\.1:\d+/drift", output)
        assert address is not None
        with urllib.request.urlopen(address[0]) as response:  # noqa: S310 an address of this machine
            report = response.read()
        child.send_signal(signal.SIGINT)
        rest, _ = child.communicate(timeout=LIMIT_SECONDS)

    assert 3 == len(up)
    assert b"total_sulfur_dioxide" in report
    assert 0 == child.returncode, output + rest
    assert [] == still_open(output)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_demo_ends_its_programs(number: signal.Signals) -> None:
    """Interrupted in the middle it ends with 130, no traceback, and nothing left."""
    with demo() as child:
        output = read_until(child, "/metrics")
        child.send_signal(number)
        rest, _ = child.communicate(timeout=LIMIT_SECONDS)

    assert 130 == child.returncode, output + rest
    assert "Traceback" not in rest
    assert [] == still_open(output)


def test_program_that_dies_is_shown() -> None:
    """When the model server is killed in the middle the demo says so with exit code 1, and leaves nothing."""
    with demo() as child:
        output = read_until(child, "/metrics")
        os.kill(model_server_of(child.pid), signal.SIGKILL)
        rest, _ = child.communicate(timeout=LIMIT_SECONDS)

    assert 1 == child.returncode, output + rest
    assert "The model server ended with signal SIGKILL, which it should not." in rest
    assert "Traceback" not in rest
    assert [] == still_open(output)


def model_server_of(demo_pid: int) -> int:
    """The process id of the model server that this demo started."""
    for pid in map(int, Path(f"/proc/{demo_pid}/task/{demo_pid}/children").read_text().split()):
        if b"examples.demo.model_server" in Path(f"/proc/{pid}/cmdline").read_bytes():
            return pid
    raise AssertionError("The demo has no model server.")
