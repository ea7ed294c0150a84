"""The five steps, in order; each either happens or ends the example with the reason."""

import asyncio
import time
from contextlib import AsyncExitStack
from functools import partial
from typing import Any

from examples.demo import gauges
from examples.demo.errors import DemoError
from examples.demo.traffic import INFERENCE_SERVICE, NAMESPACE
from examples.retrain import training, wines
from examples.retrain.clients import Clients, Found, look
from examples.retrain.fleet import Fleet, Revision
from examples.retrain.loop_screen import LoopScreen
from examples.retrain.wines import Tasted

MOST_WINES = 3000
"""Wines after which a step has not happened."""

QUIET_WINES = 400
"""Wines that must be quiet at first: more than `min_rows`."""

CLEAR_WINES = 1000
"""Wines after which the diagnosis does with one verdict on labels."""

FINAL_WINES = 900
"""Wines that must be quiet at the end: nearly a window, of which each was graded by the new model alone."""

CANARY_PERCENT = 40

CRITERIA = "errors,latency,accuracy"
"""What the gate looks at. Not `drift`: predictions of a retrained model differ on purpose."""

MIN_REQUESTS = 100
"""Requests of each revision that the gate needs."""

GATE_ROWS = 2
"""Wines in one request before the gate: few, since it counts requests."""

GATE_SECONDS = 90
"""How long the gate is asked while it cannot tell: labels of a new revision come after some ten seconds."""

CANNOT_TELL = 2
"""The exit code of a gate that has too few requests or labels."""

STABLE, CANARY = "stable", "v2"


class Loop:
    """One run of the example.

    Args:
        fleet: The programs.
        stack: Stops the programs that this starts.
        screen: Where it prints.
    """

    def __init__(self, fleet: Fleet, stack: AsyncExitStack, screen: LoopScreen) -> None:
        self._fleet = fleet
        self._stack = stack
        self._screen = screen
        self._clients: Clients | None = None

    async def perform(self) -> None:
        """Run all steps; raises `DemoError` with the reason if one does not happen."""
        stable = await self.start()
        self._clients = clients = Clients(self._fleet, stable.labels_url)
        await self._detect(clients, stable)
        await self._receive(clients)
        await self._diagnose(clients, stable)
        await self._retrain(clients)
        canary = await self.deploy(clients, stable)
        await self._confirm(clients, canary)

    async def start(self) -> Revision:
        """Train the first model, make its reference, and start it."""
        directory = self._fleet.directory
        rows, training_rows, reference = (directory / name for name in ("first.csv", "learned.csv", "first.npz"))
        training.write_rows(rows, wines.learned())
        model = directory / "first.joblib"
        sentence = await asyncio.to_thread(training.train, rows, model, training_rows)
        await self._run("reference", "build", str(training_rows), "-o", str(reference))
        stable = await self._fleet.start_revision(self._stack, STABLE, model, reference)
        await self._fleet.route(stable.data_url, "", 0)
        self._screen.started(self._fleet, stable, sentence)
        return stable

    async def _detect(self, clients: Clients, stable: Revision) -> None:
        """Send wines that are graded as ever, then by another taste, until labels say that the model is wrong."""
        found = await look(self._fleet, stable)

        async def is_quiet() -> bool:
            """Whether there is a verdict on all, without drift, after a number of wines."""
            nonlocal found
            found = await look(self._fleet, stable)
            return clients.sent >= QUIET_WINES and found.is_quiet

        await clients.send(wines.met(), MOST_WINES, is_quiet)
        _require(found.is_quiet, f"There was no quiet verdict on the first model: {_states(found)}.")
        self._screen.quiet(clients.sent, found)

        async def is_wrong() -> bool:
            """Whether labels say so."""
            nonlocal found
            found = await look(self._fleet, stable)
            return found.is_wrong

        sent = await clients.send(wines.met().of_new_taste(), MOST_WINES, is_wrong)
        _require(found.is_wrong, f"After {sent} wines of another taste no drift was found: {_states(found)}.")
        self._screen.detected(sent, found)

    async def _receive(self, clients: Clients) -> None:
        """Wait for the event that starts the retraining."""
        started: list[dict[str, Any]] = []

        async def has_started() -> bool:
            """Whether the receiver has started the command."""
            events = (await self._fleet.fetch(self._fleet.receiver_url))["events"]
            started[:] = [event for event in events if event["started"]]
            return bool(started)

        await clients.send(wines.met().of_new_taste(), MOST_WINES, has_started)
        _require(bool(started), "The receiver got no event that starts the retraining.")
        self._screen.alerted(started[0])

    async def _diagnose(self, clients: Clients, stable: Revision) -> None:
        """Say what the gauges rule out, once there are enough labels for both verdicts on them."""
        found = await look(self._fleet, stable)

        async def is_clear() -> bool:
            """Whether both verdicts on labels are drift, which takes more labels than one of them."""
            nonlocal found
            found = await look(self._fleet, stable)
            return set(found.outcomes.values()) == {"drift"}

        await clients.send(wines.met().of_new_taste(), CLEAR_WINES, is_clear)
        async with self._fleet.session.get(f"{stable.admin_url}/metrics") as response:
            counted = gauges.read(await response.text(), INFERENCE_SERVICE)
        self._screen.diagnosed(found, counted)
        _require(not counted.errors, f"{counted.errors} requests failed: this is a fault of a program, not drift.")
        _require(found.data != "drift", f"Inputs or predictions drift, but only the taste has changed: {found.reading}")

    async def _retrain(self, clients: Clients) -> None:
        """Send wines until the command that the receiver has started ends; training takes the newest of them."""
        run: dict[str, Any] = {"exit_code": None, "lines": []}

        async def has_ended() -> bool:
            """Whether there is an exit code."""
            run.update((await self._fleet.fetch(self._fleet.receiver_url))["run"])
            return run["exit_code"] is not None

        await clients.send(wines.met().of_new_taste(), 10 * MOST_WINES, has_ended)
        self._screen.retrained(run["lines"])
        _require(run["exit_code"] == 0, f"The retraining ended with exit code {run['exit_code']}.")

    async def deploy(self, clients: Clients, stable: Revision) -> Revision:
        """Start the new model as a canary, and let the gate decide; returns it once it has all requests.

        Raises:
            DemoError: It may not take over, and the stable revision has all requests again.
        """
        directory = self._fleet.directory
        model, reference = directory / "retrained.joblib", directory / "retrained.npz"
        canary = await self._fleet.start_revision(self._stack, CANARY, model, reference)
        await self._fleet.route(stable.data_url, canary.data_url, CANARY_PERCENT)
        self._screen.canary(canary, CANARY_PERCENT)
        code, output = await self._judge(clients, canary)
        self._screen.judged(CRITERIA, code, output)
        difference = await self._error_difference(canary)
        objection = objection_to(code, difference)
        if objection:
            await self._fleet.route(stable.data_url, "", 0)
            raise DemoError(f"{objection} All requests go to {STABLE} again.")
        self._screen.better(difference or 0.0)
        await self._fleet.route("", canary.data_url, 100)
        await clients.move_labels(canary.labels_url)
        await stable.stop()
        return canary

    async def _judge(self, clients: Clients, canary: Revision) -> tuple[int, str]:
        """Send wines that neither model knows while the gate is asked, until it has enough requests."""
        code, output = CANNOT_TELL, ""
        end = time.monotonic() + GATE_SECONDS
        while code == CANNOT_TELL and time.monotonic() < end:
            gate = asyncio.create_task(self._compare(canary, CRITERIA))
            await clients.send(_fresh(), 10 * MOST_WINES, partial(_is_done, gate), GATE_ROWS)
            code, output = await gate
        return code, output

    async def _compare(self, canary: Revision, criteria: str) -> tuple[int, str]:
        """Run `driftgauge compare`, which looks twice; returns its exit code and what it prints."""
        named = ["--inference-service", INFERENCE_SERVICE, "--namespace", NAMESPACE]
        named += ["--revision", CANARY, "--against", STABLE, "--admin-url", canary.admin_url]
        rule = ["--fail-on", criteria, "--min-requests", str(MIN_REQUESTS), "--wait", "10s"]
        return await self._fleet.once("driftgauge", "compare", *named, *rule)

    async def _error_difference(self, canary: Revision) -> float | None:
        """How much larger the mean error of the canary is, in grades; `None` without labels of both."""
        query = f"namespace={NAMESPACE}&inference_service={INFERENCE_SERVICE}&revision={CANARY}&against={STABLE}"
        found = (await self._fleet.fetch(f"{canary.admin_url}/compare?{query}"))["criteria"]
        effect: float | None = next(one["effect"] for one in found if one["criterion"] == "accuracy")
        return effect

    async def _confirm(self, clients: Clients, canary: Revision) -> None:
        """Send wines to the new model alone: it must be quiet on its own reference."""
        before, found = clients.sent, await look(self._fleet, canary)

        async def is_quiet() -> bool:
            """Whether there is a verdict on all, without drift, after a number of wines."""
            nonlocal found
            found = await look(self._fleet, canary)
            return clients.sent - before >= FINAL_WINES and found.is_quiet

        await clients.send(_fresh(), MOST_WINES, is_quiet)
        events = (await self._fleet.fetch(self._fleet.receiver_url))["events"]
        raised = [one for one in events if one["data"].get("revision") == CANARY and one["type"].endswith(".detected")]
        _require(found.is_quiet, f"The new model is not quiet on its reference: {_states(found)}. {found.reading}")
        _require(not raised, f"The new model has raised {len(raised)} events.")
        self._screen.confirmed(clients.sent - before, found)

    async def trickle(self) -> None:
        """Send wines, a few a second, until cancelled."""
        while self._clients is not None:
            await self._clients.send(_fresh(), GATE_ROWS, _never, GATE_ROWS)
            await asyncio.sleep(1)

    async def _run(self, *arguments: str) -> None:
        """Run a command of driftgauge; raises `DemoError` unless it succeeds."""
        code, output = await self._fleet.once("driftgauge", *arguments)
        _require(code == 0, f"driftgauge {' '.join(arguments[:2])} ended with exit code {code}: {output.strip()}")


def objection_to(code: int, difference: float | None) -> str:
    """Why the new model may not take over; empty if it may.

    Args:
        code: The exit code of the gate.
        difference: How much larger its mean error is, in grades; `None` if that is unknown.
    """
    if difference is not None and difference > 0:
        return f"The new model is not better: its mean error is {difference:.2f} grades larger, exit code {code}."
    if code == CANNOT_TELL:
        return f"The gate could not judge the new model within {GATE_SECONDS} s: exit code {code}."
    if code:
        return f"The new model is worse: exit code {code}."
    if difference is None:
        return "Whether the new model is better is unknown: there are no labels of both."
    return ""


def _fresh() -> Tasted:
    return wines.fresh().of_new_taste()


def _states(found: Found) -> str:
    outcomes = ", ".join(f"{test} {state}" for test, state in sorted(found.outcomes.items()))
    return f"data {found.data}, {outcomes or 'no labels'}"


async def _is_done(task: "asyncio.Task[tuple[int, str]]") -> bool:
    return task.done()


async def _never() -> bool:
    return False


def _require(happened: bool, sentence: str) -> None:  # noqa: FBT001 a condition, as of `assert`
    if not happened:
        raise DemoError(sentence)
