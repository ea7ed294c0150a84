"""Bodies that need a long call are decoded in a child process of the real proxy, which may die without harm."""

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.echo_model import EchoModel
from tests.support.processes import Driftgauge
from tests.support.scrape import Samples
from tests.support.traffic import wrong_responses
from tests.support.waiting import wait_until

_ROWS = 20_000
_LONG = json.dumps({"instances": [[index / 8, ["red", "white"][index % 2]] for index in range(_ROWS)]}).encode()


@pytest.fixture
def model() -> Iterator[EchoModel]:
    """The model server."""
    with EchoModel() as model:
        yield model


@pytest.fixture
def flags(model: EchoModel, tmp_path: Path) -> tuple[str, ...]:
    """The options of the proxy: a reference with a number and a category."""
    reference = tmp_path / "wine.csv"
    reference.write_text("alcohol,colour\n" + "9.5,red\n10.5,white\n" * 50)
    return (
        f"--upstream-url={model.url}",
        f"--reference={reference}",
        "--flush-interval-seconds=0.02",
        "--drain-delay-seconds=0",
    )


def children(pid: int) -> list[int]:
    """The ids of the child processes of a process."""
    tasks = Path(f"/proc/{pid}/task").iterdir()
    return [int(child) for task in tasks for child in (task / "children").read_text().split()]


def payloads(samples: Samples, **labels: str) -> float:
    """How many request payloads ended in a way."""
    return samples.total("driftgauge_payloads_total", kind="request", **labels)


def test_long_body_of_text_is_decoded_in_a_child(flags: tuple[str, ...]) -> None:
    """Its newest rows are in the window, and the child has a limit of memory and none of the options."""
    with Driftgauge("proxy", *flags, "--window-rows=500") as proxy:
        assert children(proxy.pid) == []
        assert wrong_responses(proxy.port, [_LONG]) == []
        samples = proxy.wait_for(lambda s: payloads(s) == 1, "one payload")
        (child,) = children(proxy.pid)
        limits = Path(f"/proc/{child}/limits").read_text()
        variables = Path(f"/proc/{child}/environ").read_bytes()

    assert payloads(samples, outcome="accepted") == 1
    assert samples.total("driftgauge_rows_total") == _ROWS
    (data_size,) = (line for line in limits.splitlines() if line.startswith("Max data size"))
    assert "unlimited" not in data_size
    assert b"DRIFTGAUGE_" not in variables


def test_killed_child_loses_at_most_its_payload(flags: tuple[str, ...]) -> None:
    """Every response is right, the payload of a killed child is counted, and the next one has a new child."""
    with Driftgauge("proxy", *flags) as proxy:
        assert wrong_responses(proxy.port, [_LONG]) == []
        (first,) = wait_until(lambda: children(proxy.pid), "a child")
        os.kill(first, signal.SIGKILL)
        assert wrong_responses(proxy.port, [_LONG, _LONG]) == []
        samples = proxy.wait_for(lambda s: payloads(s) == 3, "three payloads")
        (second,) = children(proxy.pid)

    assert first != second
    assert payloads(samples, outcome="accepted") + payloads(samples, reason="too_complex") == 3
    assert payloads(samples, outcome="accepted") >= 2


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_child_ends_with_the_proxy(flags: tuple[str, ...], number: signal.Signals) -> None:
    """No process is left when the proxy has ended by a signal, or was killed."""
    with Driftgauge("proxy", *flags) as proxy:
        assert wrong_responses(proxy.port, [_LONG]) == []
        (child,) = wait_until(lambda: children(proxy.pid), "a child")
        os.kill(proxy.pid, number)
        wait_until(lambda: not Path(f"/proc/{child}/cmdline").exists(), "the end of the child")
