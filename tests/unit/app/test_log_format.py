"""No record writes more than its own lines, whatever text it contains."""

import logging
import math
import subprocess
import sys
from types import TracebackType

import orjson
import pytest

from driftgauge.app.log_format import JsonFormatter, TextFormatter, escape
from driftgauge.errors import Reason
from driftgauge.inference.payload import ModelKey

FORGED = "x\n2026-03-01 00:00:00 ERROR driftgauge: forged"


def formatted(
    message: str,
    *args: object,
    error: tuple[type[BaseException], BaseException, TracebackType] | tuple[None, None, None] | None = None,
) -> str:
    """What the formatter makes of a record."""
    return TextFormatter().format(logging.LogRecord("driftgauge.x", logging.ERROR, "x.py", 1, message, args, error))


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
            raise OSError(FORGED) from cause
    except OSError:
        lines = formatted("lost", error=sys.exc_info()).split("\n")

    assert 2 == lines.count("Traceback (most recent call last):")
    assert [rf"OSError: {FORGED}".replace("\n", r"\n")] == [line for line in lines if "forged" in line]
    assert 2 == sum(line.startswith('  File "') for line in lines)
    assert "The above exception was the direct cause of the following exception:" in lines


def test_group_of_exceptions_is_escaped() -> None:
    """Messages of grouped exceptions stay on their lines too."""
    group = ExceptionGroup("several", [OSError(FORGED)])
    text = formatted("lost", error=(ExceptionGroup, group, None))  # type: ignore[arg-type]  # a traceback may be missing

    assert [True] == [line.startswith(r"    | OSError: x\n") for line in text.split("\n") if "forged" in line]


@pytest.mark.parametrize(
    "error",
    [
        ValueError("could not convert string to float: 's3cret'"),
        KeyError("s3cret"),
        UnicodeDecodeError("utf-8", b"s3cret", 0, 1, "no"),
        AssertionError("s3cret"),
        Exception("s3cret"),
        ExceptionGroup("several", [ValueError("s3cret"), ExceptionGroup("more", [KeyError("s3cret")])]),
    ],
    ids=lambda error: type(error).__name__,
)
def test_values_in_messages_are_left_out(error: Exception) -> None:
    """Messages of types that quote values, and notes, are left out of a traceback, as text and in JSON."""
    try:
        try:
            raise error  # noqa: TRY301 - the error is the parameter
        except Exception as cause:
            cause.add_note("s3cret")
            raise ConnectionResetError("reset by peer") from cause
    except ConnectionResetError as last:
        trace = last.__traceback__
        assert trace is not None
        text = formatted("lost", error=(type(last), last, trace))
        line = str(in_json("lost", error=(type(last), last, trace)))

    assert type(error).__name__ in text
    assert "ConnectionResetError: reset by peer" in text
    assert "s3cret" not in text.replace('cause.add_note("s3cret")', "") + line.replace('cause.add_note("s3cret")', "")


def in_json(
    message: str,
    *args: object,
    error: tuple[type[BaseException], BaseException, TracebackType] | None = None,
    fields: dict[str, object] | None = None,
) -> dict[str, object]:
    """What the formatter for JSON makes of a record, which must be one line."""
    record = logging.LogRecord("driftgauge.x", logging.ERROR, "x.py", 1, message, args, error)
    record.created = 1_772_323_200.5
    if fields is not None:
        record.fields = fields
    line = JsonFormatter().format(record)
    assert line.isascii()
    assert line.isprintable()
    found: dict[str, object] = orjson.loads(line)
    return found


def test_the_time_of_text_has_its_zone() -> None:
    """RFC 3339, in UTC, with milliseconds."""
    record = logging.LogRecord("driftgauge.x", logging.ERROR, "x.py", 1, "a", (), None)
    record.created = 1_772_323_200.5

    assert "2026-03-01T00:00:00.500Z ERROR driftgauge.x: a" == TextFormatter().format(record)


def test_a_line_of_json_has_the_time_the_level_the_logger_and_the_message() -> None:
    """The message is the whole text, with its control characters as JSON writes them."""
    expected = {
        "time": "2026-03-01T00:00:00.500Z",
        "level": "error",
        "logger": "driftgauge.x",
        "message": f"rosé {FORGED}\u202e\x1b",
    }

    assert expected == in_json("rosé %s", f"{FORGED}\u202e\x1b")


def test_a_lone_surrogate_is_valid_json() -> None:
    """It is an escape of the text, since strict readers refuse it in JSON."""
    assert r"a\udc80" == in_json("a\udc80")["message"]


def test_the_fields_of_a_record_are_keys() -> None:
    """Numbers stay numbers, other values become texts."""
    line = in_json(
        "a", fields={"request_id": FORGED, "status": 502, "ratio": 0.5, "reason": Reason.EMPTY, "none": None}
    )

    expected = {"request_id": FORGED, "status": 502, "ratio": 0.5, "reason": "empty", "none": None}
    assert expected == {name: line[name] for name in expected}


def test_a_model_in_a_message_is_fields_too() -> None:
    """Its namespace, its InferenceService, its component, its name and its revision can be searched for."""
    line = in_json("the window of %s", ModelKey("prod", "wine", "predictor", "red", "v2"))

    assert ("prod", "wine", "predictor", "red", "v2") == tuple(
        line[name] for name in ("namespace", "inference_service", "component", "model_name", "revision")
    )


def test_an_exception_is_inside_the_line_of_json() -> None:
    """With its traceback, and whatever its message contains."""
    try:
        try:
            int("x")
        except ValueError as cause:
            raise OSError(FORGED) from cause
    except OSError as error:
        trace = error.__traceback__
        assert trace is not None
        shown = str(in_json("lost", error=(OSError, error, trace))["exception"])

    assert shown.startswith("Traceback (most recent call last):\n")
    assert shown.endswith(f"OSError: {FORGED}")


@pytest.mark.parametrize(
    ("value", "shown"),
    [(math.nan, "nan"), (-math.inf, "-inf"), (10**5000, hex(10**5000)), (2**63 - 1, 2**63 - 1), (True, True)],
    ids=["nan", "infinite", "long", "64 bits", "truth"],
)
def test_a_number_that_json_does_not_have_is_a_text(value: float, shown: object) -> None:
    """Every line is valid JSON, and none is lost."""
    assert shown == in_json("a", fields={"ratio": value})["ratio"]


@pytest.mark.parametrize(
    ("statement", "level"), [("raise KeyboardInterrupt", "warning"), ("raise ValueError", "critical")]
)
def test_the_exception_that_ends_the_process_is_a_line_of_json(statement: str, level: str) -> None:
    """An interrupt is no bug."""
    code = f"from driftgauge.app.log_format import start_log; start_log('info', 'json'); {statement}"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False)
    line = orjson.loads(done.stderr)

    assert (level, level == "critical") == (line["level"], "bug" in line["message"])
