"""The effect of a message on the requests of another client, from samples of latency, CPU and memory."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain, pairwise
from statistics import median
from typing import NamedTuple

LONGEST_SECONDS = 0.020
MEDIAN_SECONDS = 0.005
MEGABYTES = 64.0
"""What is promised: no message delays a request by more, nor takes more memory."""

BUSY_SHARE = 0.3
"""A process that uses more of a core than this, between two samples, is handling the message."""

FIRST_SECONDS = 0.05
"""A message whose handling no sample shows is handled in this time."""


class Latency(NamedTuple):
    """One request: when it was due, on the monotonic clock, and its latency; in seconds."""

    due: float
    seconds: float


class Usage(NamedTuple):
    """One look at the process and its children.

    Args:
        moment: Seconds of the monotonic clock.
        cpu_seconds: CPU time until then.
        megabytes: Private memory.
    """

    moment: float
    cpu_seconds: float
    megabytes: float


class Phase(NamedTuple):
    """A time without a message, or one that begins with it; in seconds of the monotonic clock."""

    start: float
    end: float
    is_loaded: bool


@dataclass(frozen=True, slots=True)
class Effect:
    """What a message did. Each latency is the median of those of the rounds, since other programs disturb single ones.

    Args:
        quiet_p99: Of the requests that were due without the message; in seconds, as all latencies.
        quiet_longest: The longest of these.
        p99: Of the requests that were due with the message.
        longest: The longest of these.
        median_more: The median of those that were due while the process was busy with the message, minus the median
            without it.
        megabytes: The peak of private memory after a message, minus that before the first one.
    """

    quiet_p99: float
    quiet_longest: float
    p99: float
    longest: float
    median_more: float
    megabytes: float

    def broken(self) -> tuple[str, ...]:
        """The parts of the promise that were not kept: `longest`, `median`, `memory`."""
        parts = {
            "longest": self.longest - self.quiet_longest > LONGEST_SECONDS,
            "median": self.median_more > MEDIAN_SECONDS,
            "memory": self.megabytes > MEGABYTES,
        }
        return tuple(name for name, is_broken in parts.items() if is_broken)


def effect(latencies: Sequence[Latency], usage: Sequence[Usage], phases: Sequence[Phase]) -> Effect:
    """Compare the phases with the message with those without it.

    Args:
        latencies: Of all requests of the other client.
        usage: In order, from before the first phase until after the last one.
        phases: At least one of each kind.
    """
    quiet, loaded = (
        [_due_in(latencies, phase) for phase in phases if phase.is_loaded is is_loaded] for is_loaded in (False, True)
    )
    first = min(phase.start for phase in phases if phase.is_loaded)
    before = [one.megabytes for one in usage if one.moment < first]
    after = [one.megabytes for one in usage if one.moment >= first]
    inside = [one for phase in phases if phase.is_loaded for one in _while_handled(latencies, usage, phase)]
    return Effect(
        median(_p99(one) for one in quiet),
        median(map(max, quiet)),
        median(_p99(one) for one in loaded),
        median(map(max, loaded)),
        median(inside) - median(chain.from_iterable(quiet)),
        max(after, default=0.0) - before[-1] if before else 0.0,
    )


def _due_in(latencies: Iterable[Latency], phase: Phase) -> list[float]:
    return [one.seconds for one in latencies if phase.start <= one.due < phase.end]


def _while_handled(latencies: Sequence[Latency], usage: Sequence[Usage], phase: Phase) -> list[float]:
    """Latencies of the requests that were due while the process was busy, or else just after the message."""
    busy = [
        (one.moment, two.moment)
        for one, two in pairwise(usage)
        if two.moment > phase.start
        and one.moment < phase.end
        and two.cpu_seconds - one.cpu_seconds > BUSY_SHARE * (two.moment - one.moment)
    ]
    spans = busy or [(phase.start, phase.start + FIRST_SECONDS)]
    return [one.seconds for one in latencies if any(start <= one.due < end for start, end in spans)]


def _p99(values: Sequence[float]) -> float:
    return sorted(values)[int(0.99 * (len(values) - 1))]
