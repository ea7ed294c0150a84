"""The command `reference capture`: writes the window of a running process as a reference, after confirmation."""

import os
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from http.client import HTTPException
from pathlib import Path
from typing import Final, TextIO
from urllib.error import HTTPError
from urllib.parse import urlencode, urlsplit
from urllib.request import Request, urlopen

from driftgauge import __version__
from driftgauge.cli.progress import shown_progress
from driftgauge.cli.reference_files import print_reference
from driftgauge.cli.window_collector import WindowCollector
from driftgauge.config.environment import PREFIX
from driftgauge.errors import ReferenceDataError
from driftgauge.reference.dataset import prepare
from driftgauge.reference.file_limits import MAX_FILE_BYTES
from driftgauge.reference.files import parse_table
from driftgauge.reference.formats.driftgauge_npz import check_output, packed, write_whole
from driftgauge.reference.steps import ReportStep
from driftgauge.reference.table import Origin

CAPTURED, NOT_WANTED, FAULT = 0, 1, 2
"""Exit codes."""

TIMEOUT_SECONDS = 30
"""The process reads its ring buffer for the response, which takes a second at most."""

MAX_SENTENCE_BYTES = 500
"""How much of an error response is shown."""


@dataclass(frozen=True, slots=True)
class WindowAddress:
    """The address of a window.

    Args:
        admin_url: The process's admin port, `http://` or `https://`.
        namespace: The namespace of the InferenceService.
        inference_service: The name of the InferenceService.
        component: The component of the InferenceService.
        model_name: The model's name.
        revision: Whose window it is, of several revisions; empty where there is only one.
        labels: Whether it is the window of rows with labels, which have predictions too.
        joined: Whether it is the window of all rows with predictions, and with labels as far as they are known.
    """

    admin_url: str
    namespace: str
    inference_service: str
    component: str
    model_name: str
    revision: str = ""
    labels: bool = False
    joined: bool = False

    @property
    def url(self) -> str:
        """The full address."""
        query = {
            "namespace": self.namespace,
            "inference_service": self.inference_service,
            "component": self.component,
            "model_name": self.model_name,
        }
        if self.revision:
            query["revision"] = self.revision
        if self.labels:
            query |= {"labels": "1", "complete": "1"}
        if self.joined:
            query["joined"] = "1"
        return f"{self.admin_url.rstrip('/')}/window?{urlencode(query)}"


@dataclass(frozen=True, slots=True)
class Terminal:
    """A terminal, or the streams that replace it in a script.

    Args:
        asks: Whether to ask before the file is written.
        replies: The person's replies.
        out: Takes what the window holds, and the question.
        err: Takes faults, and on a terminal the progress.
        quiet: Show no progress.
    """

    asks: bool
    replies: TextIO
    out: TextIO
    err: TextIO
    quiet: bool = False


@dataclass(frozen=True, slots=True)
class Timing:
    """For how long windows are collected, and how time passes.

    Args:
        seconds: How long; 0 for one window.
        now: Returns seconds, monotonic.
        wait: Waits for as many seconds.
    """

    seconds: float = 0
    now: Callable[[], float] = time.monotonic
    wait: Callable[[float], None] = time.sleep


ONE_WINDOW: Final = Timing()


def run_capture(window: WindowAddress, output: Path, terminal: Terminal, timing: Timing = ONE_WINDOW) -> int:
    """Fetch a window, or many one after the other, show the rows, and write them as reference.

    Args:
        window: Its address.
        output: The reference, `.npz`; an existing file is replaced.
        terminal: Shows the rows and asks.
        timing: For how long windows are fetched.

    Returns:
        Exit code: 0 written, 1 the person did not say yes, 2 a fault.
    """
    try:
        check_output(output)
        with shown_progress(terminal.err, quiet=terminal.quiet) as (report, err):
            content = _fetch(window, output, replace(terminal, err=err), timing, report)
        reference = prepare(parse_table(output, content), 0.0, "UTC")
        print_reference(reference, terminal.out)
        if terminal.asks and not _ask(reference.rows, terminal):
            terminal.err.write(f"{output}: not written\n")
            return NOT_WANTED
        write_whole(output, content)
    except ReferenceDataError as error:
        terminal.err.write(f"{error}\n")
        return FAULT
    terminal.out.write(f"wrote {output}\n")
    return CAPTURED


def _fetch(window: WindowAddress, output: Path, terminal: Terminal, timing: Timing, report: ReportStep) -> bytes:
    """Fetch a window, or many, as the file of a reference."""
    if timing.seconds:
        return _collect(window, output, terminal, timing, report)
    report("fetching the window", None)
    return packed(parse_table(output, fetch(window.url)))


def _collect(window: WindowAddress, output: Path, terminal: Terminal, timing: Timing, report: ReportStep) -> bytes:
    """Fetch windows until the time is over, or a person stops it; returns the file of a reference.

    The first window must be there, so that a wrong address is known at once. Later on a process may be away.
    """
    collector, end = WindowCollector(output), timing.now() + timing.seconds
    wait_seconds = collector.add(fetch(window.url))
    terminal.err.write(f"collecting rows for {timing.seconds:.0f} seconds; Ctrl-C ends it, and keeps the rows so far\n")
    terminal.err.flush()
    try:
        fault = ""
        while (left_seconds := end - timing.now()) > 0:
            report(f"collecting rows: {collector.rows_seen} so far", 1 - left_seconds / timing.seconds)
            timing.wait(min(wait_seconds, left_seconds))
            try:
                content = fetch(window.url)
            except ReferenceDataError as error:
                if not fault:
                    terminal.err.write(f"{error}; trying again until there is a response\n")
                    terminal.err.flush()
                fault = str(error)
                continue
            fault = ""
            wait_seconds = collector.add(content)
    except KeyboardInterrupt:
        terminal.err.write("stopped before the time was over\n")
    except ReferenceDataError as error:
        terminal.err.write(f"{error}; stopped before the time was over\n")
    return _collected(collector, window, terminal)


def _collected(collector: WindowCollector, window: WindowAddress, terminal: Terminal) -> bytes:
    """The file of the collected rows. Says on the terminal which rows it lacks."""
    if collector.kept_share > 1:
        terminal.err.write(f"there were too many rows: the new rows of one window in {collector.kept_share} are kept\n")
    if collector.has_missed_rows:
        terminal.err.write("between two windows more rows passed than a window holds: these are missing\n")
    name = "/".join(filter(None, (window.namespace, window.inference_service)))
    revision = f" revision {window.revision}" if window.revision else ""
    origin = Origin(f"windows of {name}{revision}", "", collector.rows_seen, 0, __version__)
    return packed(replace(collector.table(), origin=origin))


def fetch(url: str) -> bytes:
    """Fetch a window, as an NPZ file, from the admin port.

    Raises:
        ReferenceDataError: There is no response, or it is an error; the sentence says why.
    """
    if urlsplit(url).scheme not in {"http", "https"}:
        raise ReferenceDataError(f"{url}: the admin URL must begin with http:// or https://")
    try:
        with urlopen(_request(url), timeout=TIMEOUT_SECONDS) as reply:  # noqa: S310 the scheme is checked above
            content: bytes = reply.read(MAX_FILE_BYTES + 1)
    except HTTPError as error:
        with error:
            sentence = error.read(MAX_SENTENCE_BYTES).decode("utf-8", "replace").strip()
        raise ReferenceDataError(
            f"{url}: {error.code}: {sentence if sentence.isprintable() else repr(sentence)}"
        ) from None
    except (OSError, HTTPException, ValueError) as error:
        raise ReferenceDataError(f"{url}: no response: {getattr(error, 'reason', error)}") from error
    if len(content) > MAX_FILE_BYTES:
        raise ReferenceDataError(f"{url}: the response is larger than {MAX_FILE_BYTES >> 20} MiB")
    return content


def _request(url: str) -> Request:
    """A GET with the token of the environment, which no redirect takes elsewhere."""
    request = Request(url)  # noqa: S310 the scheme is checked by the caller
    if token := os.environ.get(f"{PREFIX}ADMIN_TOKEN"):
        request.add_unredirected_header("Authorization", f"Bearer {token}")
    return request


def _ask(rows: int, terminal: Terminal) -> bool:
    """Ask the person, and return whether the reply is yes; an end of input is no."""
    terminal.out.write(f"Use these {rows} rows as reference? Type yes: ")
    terminal.out.flush()
    return terminal.replies.readline().strip().lower() == "yes"
