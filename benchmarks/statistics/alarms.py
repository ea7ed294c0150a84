"""False alarms of streams without drift, counted and put into tables."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from benchmarks.statistics.engine import Look
from benchmarks.statistics.false_alarms import begun
from benchmarks.statistics.intervals import Apart
from benchmarks.statistics.tables import table


@dataclass(frozen=True, slots=True)
class Alarms:
    """Alarms on one stream.

    Args:
        looks: Looks.
        alarms: Alarms that began.
        in_alarm: Looks in alarm.
        untested: Looks at which some feature had no verdict.
        streams: 1 if there was any alarm.
    """

    looks: int
    alarms: int
    in_alarm: int
    untested: int
    streams: int


def alarms_of(looks: Iterable[Look]) -> Alarms:
    """Count the alarms of window and detector together."""
    found = list(looks)
    alarms = [look.window or look.detector for look in found]
    return Alarms(len(found), begun(alarms), sum(alarms), sum(look.untested for look in found), int(any(alarms)))


def promise_lines(words: str, head: Sequence[str], keys: Sequence[tuple[str, ...]], found: Sequence[Alarms]) -> str:
    """A table with a line for each key, of as many streams each.

    Args:
        words: What the lines are.
        head: The titles of the parts of a key.
        keys: The keys.
        found: The alarms of all streams of the first key, then of the second, and so on.
    """
    streams = len(found) // len(keys)
    lines = []
    for at, key in enumerate(keys):
        part = found[at * streams : (at + 1) * streams]
        looks, alarms = sum(one.looks for one in part), sum(one.alarms for one in part)
        in_alarm, untested = sum(one.in_alarm for one in part) / looks, sum(one.untested for one in part) / looks
        with_alarm = f"{sum(one.streams for one in part)} of {streams}"
        lines.append(
            [*key, f"{looks:,}", alarms, Apart(looks, alarms), f"{in_alarm:.1%}", f"{untested:.0%}", with_alarm]
        )
    titles = ["looks", "alarms", "looks to an alarm", "looks in alarm", "cannot tell", "streams with an alarm"]
    explained = (
        "Looks to an alarm: with the exact 95 % interval (Garwood). Cannot tell: looks at which that holds for some "
        "feature."
    )
    return f"{words} {explained}\n\n{table([*head, *titles], lines)}"
