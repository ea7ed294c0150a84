"""Generates the completion scripts of the package from the parser: `python -m tests.style.completion_scripts`."""

import argparse
from collections.abc import Iterator, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Literal, get_args, get_origin

import shtab

from driftgauge.cli.arguments import make_parser
from driftgauge.cli.completion import SHELLS
from driftgauge.config.load import MODES

DIRECTORY = Path(__file__).parents[2] / "sidecar" / "driftgauge" / "cli" / "completions"


def script(shell: str) -> str:
    """The script of a shell."""
    parser = make_parser()
    for action in _actions(parser):
        if action.type is Path or action.dest in {"reference", "reference_dir"}:
            action.complete = shtab.DIRECTORY if action.dest == "reference_dir" else shtab.FILE  # type: ignore[attr-defined]  # shtab's way to say so
        elif action.choices is None:
            action.choices = _values(action.dest)
    return str(shtab.complete(parser, shell)).rstrip("\n") + "\n"


def _actions(parser: argparse.ArgumentParser) -> Iterator[argparse.Action]:
    """The arguments of a parser and of its commands."""
    for action in parser._actions:  # noqa: SLF001 - argparse has no public list, and shtab reads the same
        if isinstance(action, argparse._SubParsersAction):  # noqa: SLF001 - as above
            for other in action.choices.values():
                yield from _actions(other)
        else:
            yield action


def _values(option: str) -> Sequence[str] | None:
    """The values of an option that has few of them."""
    field = next((model.model_fields[option] for model in MODES.values() if option in model.model_fields), None)
    kind = None if field is None else field.annotation
    if get_origin(kind) is Literal:
        return [str(value) for value in get_args(kind)]
    if isinstance(kind, type) and issubclass(kind, StrEnum):
        return [str(value) for value in kind]
    return ["true", "false"] if kind is bool else None


if __name__ == "__main__":
    for name in SHELLS:
        (DIRECTORY / f"driftgauge.{name}").write_text(script(name))
