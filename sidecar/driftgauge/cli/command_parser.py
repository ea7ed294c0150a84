"""A parser that shows the usage of the command that was given, and names the option that was most likely meant."""

import argparse
from collections.abc import Callable, Sequence
from typing import Any

from driftgauge.config.environment import PREFIX
from driftgauge.config.load import SECRETS, without_values
from driftgauge.config.suggestions import closest


class CommandParser(argparse.ArgumentParser):
    """The parser of a command, or of the whole program.

    The attribute `parser` of parsed arguments is the parser of the command that was given.

    Args:
        options: As of the base class. Abbreviated flags are unknown: a new flag would change what they mean.
    """

    def __init__(self, **options: Any) -> None:  # noqa: ANN401 the base class checks them
        super().__init__(**options | {"allow_abbrev": False})
        self._lacks = ""
        self.set_defaults(parser=self)

    def add_commands(self, dest: str, metavar: str) -> "Callable[[str, str], CommandParser]":
        """Let one of several commands follow.

        Args:
            dest: The attribute of parsed arguments that has the command's name.
            metavar: What the usage calls it.

        Returns:
            Adds a command of a name and a text, and returns its parser.
        """
        self._lacks = metavar  # checked by `check_complete`, since argparse would not name an unknown option beside it
        commands = self.add_subparsers(dest=dest, metavar=metavar)
        return lambda name, text: commands.add_parser(name, help=text, description=text)

    def check_complete(self, unknown: Sequence[str]) -> None:
        """Exit with 2 and a sentence if there are unknown arguments, or if a command must follow.

        Args:
            unknown: The arguments that nothing knows. The values of flags are not shown: one may be a password.
        """
        if unknown:
            self.error(f"unrecognized arguments: {', '.join(map(self._with_hint, without_values(unknown)))}")
        if self._lacks:
            self.error(f"the following arguments are required: {self._lacks}")

    def _with_hint(self, argument: str) -> str:
        if not argument.startswith("-"):
            return argument
        flags = [flag for action in self._actions for flag in action.option_strings]
        meant = closest(argument, (*flags, *SECRETS))
        if meant in SECRETS:
            return f"{argument} (every process of a machine can read a flag: set {(PREFIX + meant).upper()})"
        return f"{argument} (did you mean {meant}?)" if meant else argument

    def _check_value(self, action: argparse.Action, value: Any) -> None:  # noqa: ANN401 as in the base class
        """Refuse a value that is no choice, such as an unknown command, with the choice that was most likely meant."""
        try:
            super()._check_value(action, value)
        except argparse.ArgumentError as error:
            meant = closest(str(value), map(str, action.choices or ()))
            hint = f"; did you mean {meant}?" if meant else ""
            raise argparse.ArgumentError(action, error.message + hint) from None
