"""The table of a chaos run: on the terminal, and in a document."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.render import machine
from benchmarks.statistics.tables import fill
from tests.chaos.fault import Fault
from tests.chaos.laws import Findings

MARK = "chaos"


def line(fault: Fault, findings: Findings) -> str:
    """What a person at a terminal reads of one fault."""
    reasons = ", ".join(f"{number} {reason}" for reason, number in sorted(findings.reasons.items()))
    head = (
        f"{'BROKEN' if findings.broken else 'ok    '} {fault.name:<18} {measured(findings)}"
        f"{f' ({reasons})' if reasons else ''}"
    )
    return "\n".join([head, *(f"         - {sentence}" for sentence in findings.broken)])


def measured(findings: Findings) -> str:
    """The figures of one fault, in one line."""
    recovery = "never" if findings.recovery_seconds is None else f"{findings.recovery_seconds:.1f} s"
    twice = f"; {findings.twice} halves of pairs counted twice" if findings.twice else ""
    killed = f" + {findings.killed} with the killed" if findings.killed else ""
    return (
        f"{findings.failed} inferences failed, slowest {1000 * findings.slowest_seconds:.0f} ms; "
        f"{findings.sent:,} payloads, {findings.lost} not in Redis = {findings.counted} counted{killed}; "
        f"well after {recovery}; {findings.double} rows fed twice{twice}; {len(findings.log)} log lines"
    )


def write(document: Path, results: Sequence[tuple[Fault, Findings]], seconds: float) -> None:
    """Put the table between the marks of a document."""
    facts = machine()
    rows = [
        f"| {fault.title} | {fault.promise} | {'**broken**: ' if findings.broken else ''}{measured(findings)} "
        f'| `make chaos ONLY="{fault.name}"` |'
        for fault, findings in results
    ]
    head = ["| fault | promise | measured | command |", "| --- | --- | --- | --- |"]
    origin = (
        f"`python -m tests.chaos`, {datetime.now(UTC).date()}, {seconds:.0f} s, {facts['cores']} cores "
        f"({facts['processor']}), Linux {facts['kernel']}, Python {facts['python']}."
    )
    body = "\n".join([*head, *rows, "", origin])
    document.write_text(fill(document.read_text(), MARK, body))
