"""What a person sees: progress while the wines travel, then the gauges as a table."""

import math
from collections.abc import Iterator
from contextlib import contextmanager

from rich import box
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn
from rich.table import Table

from examples.demo.gauges import Feature, Gauges, quantile
from examples.demo.stage import Options, Stage


class Bar:
    """The progress of one act.

    Args:
        progress: The display.
        task: Its line.
    """

    def __init__(self, progress: Progress, task: TaskID) -> None:
        self._progress = progress
        self._task = task

    def move(self, rows: int, gauges: Gauges) -> None:
        """So many more rows were sent; and what the gauges say by now."""
        self._progress.update(self._task, advance=rows, verdict=verdict(gauges))


class Screen:
    """Everything that is shown.

    Args:
        console: Where.
    """

    def __init__(self, console: Console) -> None:
        self._console = console

    def opening(self, options: Options) -> None:
        """Say what will happen."""
        ingress = "CloudEvents to its logger" if options.logger else "its proxy"
        ring = "a real Redis" if options.redis else "memory"
        self._console.print("[bold]driftgauge: red wines turn white[/bold]")
        self._console.print("A real model learns from 1,000 red wines; it will meet others, then white ones.")
        self._console.print(f"driftgauge watches by {ingress} and keeps the rows in {ring}.")
        self._console.print("Starting ...", style="dim")

    def stage(self, stage: Stage) -> None:
        """Say where everything is."""
        self._console.print(f"  model server  {stage.model_url}", highlight=False)
        self._console.print(f"  driftgauge    {stage.data_url}", highlight=False)
        self._console.print(f"  its gauges    {stage.admin_url}/metrics  {stage.admin_url}/drift", highlight=False)
        self._console.print(f"  its page      {stage.admin_url}/\n", highlight=False)

    @contextmanager
    def act(self, name: str, rows: int) -> Iterator[Bar]:
        """Show the progress of an act that sends so many rows."""
        columns = (TextColumn(f"{name:<11}"), BarColumn(24), MofNCompleteColumn(), TextColumn("{task.fields[verdict]}"))
        with Progress(*columns, console=self._console) as progress:
            yield Bar(progress, progress.add_task(name, total=rows, verdict=""))

    def gauges(self, before: Gauges, after: Gauges) -> None:
        """The gauges of all features before and after, largest distance first, and the request metrics."""
        self._console.print("\nThe gauges of the window, read from /metrics:")
        self._console.print(table(before, after))
        self._console.print("D: distance of the newest rows from the reference, 0 to 1. E: the evidence that")
        self._console.print("all rows have gathered, a power of ten. Above its limit either is drift; limits")
        self._console.print("keep false alarms of all features 30 days apart on average, or more.\n")
        for line in request_lines(after):
            self._console.print(line, highlight=False)

    def closing(self, faults: list[str]) -> None:
        """Say whether all went as it must."""
        for fault in faults:
            self.trouble(fault)
        if not faults:
            self._console.print(
                "\nAs it must be: red against red is no drift, white against red is.", style="bold green"
            )

    def hint(self, stage: Stage, options: Options) -> None:
        """Say how to look further."""
        if options.keep:
            self._console.print("It stays up with a trickle of white wines until Ctrl-C. Try:")
            self._console.print(f"  curl {stage.admin_url}/metrics\n  curl {stage.admin_url}/drift", highlight=False)
            self._console.print(f"  and open {stage.admin_url}/ in a browser", highlight=False)
        else:
            self._console.print("`make demo KEEP=1` leaves it up: look at its page, and at /metrics.")

    def trouble(self, sentence: str) -> None:
        """Say what went wrong."""
        self._console.print(sentence, style="bold red", markup=False, highlight=False, soft_wrap=True)


def verdict(gauges: Gauges) -> str:
    """One phrase on the newest evaluation."""
    if gauges.drift is None:
        return "too few rows for a verdict"
    return f"{gauges.drifted} of {len(gauges.features)} features drift"


def table(before: Gauges, after: Gauges) -> Table:
    """Both evaluations side by side, largest distance after first."""
    shown = Table("feature", box=box.SIMPLE_HEAD, padding=0)
    for heading in ("D red", "D white", "limit", "E red", "E white", "limit"):
        shown.add_column(heading, justify="right")
    shown.add_column("verdict")
    earlier = {feature.name: feature for feature in before.features}
    for feature in sorted(after.features, key=lambda one: one.statistic, reverse=True):
        if feature.name in earlier:
            shown.add_row(*cells(earlier[feature.name], feature), style="red" if feature.drift else "")
    return shown


def cells(before: Feature, after: Feature) -> tuple[str, ...]:
    """One feature's line."""
    return (
        after.name,
        f"{before.statistic:.3f}",
        f"{after.statistic:.3f}",
        f"{after.threshold:.3f}",
        f"{before.evidence:.1f}",
        f"{after.evidence:.1f}",
        f"{after.evidence_threshold:.1f}",
        f"{word(before)} -> {word(after)}",
    )


def word(feature: Feature) -> str:
    """A verdict on one feature."""
    return "drift" if feature.drift else "ok"


def request_lines(gauges: Gauges) -> list[str]:
    """Requests, errors and latency, with the names of their metrics."""
    return [
        f"request_count            {gauges.requests}",
        f"request_error_count      {gauges.errors}",
        f"request_latency_seconds  p50 {_milliseconds(0.5, gauges)}, p99 {_milliseconds(0.99, gauges)}",
        f"driftgauge_rows_total    {gauges.rows}",
    ]


def _milliseconds(share: float, gauges: Gauges) -> str:
    seconds = quantile(share, gauges.latency)
    return "unknown" if math.isnan(seconds) else f"{seconds * 1000:.1f} ms"
