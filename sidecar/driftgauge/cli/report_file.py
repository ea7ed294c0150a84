"""The file of a report: its format, and how it is written."""

from pathlib import Path
from typing import Final, Literal

from driftgauge.errors import ConfigError, ReferenceDataError
from driftgauge.reference.formats.driftgauge_npz import write_whole

OutputFormat = Literal["table", "json", "html"]

_FORMATS: Final[dict[str, OutputFormat]] = {".html": "html", ".htm": "html", ".json": "json", ".txt": "table"}


def choose_format(wanted: OutputFormat | None, output: Path | None, *, is_terminal: bool) -> OutputFormat:
    """The format of a report.

    Args:
        wanted: The format that was asked for, if any.
        output: The file that was asked for, if any.
        is_terminal: Whether the report goes to a terminal where there is no file.

    Raises:
        ConfigError: The name of the file has no format, or a page would be written to a terminal.
    """
    if wanted == "html" and output is None and is_terminal:
        raise ConfigError(["format: a page is for a browser, not for a terminal: write it with -o report.html"])
    if wanted is not None or output is None:
        return wanted or "table"
    found = _FORMATS.get(output.suffix.lower())
    if found is None:
        raise ConfigError([f"output: {output} ends in neither .html nor .json nor .txt: give --format too"])
    return found


def check_report_file(path: Path, *inputs: Path) -> None:
    """Refuse a path to which no report can be written, before any work is done.

    Args:
        path: Where the report will be.
        inputs: The files that it is made from.

    Raises:
        ReferenceDataError: It is a directory, or in none, or one of the inputs by whatever name.
    """
    if any(_is_same(path, one) for one in inputs):
        raise ReferenceDataError(f"{path}: this is a file of data: the report would replace it")
    if path.is_dir():
        raise ReferenceDataError(f"{path}: this is a directory, not a file")
    if not path.parent.is_dir():
        raise ReferenceDataError(f"{path}: there is no folder {path.parent}")


def _is_same(path: Path, other: Path) -> bool:
    """Whether two paths are one file, which may have several links."""
    try:
        return path.samefile(other)
    except OSError:  # one of them does not exist
        return path.resolve() == other.resolve()


def write_report(path: Path, text: str) -> None:
    """Write a report; a file is replaced atomically, through links, and a device or a pipe is written to.

    Raises:
        ReferenceDataError: It cannot be written; the old file stays.
    """
    content = text.encode("utf-8", "backslashreplace")
    if path.is_file() or not path.exists():
        write_whole(path.resolve(), content)
        return
    try:
        path.write_bytes(content)
    except OSError as error:
        raise ReferenceDataError(f"{path}: it cannot be written: {error.strerror}") from error
