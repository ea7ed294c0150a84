"""Every command of the documents that can run here is run, as a reader types it, beside a real process.

The files that the commands name are made from the wines of examples/wine. Ports and the mounted directory are replaced;
everything else is the text of the page.
"""

import csv
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from tests.support.echo_model import EchoModel
from tests.support.markdown_blocks import ROOT
from tests.support.parts import program
from tests.support.ports import free_port
from tests.support.processes import Child, Driftgauge, get
from tests.support.shell_commands import Command, all_commands
from tests.support.traffic import body_of, wrong_responses
from tests.support.waiting import wait_until

WINES = ROOT / "examples" / "wine"
RUNNABLE = {command.text: command for command in reversed(all_commands()) if not command.inline}.values()
"""Each text once, at the first place where it stands."""


def of_kind(pattern: str) -> list[Command]:
    """The commands that match a pattern from their start."""
    return [command for command in RUNNABLE if re.match(pattern, command.text)]


ONCE = of_kind(r"driftgauge (check|options|reference (build|show))\b")
SERVERS = of_kind(r"driftgauge (proxy|logger)\b")
CAPTURES = of_kind(r"driftgauge reference capture\b")
EXPORTS = of_kind(r"driftgauge export\b")
CURLS = of_kind(r"curl (?!--cacert)")  # tests/e2e/test_tls_and_tokens.py runs those with TLS
FIRST_LABELS = sorted(of_kind(r"curl .*(Ce-Id: order-4711|order-4711,6)"), key=str)  # an inference, then its label
PROBES = of_kind(r"(kubectl exec .* -- )?driftgauge (doctor|healthcheck)\b")
STREAMS = of_kind(r"tail .*\bxargs\b.*\bcurl\b")


@dataclass(frozen=True)
class Stage:
    """A directory with the files of the documents, and a proxy with a full window in front of an echoing model.

    Args:
        directory: The working directory of the commands.
        proxy: The process; its InferenceService is `wine` in `prod`.
        labels_port: The port that it takes labels on.
    """

    directory: Path
    proxy: Driftgauge
    labels_port: int

    def run(self, text: str, replies: str = "") -> subprocess.CompletedProcess[str]:
        """Run a command in a shell to its end; its paths and ports become those of the stage."""
        here = text.replace("/mnt/reference", str(self.directory / "mounted"))
        ports = (("9464", self.proxy.admin_port), ("8080", self.proxy.port), ("9465", self.labels_port))
        for port, real in ports:
            here = re.sub(rf"\b(localhost|127\.0\.0\.1):{port}", f"127.0.0.1:{real}", here)
        return subprocess.run(
            ["bash", "-o", "pipefail", "-c", here],
            cwd=self.directory,
            env=environment(self.directory),
            input=replies,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )


def environment(directory: Path) -> dict[str, str]:
    """The variables of a command: `driftgauge` is the one of this checkout, and no option is set."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("DRIFTGAUGE_") and name != "PORT"}
    return own | {"PATH": f"{directory / 'bin'}:{own['PATH']}", "PYTHONPATH": str(ROOT / "sidecar")}


def write_files(directory: Path) -> None:
    """The files that commands of the documents name, with more columns than some need."""
    (directory / "examples").symlink_to(ROOT / "examples")
    (directory / "bin").mkdir()
    (directory / "bin" / "driftgauge").write_text(f'#!/bin/sh\nexec {sys.executable} -m driftgauge "$@"\n')
    (directory / "bin" / "driftgauge").chmod(0o755)
    (directory / "mounted").mkdir()
    (directory / "mounted" / "wine.csv").write_bytes((WINES / "red.csv").read_bytes())
    with (WINES / "red.csv").open() as file:
        names, *rows = csv.reader(file)
    more: dict[str, Callable[[int], str]] = {
        "quality": lambda row: str(row % 6 + 3),
        "grade": lambda row: str(row % 7 % 6 + 3),
        "zip": lambda row: str(94100 + row % 7),
        "shop": lambda row: str(row % 5),
        "ts": lambda row: f"2026-01-{row // 48 + 1:02}T{row % 48 // 2:02}:{row % 2 * 30:02}",
    }
    table = [[*names, *more], *([*row, *(make(number) for make in more.values())] for number, row in enumerate(rows))]
    for name in ("training.csv", "sales.csv", "scored.csv"):
        with (directory / name).open("w", newline="") as file:
            csv.writer(file).writerows(table)
    pandas = pytest.importorskip("pandas")
    pandas.read_csv(directory / "training.csv").to_parquet(directory / "training.parquet")


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """The stage, when a window has been evaluated, and a prediction has its label."""
    with staged(tmp_path_factory.mktemp("documents")) as stage:
        for command in FIRST_LABELS:
            assert 0 == stage.run(command.text).returncode
        stage.proxy.wait_for(lambda found: found.total("driftgauge_labels_total", outcome="matched") > 0, "a label")
        yield stage


@contextmanager
def staged(directory: Path) -> Iterator[Stage]:
    """A stage in a directory, when a window has been evaluated."""
    write_files(directory)
    rows = np.loadtxt(WINES / "red_stream.csv", delimiter=",", skiprows=1)[:250].tolist()
    flags = ("--allow-capture=true", "--evaluation-interval-seconds=0.2", "--flush-interval-seconds=0.02")
    identity = {"DRIFTGAUGE_NAMESPACE": "prod", "DRIFTGAUGE_INFERENCE_SERVICE": "wine"}
    labels_port = free_port()
    more = (f"--reference={WINES / 'red.csv'}", f"--labels-port={labels_port}")
    with (
        EchoModel() as model,
        Driftgauge("proxy", f"--upstream-url={model.url}", *more, *flags, env=identity) as proxy,
    ):
        assert [] == wrong_responses(proxy.port, [body_of([row]) for row in rows])
        proxy.wait_for(lambda found: found.total("driftgauge_window_rows") == len(rows), "a full window")
        stage = Stage(directory, proxy, labels_port)
        assert 0 == stage.run("driftgauge reference build examples/wine/red.csv -o wine.npz").returncode
        export = "driftgauge export --inference-service wine -o rows.parquet --admin-url http://127.0.0.1:9464"
        wait_until(lambda: stage.run(export).returncode == 0, "an export of the responses")
        yield stage


@pytest.mark.parametrize("command", ONCE, ids=map(str, ONCE))
def test_it_ends_without_a_fault(command: Command, stage: Stage) -> None:
    """Exit code 0, or 1 from `check`, which is drift; nothing on standard error but progress."""
    done = stage.run(command.text)

    assert done.returncode in ({0, 1} if " check " in command.text else {0}), done.stdout + done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("command", SERVERS, ids=map(str, SERVERS))
def test_a_server_starts(command: Command, stage: Stage) -> None:
    """Both ports are open, whether or not the model server and the Redis of the page are there."""
    data, admin = free_port(), free_port()
    words = [word.replace("/mnt/reference", str(stage.directory / "mounted")) for word in command.programs[0][1:]]
    ports = {
        "DRIFTGAUGE_PORT": str(data),
        "DRIFTGAUGE_ADMIN_PORT": str(admin),
        "DRIFTGAUGE_DRAIN_DELAY_SECONDS": "0",
    }
    hidden = [name for name in os.environ if name.startswith("DRIFTGAUGE_")]
    with Child([sys.executable, "-m", "driftgauge", *words], ports, hidden=hidden) as child:
        child.await_response(f"http://127.0.0.1:{admin}/healthz")
        child.await_port(data)


@pytest.mark.parametrize("command", CAPTURES, ids=map(str, CAPTURES))
def test_a_window_is_captured(command: Command, stage: Stage) -> None:
    """The rows of the process are written after a yes; two weeks are shortened to a second."""
    text = re.sub(r"--for \w+", "--for 1s", command.text)
    done = stage.run(f"{text} --admin-url http://127.0.0.1:9464 --yes")

    assert 0 == done.returncode, done.stdout + done.stderr
    (rows,) = re.findall(r": (\d+) rows, sha256 ", done.stdout)
    assert int(rows) >= 250  # other commands of the documents may have sent rows before


@pytest.mark.parametrize("command", EXPORTS, ids=map(str, EXPORTS))
def test_rows_are_exported(command: Command, stage: Stage) -> None:
    """The rows of the process are written with their predictions."""
    done = stage.run(f"{command.text} --admin-url http://127.0.0.1:9464")

    assert 0 == done.returncode, done.stdout + done.stderr
    assert "columns: 11 features, 1 predictions" in done.stdout


@pytest.mark.parametrize("command", CURLS, ids=map(str, CURLS))
def test_the_port_responds(command: Command, stage: Stage) -> None:
    """Curl gets a response, and the filter behind it finds lines."""
    program("curl")
    done = stage.run(re.sub(r"^curl ", "curl --fail --silent --show-error ", command.text))

    assert 0 == done.returncode, done.stdout + done.stderr
    written = re.search(r" -o (\S+) ", command.text)
    assert done.stdout.strip() or (written is not None and (stage.directory / written[1]).stat().st_size)


@pytest.mark.parametrize("command", PROBES, ids=map(str, PROBES))
def test_a_probe_finds_the_process(command: Command, stage: Stage) -> None:
    """Each command that asks a running process, also inside of its container, says what it found: no failure."""
    inside = command.text.rpartition(" -- ")[2]
    done = stage.run(f"DRIFTGAUGE_ADMIN_PORT={stage.proxy.admin_port} {inside}")

    assert 0 == done.returncode, done.stdout + done.stderr


def test_every_path_of_the_admin_port_responds(stage: Stage) -> None:
    """The table of docs/metrics.md has every route, and a GET of each succeeds; of `/compare` there is one revision."""
    routes = re.findall(r'web\.get\("(/[\w]*)', (ROOT / "sidecar/driftgauge/admin/server.py").read_text())
    section = (ROOT / "docs" / "metrics.md").read_text().partition("## Labels")[0]
    paths = re.findall(r"`(/[^`<]*)`", "".join(re.findall(r"^\| `.*? \|", section, re.MULTILINE)))

    assert set(routes) == {re.sub(r"(?<=.)/[^/]*\.json$|(?<=.)/$", "", path.partition("?")[0]) for path in paths}
    assert all(get(stage.proxy.admin_url + path) for path in paths if not path.startswith("/compare"))


@pytest.mark.parametrize("command", STREAMS, ids=map(str, STREAMS))
def test_a_stream_becomes_a_verdict(command: Command, tmp_path: Path) -> None:
    """After 50 of the red wines of the command the state is ok; after 150 white ones in their place it is drift."""
    program("curl")
    for colour, lines in (("red", 51), ("white", 151)):
        wines = (WINES / f"{colour}_stream.csv").read_text().splitlines(keepends=True)
        (tmp_path / f"{colour}_stream.csv").write_text("".join(wines[:lines]))
    few = command.text.replace("examples/wine/", "")
    with staged(tmp_path) as stage:
        assert 0 == stage.run(few).returncode
        stage.proxy.wait_for(lambda found: found.total("driftgauge_state", state="ok") == 1, "the state ok")
        assert 0 == stage.run(few.replace("red_stream", "white_stream")).returncode
        stage.proxy.wait_for(lambda found: found.total("driftgauge_state", state="drift") == 1, "the state drift")


def test_each_kind_has_commands() -> None:
    """The documents have commands that end, servers, captures, and requests to the admin port."""
    assert all((ONCE, SERVERS, CAPTURES, EXPORTS, CURLS, STREAMS, PROBES))
    assert "outcomes.md" in {command.page.name for command in CURLS}  # a runbook
