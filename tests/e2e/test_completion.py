"""`driftgauge completion`: the scripts in real shells, and that they are those of the parser."""

import argparse
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from driftgauge.cli.arguments import make_parser
from driftgauge.cli.completion import SHELLS
from driftgauge.cli.main import run

Complete = Callable[[str], set[str]]
"""Returns what a shell offers for a line whose last word is not complete."""

CASES = [
    ("driftgauge che", {"check"}),
    ("driftgauge reference ", {"build", "show", "capture"}),
    ("driftgauge check --form", {"--format"}),
    ("driftgauge check --correction b", {"bh", "bonferroni"}),
    ("driftgauge proxy --log-f", {"--log-format"}),
    ("driftgauge logger --log-format ", {"text", "json"}),
    ("driftgauge logger --upstr", set()),
    ("driftgauge doctor --mode ", {"proxy", "logger"}),
    ("driftgauge reference build train", {"training.csv"}),
    ("driftgauge check -o rep", {"report.html"}),
    ("driftgauge completion f", {"fish"}),
]


@pytest.fixture
def folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    """A folder with two files, and with the scripts."""
    for name in ("training.csv", "report.html"):
        (tmp_path / name).touch()
    for shell in SHELLS:
        assert 0 == run(["completion", shell])
        (tmp_path / f"completion.{shell}").write_text(capsys.readouterr().out)
    return tmp_path


def output(folder: Path, *argv: str) -> list[str]:
    """The lines that a shell prints."""
    done = subprocess.run(argv, cwd=folder, capture_output=True, text=True, timeout=60, check=True)
    assert "" == done.stderr
    return [line.strip() for line in done.stdout.splitlines() if line.strip()]


def require(shell: str) -> str:
    """The path of a shell; skips the test where it is not installed."""
    found = shutil.which(shell)
    if found is None:
        pytest.skip(f"needs {shell}: apt-get install {shell}")
    return found


@pytest.mark.parametrize(("line", "offered"), CASES)
def test_bash_completes(folder: Path, line: str, offered: set[str]) -> None:
    """Commands, flags, values and files, by the function that bash calls at a tab."""
    words = line.split(" ")
    given = " ".join(f"'{word}'" for word in words)
    program = f"source completion.bash; COMP_WORDS=({given}); COMP_CWORD={len(words) - 1}; _shtab_driftgauge"
    found = output(folder, require("bash"), "--norc", "-c", f'{program}; printf "%s\\n" "${{COMPREPLY[@]}}"')

    assert offered == set(found)


@pytest.mark.parametrize(("line", "offered"), CASES)
def test_fish_completes(folder: Path, line: str, offered: set[str]) -> None:
    """The same; fish prints a description after a tab."""
    found = output(folder, require("fish"), "--no-config", "-c", f"source completion.fish; complete -C '{line}'")

    assert offered <= {one.split("\t")[0] for one in found}
    assert offered or not [one for one in found if one.startswith("--")]


_ZSH = """
    zmodload zsh/zpty
    zpty z zsh -f -i
    setup='PROMPT=; autoload -Uz compinit; compinit -u -D; eval "$(<completion.zsh)"'
    setup+='; show() { print -r -- "<$BUFFER>" }; zle -N show; bindkey "^X" show'
    zpty -w z "$setup; print -n REA; print DY"
    zpty -r -m z shown '*READY*'
    zpty -n -w z "$1"$'\\t\\x18'
    zpty -r -m z shown '*<*>*'
    print -r -- ${${shown##*<}%%>*}
"""
"""Types a line and a tab into an interactive zsh on a terminal, and prints what the line is then."""


@pytest.mark.parametrize(("line", "offered"), [case for case in CASES if len(case[1]) == 1])
def test_zsh_completes(folder: Path, line: str, offered: set[str]) -> None:
    """A tab completes the word where only one fits."""
    before, _, _ = line.rpartition(" ")

    assert [f"{before} {next(iter(offered))}"] == output(folder, require("zsh"), "-f", "-c", _ZSH, "zsh", line)


def test_each_command_and_flag_is_in_each_script(folder: Path) -> None:
    """A flag that is new must be generated: `python -m tests.style.completion_scripts`."""
    words = {word for action in actions_of(make_parser()) for word in [*action.option_strings, *(action.choices or ())]}
    for shell in SHELLS:
        text = (folder / f"completion.{shell}").read_text()
        missing = {str(word) for word in words if str(word).lstrip("-") not in text}

        assert set() == missing, f"{shell} lacks them: python -m tests.style.completion_scripts"


def test_the_scripts_are_generated_from_the_parser(folder: Path) -> None:
    """Descriptions included."""
    pytest.importorskip("shtab", reason="needs shtab: pip install 'shtab>=1.13'")
    from tests.style.completion_scripts import script  # noqa: PLC0415 - it needs shtab

    for shell in SHELLS:
        assert script(shell) == (folder / f"completion.{shell}").read_text()


def actions_of(parser: argparse.ArgumentParser) -> Iterator[argparse.Action]:
    """The arguments of a parser and of its commands."""
    for action in parser._actions:  # noqa: SLF001 - argparse has no public list
        yield action
        if isinstance(action, argparse._SubParsersAction):  # noqa: SLF001 - as above
            for other in action.choices.values():
                yield from actions_of(other)
