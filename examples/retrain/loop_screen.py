"""What the example prints: a heading for each step, and what was seen."""

import textwrap
from collections.abc import Sequence
from typing import Any

from rich.console import Console

from examples.demo.gauges import Gauges
from examples.retrain.clients import Found
from examples.retrain.fleet import Fleet, Revision

WIDTH = 78


class LoopScreen:
    """Prints everything that the example shows.

    Args:
        console: Where it prints.
    """

    def __init__(self, console: Console) -> None:
        self._console = console

    def opening(self) -> None:
        """Print what will happen."""
        self._console.print("[bold]driftgauge: from drift to a new model, by itself[/bold]")
        self._say(
            "A model learns the grades of 500 red wines. It meets others, and tasters grade them later, until they no "
            "longer like strong wines. What follows is started by an event, and ends behind a gate."
        )
        self._console.print("Training the model and starting ...\n", style="dim")

    def started(self, fleet: Fleet, stable: Revision, sentence: str) -> None:
        """Print the addresses of everything, the one to open first."""
        self._line(f"The first model: {sentence}.")
        self._console.print(f"Open [bold]{stable.admin_url}/[/bold] in a browser to watch.", highlight=False)
        self._line(f"  requests go to        {fleet.data_url}")
        self._line(f"  their split           {fleet.control_url}/route")
        self._line(f"  events go to          {fleet.receiver_url}")
        self._line(f"  labels go to          {stable.labels_url.partition('?')[0]}\n")

    def quiet(self, sent: int, found: Found) -> None:
        """Print that all is as in the reference."""
        self._line(f"{sent} wines later: {states(found)}.")

    def detected(self, sent: int, found: Found) -> None:
        """Print when labels said that the model is wrong."""
        self._step(1, "Detect")
        self._line(f"The taste changes now. {sent} wines later: {states(found)}.")
        self._say(found.outcome_reading)

    def alerted(self, event: dict[str, Any]) -> None:
        """Print the event that started the retraining."""
        self._step(2, "Alert")
        self._line("driftgauge has sent one event to the receiver:")
        self._line(f"  {event['type']}")
        self._line(f"  id {event['id']}, since {event['data']['since']}")
        self._say("It has started the retraining, which first waits for wines with grades since then.")

    def diagnosed(self, found: Found, counted: Gauges) -> None:
        """Print what was ruled out, and what is left."""
        self._step(3, "Diagnose")
        self._line(f"infrastructure   {counted.errors} of {counted.requests} requests failed")
        self._line(f"data             {found.data}: {found.reading}")
        self._line(f"labels           {states(found)}")
        self._say(found.outcome_reading)
        self._say("The wines are what they were and the grades are not: so a training on new grades helps.")

    def retrained(self, lines: Sequence[str]) -> None:
        """Print what the commands of the retraining said."""
        self._step(4, "Retrain")
        for line in lines:
            self._say(line)

    def canary(self, canary: Revision, percent: int) -> None:
        """Print that the new model gets a part of the requests."""
        self._step(5, "Deploy")
        self._line(f"The new model gets {percent} of 100 requests as revision {canary.name}: {canary.admin_url}/")
        self._say("The gate waits for requests and grades of both models, up to a minute ...")

    def judged(self, criteria: str, code: int, output: str) -> None:
        """Print what the gate said."""
        self._line(f"driftgauge compare --fail-on {criteria}: exit code {code}")
        for line in output.strip().splitlines():
            self._say(f"  {line}")

    def better(self, difference: float) -> None:
        """Print that the new model is better, and which criterion is not asked of it."""
        self._say(f"Its mean error is {-difference:.2f} grades smaller, which is what a retraining is for.")
        self._say("--fail-on drift is not asked: predictions of a retrained model differ on purpose.")

    def confirmed(self, sent: int, found: Found) -> None:
        """Print that the new model is quiet on its own reference."""
        self._line(f"All requests go to it now. {sent} wines later: {states(found)}.")
        self._say(found.outcome_reading)
        self._console.print("\nThe loop is closed: the new model is quiet on its own reference.", style="bold green")

    def hint(self, *, keep: bool) -> None:
        """Print what happens next."""
        if keep:
            self._console.print("Everything keeps running, with a few wines a second, until Ctrl-C.")
        else:
            self._console.print("All programs stop now. docs/retraining.md has the same for a cluster.")

    def trouble(self, sentence: str) -> None:
        """Print what went wrong."""
        self._console.print(sentence, style="bold red", markup=False, highlight=False, soft_wrap=True)

    def _step(self, number: int, name: str) -> None:
        self._console.print(f"\n{number}. {name}", style="bold")

    def _line(self, text: str) -> None:
        self._console.print(text, markup=False, highlight=False, soft_wrap=True)

    def _say(self, text: str) -> None:
        indent = " " * (len(text) - len(text.lstrip()))
        for line in textwrap.wrap(text, WIDTH, subsequent_indent=indent + "  "):
            self._line(line)


def states(found: Found) -> str:
    """The verdicts in a few words."""
    outcomes = [f"{test} {state.replace('_', ' ')}" for test, state in sorted(found.outcomes.items(), reverse=True)]
    return ", ".join([f"data {found.data.replace('_', ' ')}", *outcomes])
