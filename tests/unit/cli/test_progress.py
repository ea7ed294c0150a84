"""The line that shows what a long command does: on a terminal only, above it what else is written."""

import io
from pathlib import Path

import pytest

from driftgauge.cli.main import run
from driftgauge.cli.progress import shown_progress
from driftgauge.reference.steps import report_nothing


class Terminal(io.StringIO):
    """A text stream that says it is a terminal."""

    def isatty(self) -> bool:
        """Always true."""
        return True


@pytest.fixture(autouse=True)
def _terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.delenv("NO_COLOR", raising=False)


def test_a_terminal_gets_the_step_and_its_share() -> None:
    """Markup and control characters of a file's name are text."""
    err = Terminal()
    with shown_progress(err) as (report, _):
        report("reading [red]a\x1b", 0.25)

    assert r"'reading [red]a\x1b'" in err.getvalue()
    assert "25%" in err.getvalue()


def test_what_is_written_meanwhile_stands_above_the_line() -> None:
    """Whole, and not removed with it."""
    err = Terminal()
    with shown_progress(err) as (report, lines):
        report("collecting", None)
        lines.write("no response: 1.5 [s]\n")
        lines.flush()

    assert "no response: 1.5 [s]\n" in err.getvalue()


@pytest.mark.parametrize("case", ["pipe", "quiet", "dumb"])
def test_nothing_else_gets_a_line(case: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A pipe, a terminal with `--quiet`, and one that cannot move its cursor."""
    if case == "dumb":
        monkeypatch.setenv("TERM", "dumb")
    err = io.StringIO() if case == "pipe" else Terminal()
    with shown_progress(err, quiet=case == "quiet") as (report, lines):
        report("reading", 0.5)

    assert (report_nothing, err, "") == (report, lines, err.getvalue())


def test_the_commands_write_no_progress_to_a_pipe(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Standard error stays empty, with and without `-q`."""
    data, output = tmp_path / "a.csv", str(tmp_path / "a.npz")
    data.write_text("a\n" + "".join(f"{number}\n" for number in range(300)))

    assert 0 == run(["reference", "build", str(data), "-o", output])
    assert 0 == run(["reference", "build", str(data), "-o", output, "--quiet"])
    assert 0 == run(["check", str(data), str(data), "-q"])
    assert "" == capsys.readouterr().err
