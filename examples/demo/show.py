"""What the demo prints: progress while wines are sent, then the gauges as a table."""

import math
import textwrap
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

from rich import box
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn
from rich.table import Table

from examples.demo.gauges import Feature, Gauges, Outcomes, quantile
from examples.demo.outage import Outage
from examples.demo.stage import Addresses, Options

NEXT = (
    ("make demo KEEP=1", "then everything runs on, for you to look around"),
    ("make demo LOGGER=1 REDIS=1", "as KServe's logger, with the rows in Redis"),
    ("docs/install.md", "how to install it beside a model on KServe"),
    ("docs/python.md", "how to compare two DataFrames, without a cluster"),
)
"""What to try or read after the demo, and why."""


class ProgressLine:
    """The progress of one part of the demo.

    Args:
        progress: The display.
        task: Its line.
    """

    def __init__(self, progress: Progress, task: TaskID) -> None:
        self._progress = progress
        self._task = task

    def update(self, rows: int, gauges: Gauges) -> None:
        """Show that more rows were sent, and the newest verdict."""
        self._progress.update(self._task, advance=rows, verdict=verdict(gauges))

    def update_outcomes(self, rows: int, gauges: Gauges) -> None:
        """Show that more rows were sent, and the newest verdicts on labelled predictions."""
        self._progress.update(self._task, advance=rows, verdict=outcome_verdicts(gauges.outcomes))


class Screen:
    """Prints everything that the demo shows.

    Args:
        console: Where it prints.
    """

    def __init__(self, console: Console) -> None:
        self._console = console

    def opening(self, options: Options) -> None:
        """Print what will happen."""
        ingress = "receives CloudEvents as a logger" if options.logger else "is a proxy in front of the model"
        ring = "a real Redis" if options.redis else "memory"
        self._console.print("[bold]driftgauge: drift of a real model's inputs, predictions and accuracy[/bold]")
        self._console.print("A model learns the quality of 1,000 red wines. Then it gets new wines: red ones,")
        self._console.print("250 strong red ones in a single request, white ones; and red ones again, whose")
        self._console.print("grades by real tasters come later, until these tasters change their minds.")
        self._console.print(f"driftgauge {ingress}, and keeps the rows in {ring}.")
        if options.redis:
            self._console.print("Half-way, that Redis is killed, and starts again with nothing in it.")
        self._console.print("Training the model and starting ...\n", style="dim")

    def stage(self, stage: Addresses) -> None:
        """Print the addresses of everything, the one to open first."""
        self._console.print(f"Open [bold]{stage.admin_url}/[/bold] in a browser to watch.", highlight=False)
        self._console.print(f"  for Prometheus     {stage.admin_url}/metrics", highlight=False)
        self._console.print(f"  as JSON            {stage.admin_url}/drift", highlight=False)
        self._console.print(f"  requests go to     {stage.data_url}", highlight=False)
        self._console.print(f"  labels go to       {stage.labels_url.partition('?')[0]}", highlight=False)
        self._console.print(f"  the model listens  {stage.model_url}\n", highlight=False)

    @contextmanager
    def progress(self, name: str, rows: int) -> Iterator[ProgressLine]:
        """Show the progress of a part that sends so many rows."""
        columns = (TextColumn(f"{name:<11}"), BarColumn(12), MofNCompleteColumn(), TextColumn("{task.fields[verdict]}"))
        with Progress(*columns, console=self._console) as progress:
            yield ProgressLine(progress, progress.add_task(name, total=rows, verdict=""))

    def batch(self, rows: int) -> None:
        """Print why a request of wines that are alike is no drift."""
        self._console.print(f"  {rows} strong red wines came in one request. They are alike, and count as a few:")
        self._console.print("  one request alone raises no alarm.")

    def drift(self, rows: int | None, reading: str) -> None:
        """Print when drift was found, and the sentence on it."""
        if rows is not None:
            self._console.print(f"  Drift was found after at most {rows} white wines:", highlight=False)
            self._console.print(f"  {reading}", markup=False, highlight=False)

    def outage(self, outage: Outage, lost_rows: int) -> None:
        """Print what became of requests, rows and the verdict while Redis was away."""
        self._console.print(
            f"  Half-way, Redis was killed. It started again, empty, {outage.away_seconds:.1f} s later."
        )
        self._console.print(f"  No request failed: {outage.calls} were sent meanwhile, and each got its response.")
        self._console.print(f"  {lost_rows} wines could not be stored, and all of them are counted as dropped.")
        found = "drift" if outage.drift else "no drift"
        self._console.print(
            f"  The verdict was back {outage.back_seconds:.1f} s after Redis: {found}.", highlight=False
        )

    def gauges(self, before: Gauges, after: Gauges) -> None:
        """Print the gauges of all features before and after, largest distance first, and the request metrics."""
        self._console.print("\nThe gauges of the window, read from /metrics:\n")
        self._console.print(table(before, after))
        self._console.print("\nD: distance of the newest rows from the reference, 0 to 1. E: evidence from all")
        self._console.print("rows, as a power of ten. D or E above its threshold is drift. The thresholds are")
        self._console.print("set so that false alarms are, on average, at least 30 days apart.\n")
        for line in request_lines(after):
            self._console.print(line, highlight=False)

    def labels(self) -> None:
        """Print what labels are, and what they are compared with."""
        self._console.print("\nIs the model right? Red wines again; the grade that tasters gave to each comes")
        self._console.print("200 wines later. The reference has such grades too, with predictions by trees")
        self._console.print("that did not see the wine: a model knows its training wines by heart, and its")
        self._console.print("errors on them would look smaller than any later ones.")

    def change(self) -> None:
        """Print what changes."""
        self._console.print("Now the tasters change their minds: strong wines get one grade less. The wines,")
        self._console.print("and so the model's inputs and predictions, are what they were.")

    def outcomes(self, gauges: Gauges, reading: str) -> None:
        """Print the errors, and the sentence on them."""
        outcomes = gauges.outcomes
        errors = f"{outcomes.error:.2f} grades, on the reference {outcomes.reference_error:.2f}"
        self._console.print(f"  The model's mean error is {errors}.", highlight=False)
        for line in textwrap.wrap(reading, 78):
            self._console.print(f"  {line}", markup=False, highlight=False)

    def closing(self, faults: list[str]) -> None:
        """Print whether everything went as expected."""
        for fault in faults:
            self.trouble(fault)
        if not faults:
            self._console.print(
                "\nAs expected: red wines are no drift, white wines are; and without any drift of", style="bold green"
            )
            self._console.print("the data, labels show that the model is no longer right.", style="bold green")

    def hint(self, stage: Addresses, options: Options) -> None:
        """Print what to try next."""
        if options.keep:
            self._console.print("Everything keeps running, with a few red wines a second, until Ctrl-C.")
            self._console.print(f"Open [bold]{stage.admin_url}/[/bold] in a browser.", highlight=False)
            return
        self._console.print("All programs stop now. What next?\n")
        for command, purpose in NEXT:
            self._console.print(f"  {command:<28}{purpose}", markup=False, highlight=False)

    def trouble(self, sentence: str) -> None:
        """Print what went wrong."""
        self._console.print(sentence, style="bold red", markup=False, highlight=False, soft_wrap=True)


def verdict(gauges: Gauges) -> str:
    """The newest verdict in a few words."""
    if gauges.drift is None:
        return "too few rows for a verdict"
    return f"{_share(gauges.features)} features, {_share(gauges.predictions)} predictions drift"


def outcome_verdicts(outcomes: Outcomes) -> str:
    """The newest verdicts on labelled predictions in a few words."""
    states = (outcomes.performance or "cannot tell", outcomes.concept or "cannot tell")
    performance, concept = (state.replace("_", " ") for state in states)
    return f"performance {performance}, concept {concept}"


def _share(features: Sequence[Feature]) -> str:
    return f"{sum(feature.drift for feature in features)} of {len(features)}"


def table(before: Gauges, after: Gauges) -> Table:
    """Both evaluations side by side, sorted by the later distance, largest first; at last the predictions."""
    shown = Table("feature", box=box.SIMPLE_HEAD, padding=0, show_edge=False)
    for heading in ("D red", "D white", "threshold", "E red", "E white", "threshold"):
        shown.add_column(heading, justify="right")
    shown.add_column("verdict")
    add_rows(shown, before.features, after.features)
    shown.add_section()
    add_rows(shown, [_named(one) for one in before.predictions], [_named(one) for one in after.predictions])
    return shown


def add_rows(shown: Table, before: Sequence[Feature], after: Sequence[Feature]) -> None:
    """Add one row for each feature that is in both evaluations, the largest distance first."""
    earlier = {feature.name: feature for feature in before}
    for feature in sorted(after, key=lambda one: one.statistic, reverse=True):
        if feature.name in earlier:
            shown.add_row(*cells(earlier[feature.name], feature), style="red" if feature.drift else "")


def _named(prediction: Feature) -> Feature:
    return replace(prediction, name=f"prediction {prediction.name}")


def cells(before: Feature, after: Feature) -> tuple[str, ...]:
    """The row of one feature."""
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
    """The verdict on one feature."""
    return "drift" if feature.drift else "ok"


def request_lines(gauges: Gauges) -> list[str]:
    """Requests, errors, latency and rows, with the names of their metrics."""
    return [
        f"request_count            {gauges.requests}",
        f"request_error_count      {gauges.errors}",
        f"request_latency_seconds  p50 {_milliseconds(0.5, gauges)}, p99 {_milliseconds(0.99, gauges)}",
        f"driftgauge_rows_total    {gauges.rows}",
    ]


def _milliseconds(share: float, gauges: Gauges) -> str:
    seconds = quantile(share, gauges.latency)
    return "unknown" if math.isnan(seconds) else f"{seconds * 1000:.1f} ms"
