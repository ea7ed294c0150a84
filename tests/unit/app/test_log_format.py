"""No record writes more than its own lines, whatever text it contains."""

import logging
import sys
from types import TracebackType

import pytest

from driftgauge.app.log_format import LogFormatter, escape

FORGED = "x\n2026-03-01 00:00:00 ERROR driftgauge: forged"


def formatted(
    message: str,
    *args: object,
    error: tuple[type[BaseException], BaseException, TracebackType] | tuple[None, None, None] | None = None,
) -> str:
    """What the formatter makes of a record."""
    return LogFormatter().format(logging.LogRecord("driftgauge.x", logging.ERROR, "x.py", 1, message, args, error))


@pytest.mark.parametrize(
    ("character", "shown"),
    [
        ("\n", r"\n"),
        ("\r", r"\r"),
        ("\t", r"\t"),
        ("\0", r"\x00"),
        ("\x1b", r"\x1b"),
        ("\x7f", r"\x7f"),
        ("\x85", r"\x85"),
        ("\x9b", r"\x9b"),
        ("\u2028", r"\u2028"),
        ("\u2029", r"\u2029"),
        ("\u202e", r"\u202e"),
        ("\u2066", r"\u2066"),
        ("\u200f", r"\u200f"),
        ("\udc80", r"\udc80"),
    ],
)
def test_control_characters_are_escaped(character: str, shown: str) -> None:
    """Characters that end, hide or reverse a line are shown as escapes, in a format and in its arguments."""
    assert formatted(f"a{character}b %s", f"c{character}d").endswith(f"ERROR driftgauge.x: a{shown}b c{shown}d")


def test_other_text_is_untouched() -> None:
    """Text of any language, and a backslash, are shown unchanged."""
    text = "rosé 酒 Wein\\n \U0001f377"

    assert text == escape(text)


def test_message_of_an_exception_is_one_line() -> None:
    """The message of an exception stays on its line; the lines of the traceback are its own."""
    try:
        try:
            int("x")
        except ValueError as cause:
            raise LookupError(FORGED) from cause
    except LookupError:
        lines = formatted("lost", error=sys.exc_info()).split("\n")

    assert 2 == lines.count("Traceback (most recent call last):")
    assert [rf"LookupError: {FORGED}".replace("\n", r"\n")] == [line for line in lines if "forged" in line]
    assert 2 == sum(line.startswith('  File "') for line in lines)
    assert "The above exception was the direct cause of the following exception:" in lines


def test_group_of_exceptions_is_escaped() -> None:
    """Messages of grouped exceptions stay on their lines too."""
    group = ExceptionGroup("several", [ValueError(FORGED)])
    text = formatted("lost", error=(ExceptionGroup, group, None))  # type: ignore[arg-type]  # a traceback may be missing

    assert [True] == [line.startswith(r"    | ValueError: x\n") for line in text.split("\n") if "forged" in line]
