r"""The format of log lines: one record is one line, whatever names and errors it contains.

Names and messages come from the network. Without escapes, a model named `x\n2026-03-01 ERROR ...` would write a line
that looks like one of ours, and an escape sequence could hide lines on a terminal.
"""

import logging
import re
import traceback
from collections.abc import Iterator
from types import TracebackType
from typing import Final

_FORMAT: Final = "%(asctime)s %(levelname)s %(name)s: %(message)s"

_UNSAFE: Final = re.compile(
    "[\x00-\x1f\x7f-\x9f"  # controls of ASCII and of ISO 8859
    "\u2028\u2029"  # line and paragraph separator
    "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"  # marks, embeddings, overrides and isolates of direction
    "\ud800-\udfff]"  # lone surrogates
)

_FRAME: Final = re.compile(r"[ |+]*File ")
_OWN_LINES: Final = ("Traceback (most recent call last):\n", "\nThe above exception", "\nDuring handling of")

_ExcInfo = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]


def escape(text: str) -> str:
    r"""The text with each control character, line separator and direction mark as its escape, such as `\n`."""
    return _UNSAFE.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


class LogFormatter(logging.Formatter):
    """Formats a record as one line, and the traceback of its exception on lines after it."""

    def __init__(self) -> None:
        super().__init__(_FORMAT)

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - the name in the base class
        """The line of a record."""
        return escape(super().formatMessage(record))

    def formatException(self, ei: _ExcInfo) -> str:  # noqa: N802 - the name in the base class
        """The traceback; its own line breaks stay, those in messages of exceptions are escaped."""
        _, error, _ = ei
        return "".join(_lines(error)).rstrip("\n") if error is not None else ""


def _lines(error: BaseException) -> Iterator[str]:
    """The parts of a traceback: whole lines, or several lines of one frame of the stack."""
    for part in traceback.TracebackException.from_exception(error).format():
        lines = part.split("\n") if _FRAME.match(part) or part.startswith(_OWN_LINES) else [part.removesuffix("\n"), ""]
        yield "\n".join(map(escape, lines))
