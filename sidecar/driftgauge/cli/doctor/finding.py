"""What a check found: one line for a person."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    """How bad a finding is."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Finding:
    """One finding.

    Args:
        check: What was checked, in a word or two.
        level: Ok, or whether something does not work (`FAIL`) or may not do what one expects (`WARN`).
        sentence: What was found, and what to do unless it is ok. One line.
    """

    check: str
    level: Level
    sentence: str

    def __post_init__(self) -> None:
        """Keep the sentence on one line: it may quote what others wrote."""
        if not self.sentence.isprintable():
            object.__setattr__(self, "sentence", repr(self.sentence)[1:-1])


def ok(check: str, sentence: str) -> Finding:
    """A check without a fault."""
    return Finding(check, Level.OK, sentence)


def warn(check: str, sentence: str) -> Finding:
    """Something that may not do what one expects."""
    return Finding(check, Level.WARN, sentence)


def fail(check: str, sentence: str) -> Finding:
    """Something that does not work."""
    return Finding(check, Level.FAIL, sentence)


def has_failed(findings: Sequence[Finding]) -> bool:
    """Whether something does not work."""
    return any(finding.level is Level.FAIL for finding in findings)
