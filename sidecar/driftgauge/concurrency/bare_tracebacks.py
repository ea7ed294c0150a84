"""Tracebacks without the messages that may quote data.

`int("...")`, `float("...")`, `d["..."]` and the decoders of text and JSON quote the value that they cannot use, which
may be one of a payload. Payloads do not belong in the log, so only messages of types that name parts of programs and
systems are shown.
"""

import traceback
from collections.abc import Iterator
from typing import Final

from driftgauge.errors import DriftgaugeError

_WITHOUT_DATA: Final = (
    DriftgaugeError,  # our own sentences: they name columns and tensors, and quote no value
    OSError,
    RuntimeError,
    TypeError,
    AttributeError,
    NameError,
    ImportError,
    IndexError,
    ArithmeticError,
    MemoryError,
    BaseExceptionGroup,
)
"""Types of exceptions whose messages are shown."""


def describe(error: BaseException) -> str:
    """The type of an exception, and its message if that quotes no data."""
    name = type(error).__qualname__
    module = type(error).__module__
    full = name if module in {"builtins", "__main__"} else f"{module}.{name}"
    if not isinstance(error, _WITHOUT_DATA):
        return f"{full} (its message may quote data)" if _message_of(error) else full
    text = _message_of(error)
    return f"{full}: {text}" if text else full


def bare_traceback(error: BaseException) -> Iterator[str]:
    """The parts of a traceback, as `traceback.TracebackException.format` gives them, with such messages left out."""
    shown = traceback.TracebackException.from_exception(error)
    waiting = [(shown, error)]
    while waiting:
        part, one = waiting.pop()
        _replace_message(part, describe(one))
        pairs = [(part.__cause__, one.__cause__), (part.__context__, one.__context__)]
        if isinstance(one, BaseExceptionGroup):
            pairs += list(zip(part.exceptions or (), one.exceptions, strict=False))
        waiting += [(inner, other) for inner, other in pairs if inner is not None and other is not None]
    return shown.format()


def _message_of(error: BaseException) -> str:
    """The message of an exception; empty if it has none, or one that cannot be made."""
    try:
        return str(error)
    except Exception:  # noqa: BLE001 - any class may define how it becomes text
        return ""


def _replace_message(part: traceback.TracebackException, text: str) -> None:
    def format_exception_only(**_: object) -> Iterator[str]:
        """The last line of the traceback."""
        yield text + "\n"

    part.format_exception_only = format_exception_only  # type: ignore[method-assign, assignment]  # 3.13 passes `colorize`
