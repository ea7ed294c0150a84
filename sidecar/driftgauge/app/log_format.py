r"""The formats of log lines, text and JSON: one record is one line, whatever names and errors it contains.

Names and messages come from the network. Without escapes, a model named `x\n2026-03-01 ERROR ...` would write a line
that looks like one of ours, and an escape sequence could hide lines on a terminal. Messages of exceptions that may
quote payloads are left out of tracebacks (`bare_tracebacks`).
"""

import json
import logging
import math
import re
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from types import TracebackType
from typing import Final, Literal

from driftgauge.concurrency.bare_tracebacks import bare_traceback
from driftgauge.inference.payload import ModelKey

_log = logging.getLogger("driftgauge")

_FORMAT: Final = "%(asctime)s %(levelname)s %(name)s: %(message)s"

_UNSAFE: Final = re.compile(
    "[\x00-\x1f\x7f-\x9f"  # controls of ASCII and of ISO 8859
    "\u2028\u2029"  # line and paragraph separator
    "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"  # marks, embeddings, overrides and isolates of direction
    "\ud800-\udfff]"  # lone surrogates
)

_MAX_INT: Final = 2**63
_FRAME: Final = re.compile(r"[ |+]*File ")
_OWN_LINES: Final = ("Traceback (most recent call last):\n", "\nThe above exception", "\nDuring handling of")

_ExcInfo = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]


def escape(text: str) -> str:
    r"""The text with each control character, line separator and direction mark as its escape, such as `\n`."""
    return _UNSAFE.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


class TextFormatter(logging.Formatter):
    """Formats a record as one line, and the traceback of its exception on lines after it."""

    def __init__(self) -> None:
        super().__init__(_FORMAT)

    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:  # noqa: N802, ARG002 - of the base class
        """The time with its zone, in the form of RFC 3339."""
        return _time(record)

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - the name in the base class
        """The line of a record."""
        return escape(super().formatMessage(record))

    def formatException(self, ei: _ExcInfo) -> str:  # noqa: N802 - the name in the base class
        """The traceback; its own line breaks stay, those in messages of exceptions are escaped."""
        _, error, _ = ei
        return "".join(_lines(error)).rstrip("\n") if error is not None else ""


class JsonFormatter(logging.Formatter):
    """Formats a record as one JSON object in ASCII on one line, the traceback of its exception included.

    Keys: `time` (RFC 3339, UTC), `level`, `logger`, `message`; `exception` if there is one; `namespace`,
    `inference_service`, `component`, `model_name` and `revision` if the message names a model; and the fields that the
    record has, such as `request_id` and `trace_id`.
    """

    def format(self, record: logging.LogRecord) -> str:
        """The line of a record."""
        line: dict[str, object] = {
            "time": _time(record),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        models = [one for one in record.args or () if isinstance(one, ModelKey)]
        fields = (models[0]._asdict() if models else {}) | getattr(record, "fields", {})
        if record.exc_info and record.exc_info[1] is not None:
            fields["exception"] = "".join(bare_traceback(record.exc_info[1])).rstrip("\n")
        return json.dumps({name: _plain(value) for name, value in (line | fields).items()})


def start_log(level: str, form: Literal["text", "json"]) -> None:
    """Write log lines to standard error from now on; in JSON also the exception that ends the process."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter() if form == "json" else TextFormatter())
    logging.basicConfig(level=level.upper(), handlers=[handler])
    if form == "json":
        sys.excepthook = _log_last


def _log_last(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    if issubclass(kind, KeyboardInterrupt):
        _log.warning("the process was interrupted")
    else:
        _log.critical("the process ends because of a bug in driftgauge", exc_info=(kind, error, trace))


def _time(record: logging.LogRecord) -> str:
    """When a record was made: RFC 3339 in UTC, with milliseconds."""
    return datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _plain(value: object) -> object:
    """A value for JSON; lone surrogates of a text become escapes, since strict readers refuse them.

    Numbers that JSON does not have, or that readers would round, become texts; those of many digits in hexadecimal,
    since Python refuses to write them in decimals.
    """
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        return value if abs(value) < _MAX_INT else hex(value)
    if isinstance(value, float) and math.isfinite(value):
        return value
    return str(value).encode("utf-8", "backslashreplace").decode()


def _lines(error: BaseException) -> Iterator[str]:
    """The parts of a traceback: whole lines, or several lines of one frame of the stack."""
    for part in bare_traceback(error):
        lines = part.split("\n") if _FRAME.match(part) or part.startswith(_OWN_LINES) else [part.removesuffix("\n"), ""]
        yield "\n".join(map(escape, lines))
