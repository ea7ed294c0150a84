"""The command `export`: fetches rows with predictions and labels of a running process, and writes them as a file."""

import argparse
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from driftgauge.cli.export.export_arguments import parse_moment
from driftgauge.cli.export.export_choice import RowChoice, choose_columns, choose_rows
from driftgauge.cli.export.export_files import NPZ, check_export, content_of
from driftgauge.cli.export.export_summary import summary_lines
from driftgauge.cli.export.hash_columns import MAX_KEY_BYTES, hash_columns
from driftgauge.cli.reference_capture import WindowAddress, fetch
from driftgauge.errors import ConfigError, ReferenceDataError
from driftgauge.reference.exported_rows import ExportedRows, join_exports, unpack_export
from driftgauge.reference.formats.driftgauge_npz import write_whole
from driftgauge.server.reloaded_files import read_file

WRITTEN, NO_ROWS, FAULT = 0, 1, 2
"""Exit codes."""


@dataclass(frozen=True, slots=True)
class ExportRequest:
    """What is exported.

    Args:
        windows: The address of the rows of each revision, at least one.
        output: The file that is written.
        rows: Which rows.
        columns: Patterns of the names of columns.
        hashed: Patterns of the names of columns that are hashed.
        key: Of the hashes; empty for none.
    """

    windows: tuple[WindowAddress, ...]
    output: Path
    rows: RowChoice
    columns: tuple[str, ...]
    hashed: tuple[str, ...] = ()
    key: bytes = b""

    @classmethod
    def of(cls, known: argparse.Namespace, now: float) -> "ExportRequest":
        """What the parsed command line asks for.

        Args:
            known: The parsed command line.
            now: Seconds since the epoch.

        Raises:
            ConfigError: A flag cannot be used.
        """
        name = known.inference_service
        model = (known.admin_url, known.namespace, name, known.component, known.model or name)
        revisions = dict.fromkeys(known.revision or [""])
        since, until = parse_moment("since", known.since, now), parse_moment("until", known.until, now)
        if since is not None and until is not None and since >= until:
            raise ConfigError(["since: must be before --until"])
        return cls(
            tuple(WindowAddress(*model, revision, joined=True) for revision in revisions),
            known.output,
            RowChoice(since, until, known.labelled_only, known.without_features),
            known.columns,
            known.hash,
            _key(known.hash_key_file, known.hash),
        )


def run_export(request: ExportRequest, out: TextIO, err: TextIO) -> int:
    """Fetch rows and write those that are wanted.

    Args:
        request: What is exported.
        out: Receives what the file holds, and what it lacks.
        err: Receives faults.

    Returns:
        Exit code: 0 written, 1 there is no such row and nothing was written, 2 a fault.
    """
    try:
        check_export(request.output)
        fetched = _fetch(request)
        if fetched is None:
            err.write("driftgauge: export: the process has no responses of the model; nothing was written\n")
            return NO_ROWS
        rows, left_out = choose_rows(fetched, request.rows)
        if not rows.ids.size:
            err.write(f"driftgauge: export: no row is left ({'; '.join(left_out)}); nothing was written\n")
            return NO_ROWS
        lines = _write(request, rows, left_out)
    except ReferenceDataError as error:
        err.write(f"driftgauge: export: {error}\n")
        return FAULT
    out.writelines(f"{line}\n" for line in lines)
    return WRITTEN


def _write(request: ExportRequest, rows: ExportedRows, left_out: tuple[str, ...]) -> list[str]:
    """Write the wanted columns of some rows; returns the lines on what the file holds.

    Raises:
        ReferenceDataError: No column is left, or the file cannot be written.
    """
    output = request.output
    rows, columns_left_out = choose_columns(rows, request.columns, keeps_ignored=output.suffix.lower() == NPZ)
    if not rows.table.columns:
        raise ReferenceDataError(f"no column is left ({'; '.join(columns_left_out)})")
    rows, hashed = hash_columns(rows, request.hashed, request.key)
    write_whole(output, content_of(output, rows))
    return list(summary_lines(output, rows, (*left_out, *columns_left_out), hashed))


def _fetch(request: ExportRequest) -> ExportedRows | None:
    """The rows of all revisions; `None` if there are none.

    Raises:
        ReferenceDataError: A process does not serve them.
    """
    contents = [fetch(window.url) for window in request.windows]
    parts = [unpack_export(Path("rows.npz"), content) for content in contents if content]
    return join_exports(parts) if parts else None


def _key(path: Path | None, hashed: tuple[str, ...]) -> bytes:
    """The key of the hashes, without the line break at its end.

    Raises:
        ConfigError: The file cannot be read, or has no usable key.
    """
    if path is None:
        return b""
    if not hashed:
        raise ConfigError(["hash_key_file: is the key of --hash, which is not given"])
    try:
        key = read_file(path).rstrip(b"\r\n")
    except ValueError as error:
        raise ConfigError([f"hash_key_file: {error}"]) from None
    if not 1 <= len(key) <= MAX_KEY_BYTES:
        raise ConfigError([f"hash_key_file: {path} must have 1 to {MAX_KEY_BYTES} bytes; it has {len(key)}"])
    return key
