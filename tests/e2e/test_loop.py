"""The loop as a person starts it: drift leads to a new model, or the exit code is 1; it stops all its programs."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.e2e.test_demo import listens, read_until
from tests.support.ports import free_ports_in_a_row

ROOT = Path(__file__).parents[2]
COUNT = 12
LIMIT_SECONDS = 330
"""More than the limit of the example itself, which ends it with a sentence."""

pytestmark = [pytest.mark.long, pytest.mark.timeout(LIMIT_SECONDS + 30)]


@contextmanager
def loop(first: int, *flags: str) -> Iterator[subprocess.Popen[str]]:
    """The example as a child process on free ports, terminated if the test leaves it running."""
    with subprocess.Popen(
        [sys.executable, "-u", "-m", "examples.retrain", "--port", str(first), *flags],
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


def still_open(first: int) -> list[int]:
    """The ports of the example on which something still listens."""
    return [port for port in range(first, first + COUNT) if listens(port)]


def program_of(pid: int, module: str) -> int:
    """The process id of a program that the example has started."""
    for child in map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split()):
        if module.encode() in Path(f"/proc/{child}/cmdline").read_bytes():
            return child
    raise AssertionError(f"The example has no {module}.")


def test_drift_leads_to_a_new_model_that_is_quiet() -> None:
    """All five steps happen, in order; the new model has a smaller error, all requests, and no alarm."""
    first = free_ports_in_a_row(COUNT)
    with loop(first) as child:
        output, _ = child.communicate(timeout=LIMIT_SECONDS)

    assert 0 == child.returncode, output
    assert ["1. Detect", "2. Alert", "3. Diagnose", "4. Retrain", "5. Deploy"] == re.findall(
        r"^\d\. \w+$", output, re.MULTILINE
    )
    assert re.search(r"^  io\.driftgauge\.(performance|concept)\.detected$", output, re.MULTILINE)
    assert re.search(r"^infrastructure +0 of \d+ requests failed$", output, re.MULTILINE)
    assert re.search(r"^data +ok: No drift in 11 features\.$", output, re.MULTILINE)
    exported = re.search(r"^export: (\d+) wines with labels since 20", output, re.MULTILINE)
    assert exported
    assert int(exported[1]) >= 400
    assert "driftgauge compare --fail-on errors,latency,accuracy: exit code 0" in output
    smaller = re.search(r"Its mean error is (\d\.\d\d) grades smaller", output)
    assert smaller
    assert float(smaller[1]) > 0.1
    assert re.search(r"\d+ wines later: data ok, performance ok, concept ok\.\n(.+\n)+\nThe loop is closed", output)
    assert [] == still_open(first)


def test_a_step_that_cannot_happen_is_exit_code_1() -> None:
    """Without the receiver there is no retraining: the example says so and stops everything."""
    first = free_ports_in_a_row(COUNT)
    with loop(first) as child:
        output = read_until(child, "labels go to")
        os.kill(program_of(child.pid, "examples.retrain.receiver"), signal.SIGKILL)
        rest, _ = child.communicate(timeout=LIMIT_SECONDS)

    assert 1 == child.returncode, output + rest
    assert "The receiver ended unexpectedly with signal SIGKILL." in rest
    assert "Traceback" not in rest
    assert [] == still_open(first)


def test_an_interrupted_loop_stops_its_programs() -> None:
    """In the middle of a retraining it exits with 130, without a traceback, and nothing runs on."""
    first = free_ports_in_a_row(COUNT)
    with loop(first) as child:
        output = read_until(child, "3. Diagnose")
        pid = program_of(child.pid, "examples.retrain.receiver")
        started = [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
        child.send_signal(signal.SIGINT)
        rest, _ = child.communicate(timeout=LIMIT_SECONDS)

    assert 130 == child.returncode, output + rest
    assert "Traceback" not in rest
    assert [] == still_open(first)
    assert [] == [one for one in started if Path(f"/proc/{one}/cmdline").exists()]
