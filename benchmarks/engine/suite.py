"""The tables of the engine."""

import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from statistics import median

import numpy as np

from benchmarks.engine import evaluations, wide_looks
from benchmarks.engine.cases import GRID, QUICK, Case
from benchmarks.engine.competitors import FEWEST_ROUNDS, ROUNDS, SECONDS, CompetitorSpec, Record, race, started
from benchmarks.parts import create_environment
from benchmarks.results import Cell, Plot, Table
from benchmarks.statistics.work import Effort

OURS = ("driftgauge", "driftgauge, 1 % new", "driftgauge, 10 % new")
PEERS = ("scipy asymp", "scipy auto", "alibi-detect", "frouros")

Records = Mapping[Case, Mapping[str, Record]]
Seconds = Callable[[Record], Sequence[float]]

_DIFFERENCE, _P_DIFFERENCE = 1e-12, 1e-9
"""The largest differences of driftgauge's statistics and p-values from scipy's."""

_ROUNDED = 1e-6
"""The largest difference of peers' statistics: alibi-detect keeps 32-bit numbers."""

_METHOD = (
    "Statistic D and p-value of all features; reference rows x window rows x features, standard normal. Each "
    "competitor is a process with one thread; in turn each is asked for two windows: the first wakes it up, "
    f"the second counts, for at most {ROUNDS} rounds, and {FEWEST_ROUNDS} where it has taken more than {SECONDS:g} s; "
    "figures are medians. driftgauge has seen no row of a window before; with 1 or 10 % new rows it keeps the ranks of "
    "rows of the window before, as looks do. The reference is prepared before the clock runs. Our D and p are "
    "those of scipy asymp to 1e-12 and 1e-9."
)


def run(effort: Effort) -> list[Table]:
    """All tables; no other program may run at the same time."""
    with started(_competitors()) as competitors:
        rounds = effort.of(ROUNDS, FEWEST_ROUNDS)
        records = {case: race(competitors, case, rounds) for case in (QUICK if effort.quick else GRID)}
        versions = _versions({one.spec.engine: one.versions for one in competitors})
    return [*tables(records, versions), *evaluations.run(effort), wide_looks.table(effort)]


def tables(records: Records, versions: dict[str, str]) -> list[Table]:
    """The measurements as tables.

    Raises:
        ValueError: A competitor's statistics, or driftgauge's p-values, are not those of scipy asymp.
    """
    for found in records.values():
        require_agreement({name: record.first for name, record in found.items()})
    return [
        _costs("engine-cpu", "CPU time of a KS test of all features", records, versions, lambda record: record.cpu),
        _costs("engine-wall", "The same by the clock", records, versions, lambda record: record.wall),
        _ratios(records, versions),
    ]


def require_agreement(found: Mapping[str, tuple[Sequence[float], Sequence[float]]]) -> None:
    """Refuse the figures if competitors found different results in the same window.

    Args:
        found: Statistics and p-values by competitor, scipy asymp included.

    Raises:
        ValueError: A competitor's statistics, or driftgauge's p-values, are not those of scipy asymp.
    """
    statistics, p_values = (np.array(one) for one in found["scipy asymp"])
    for name, (some, chances) in found.items():
        if np.abs(np.array(some) - statistics).max() > (_DIFFERENCE if name in OURS else _ROUNDED):
            raise ValueError(f"{name} has other statistics than scipy")
        if name in OURS and np.abs(np.array(chances) - p_values).max() > _P_DIFFERENCE:
            raise ValueError(f"{name} has other p-values than scipy")


def _competitors() -> list[CompetitorSpec]:
    ours = Path(sys.executable)
    return [
        CompetitorSpec(OURS[0], "driftgauge", 10, ours),
        CompetitorSpec(OURS[1], "driftgauge_kept", 100, ours),
        CompetitorSpec(OURS[2], "driftgauge_kept", 10, ours),
        CompetitorSpec(PEERS[0], "scipy_asymp", 10, ours),
        CompetitorSpec(PEERS[1], "scipy_auto", 10, ours),
        CompetitorSpec(PEERS[2], "alibi_detect", 10, create_environment("alibi-detect")),
        CompetitorSpec(PEERS[3], "frouros", 10, create_environment("frouros")),
    ]


def _versions(reported: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
    """Versions by package; one that differs in a peer's environment has the peer's name added."""
    found = dict(reported["driftgauge"])
    for engine, some in reported.items():
        for name, version in some.items():
            if found.setdefault(name, version) != version:
                found[f"{name} of {engine}"] = version
    return found


def _costs(slug: str, title: str, records: Records, versions: dict[str, str], seconds: Seconds) -> Table:
    names = (*OURS, *PEERS)
    columns = tuple(f"{name}, ms" for name in names)
    rows = tuple(
        (case.name, *(_milliseconds(found.get(name), seconds) for name in names)) for case, found in records.items()
    )
    plot = Plot(columns, "ms", is_logarithmic=True)
    return Table(slug, title, _METHOD, ("m x n x d", *columns), rows, plot, versions)


def _milliseconds(record: Record | None, seconds: Seconds) -> Cell:
    return None if record is None else 1_000 * median(seconds(record))


def _ratios(records: Records, versions: dict[str, str]) -> Table:
    pairs = [(ours, peer) for peer in PEERS for ours in OURS]
    columns = tuple(f"{ours}, vs {peer}" for ours, peer in pairs)
    rows = tuple(
        (case.name, *(_ratio(found.get(ours), found.get(peer)) for ours, peer in pairs))
        for case, found in records.items()
    )
    method = f"CPU time of the peer divided by ours: how many times as fast. {_METHOD}"
    return Table(
        "engine-ratios", "How many times as fast as peers", method, ("m x n x d", *columns), rows, None, versions
    )


def _ratio(ours: Record | None, peer: Record | None) -> Cell:
    return None if ours is None or peer is None else median(peer.cpu) / median(ours.cpu)
