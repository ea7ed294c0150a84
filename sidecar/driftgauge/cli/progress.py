"""Shows on a terminal what a long command does; nothing goes to a file, a pipe or a log."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO, cast

from rich.console import Console
from rich.file_proxy import FileProxy
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskProgressColumn, TextColumn, TimeElapsedColumn

from driftgauge.reference.steps import ReportStep, report_nothing

_WIDTH_COLUMNS = 20


@contextmanager
def shown_progress(err: TextIO, *, quiet: bool = False) -> Iterator[tuple[ReportStep, TextIO]]:
    """Show a line with the current step during the block, and remove it at the end.

    Args:
        err: Standard error. The line is shown only if it is a terminal.
        quiet: Show nothing in any case.

    Yields:
        Reports a step; and where lines are written meanwhile, which stand above the line of the step.
    """
    console = Console(file=err)
    if quiet or not err.isatty() or console.is_dumb_terminal:
        yield report_nothing, err
        return
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}", markup=False),
        BarColumn(_WIDTH_COLUMNS),
        TaskProgressColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console, transient=True, redirect_stdout=False, redirect_stderr=False) as shown:
        task = shown.add_task("", total=None)

        def report(step: str, share: float | None) -> None:
            text = step if step.isprintable() else repr(step)
            shown.update(task, description=text, total=None if share is None else 1.0, completed=share or 0.0)

        yield report, cast("TextIO", FileProxy(console, err))
