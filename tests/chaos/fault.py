"""A fault: what is done to a stage, and what driftgauge promises about it."""

from collections.abc import Callable
from dataclasses import dataclass, field

from tests.chaos.laws import Findings, examine
from tests.chaos.stage import Settings, Stage


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault.

    Args:
        name: As on the command line.
        title: What happens, for the table.
        promise: What holds beside the laws, for the table.
        inflict: Does it to a stage under traffic, calls `lift` when it ends, and returns.
        settings: How the stage is built.
        is_quick: Whether the short run includes it.
        law: A further law: what is wrong on the stage at the end, or nothing.
    """

    name: str
    title: str
    promise: str
    inflict: Callable[[Stage], None]
    settings: Settings = field(default_factory=Settings)
    is_quick: bool = False
    law: Callable[[Stage], str] = lambda _: ""

    def __str__(self) -> str:
        """Its name."""
        return self.name


def run(fault: Fault) -> Findings:
    """Inflict one fault on a new stage, wait for the recovery, and check the laws."""
    findings = Findings()
    with Stage(fault.settings) as stage:
        try:
            fault.inflict(stage)
            findings.recovery_seconds = stage.recover()
        except TimeoutError as error:
            findings.broken.append(str(error))
        stage.send_for(2)
        stage.senders.stop()
        examine(stage, stage.reference, findings)
        findings.broken += [*stage.broken, *filter(None, [fault.law(stage)])]
    return findings
