"""docs/cli.md has every command, and its examples run."""

import argparse
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from driftgauge.cli.arguments import make_parser
from tests.support.echo_model import EchoModel
from tests.support.ports import free_port
from tests.support.processes import Child, Driftgauge
from tests.support.shell_commands import commands as page_commands
from tests.support.traffic import body_of, wrong_responses

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "cli.md").read_text()
TYPED = [command.text for command in page_commands(ROOT / "docs" / "cli.md") if not command.inline]
EXAMPLES = [text.removeprefix("driftgauge ") for text in TYPED if re.match(r"driftgauge (?!completion)", text)]
SERVERS = [line for line in EXAMPLES if line.split()[0] in {"proxy", "logger"}]
BESIDE = [
    line
    for line in EXAMPLES
    if line.startswith(("doctor", "healthcheck", "reference capture", "labels post", "export", "compare"))
    or "driftgauge:time" in line  # it reads what `export` writes
]
FILES = [line for line in EXAMPLES if line not in SERVERS + BESIDE]
CODES = {"check examples/wine/red.csv examples/wine/white_stream.csv": 1}
ROW = [7.4, 0.7, 0.0, 1.9, 0.076, 11.0, 34.0, 0.9978, 3.51, 0.56, 9.4]


def commands(parser: argparse.ArgumentParser, above: str = "") -> Iterator[str]:
    """The full names of the commands that have no commands of their own."""
    inner = [action for action in parser._actions if isinstance(action, argparse._SubParsersAction)]  # noqa: SLF001 - argparse has no public list
    for action in inner:
        for name, other in action.choices.items():
            yield from commands(other, f"{above} {name}".strip())
    if not inner:
        yield above


def run(line: str, folder: Path, **env: str) -> subprocess.CompletedProcess[str]:
    """Run an example to its end."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("DRIFTGAUGE_")}
    return subprocess.run(
        [sys.executable, "-m", "driftgauge", *shlex.split(line)],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
        env=own | env,
    )


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A folder with the examples, as in a clone."""
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    return tmp_path


def test_every_command_is_in_the_table_and_has_an_example() -> None:
    """The completion alone has those of its shells."""
    named = set(re.findall(r"^\| \[`([a-z ]+)`\]", TEXT, re.MULTILINE))
    known = set(commands(make_parser()))
    shown = {name for name in known for line in EXAMPLES if f"{line} ".startswith(f"{name} ")}

    assert known == named
    assert known - {"completion"} == shown
    assert {"bash", "zsh", "fish"} == set(re.findall(r"driftgauge completion (\w+)", TEXT))


def test_the_examples_on_files_run(clone: Path) -> None:
    """In their order, each with the exit code of its verdict."""
    for line in FILES:
        code = next((code for start, code in CODES.items() if line.startswith(start)), 0)
        done = run(line, clone)

        assert (code, "") == (done.returncode, done.stderr), line
    assert (clone / "report.html").read_text().startswith("<!doctype html>")


@pytest.mark.parametrize("line", SERVERS)
def test_the_servers_start(line: str, clone: Path) -> None:
    """With their example's flags, on other ports; SIGTERM ends them with 0."""
    port, admin_port = str(free_port()), str(free_port())
    flags = ("--port", port, "--admin-port", admin_port, "--drain-delay-seconds", "0")
    with Child([sys.executable, "-m", "driftgauge", *shlex.split(line), *flags], cwd=clone) as server:
        server.await_response(f"http://127.0.0.1:{admin_port}/healthz")
        code = server.terminate()

    assert 0 == code


def test_the_examples_beside_a_process_run(clone: Path) -> None:
    """The ports come from the environment, and for `capture` and `labels post` from a flag."""
    labels_port = free_port()
    flags = ("--reference", ROOT / "examples" / "wine" / "red.csv", "--inference-service=wine", "--allow-capture=true")
    with (
        EchoModel() as model,
        Driftgauge(
            "proxy", "--upstream-url", model.url, *flags, "--min-rows=5", "--labels-port", str(labels_port)
        ) as proxy,
    ):
        assert [] == wrong_responses(proxy.port, [body_of([ROW])] * 20)
        proxy.wait_for(lambda s: s.total("driftgauge_window_rows") >= 20, "an evaluation", 60)
        for line in BESIDE:
            more = ""
            if line.startswith(("reference capture", "export", "compare")):
                more = f" --admin-url {proxy.admin_url}"
            elif line.startswith("labels post"):
                more = f" --url http://127.0.0.1:{labels_port}"
            ports = {"DRIFTGAUGE_PORT": str(proxy.port), "DRIFTGAUGE_ADMIN_PORT": str(proxy.admin_port)}
            done = run(line + more, clone, **ports)

            code = 2 if line.startswith("compare") else 0  # the process has one revision
            assert code == done.returncode, (line, done.stdout, done.stderr)
