"""The engine's suite: competitors agree, tables have their figures, and different results are refused."""

import sys
from pathlib import Path

import numpy as np
import pytest

from benchmarks.engine.cases import GRID, Case, write
from benchmarks.engine.competitors import CompetitorSpec, Record, race, started
from benchmarks.engine.evaluations import STREAMS, measure
from benchmarks.engine.suite import OURS, PEERS, require_agreement, tables

SMALL = Case(60, 40, 2)


def record(seconds: float) -> Record:
    """A competitor that took so many seconds for most windows."""
    return Record(([0.5], [0.1]), [seconds, seconds, 3 * seconds], [2 * seconds])


def test_cases_have_short_names() -> None:
    """Thousands are written with a k."""
    assert ["1k x 500 x 13", "10k x 2k x 13"] == [case.name for case in GRID[:2]]


def test_streams_are_long_enough(tmp_path: Path) -> None:
    """A stream has rows for all windows, each starting a tenth of a window after the one before."""
    write(SMALL, 5, tmp_path / "case.npz")
    data = np.load(tmp_path / "case.npz")

    assert ((60, 2), (60, 2), 40) == (data["reference"].shape, data["stream"].shape, data["window_rows"])


@pytest.mark.long
def test_competitors_take_turns() -> None:
    """Processes of driftgauge and of scipy have the same results; one that is not installed is left out."""
    ours = Path(sys.executable)
    specs = [
        CompetitorSpec(OURS[0], "driftgauge", 10, ours),
        CompetitorSpec(OURS[2], "driftgauge_kept", 10, ours),
        CompetitorSpec(PEERS[0], "scipy_asymp", 10, ours),
        CompetitorSpec(PEERS[3], "frouros", 10, None),
    ]
    with started(specs) as competitors:
        records = race(competitors, SMALL, 2)
        versions = competitors[0].versions

    assert [spec.name for spec in specs[:3]] == list(records)
    assert [2, 2, 2] == [len(one.cpu) for one in records.values()]
    assert {"numpy", "scipy"} == set(versions)
    require_agreement({name: one.first for name, one in records.items()})


def test_a_slow_competitor_has_fewer_rounds() -> None:
    """It is done after three windows, the fewest."""
    slow = Record(([], []), [1.0, 1.0], [3.0, 3.0])

    assert not slow.is_done
    slow.cpu.append(1.0)

    assert slow.is_done


def test_tables_have_medians_and_ratios() -> None:
    """By hand: a peer with 20 ms against 2 ms is ten times as slow; one that is not installed has no figure."""
    found = {OURS[0]: record(0.002), PEERS[0]: record(0.02)}
    cpu, wall, ratios = tables({SMALL: found}, {"numpy": "1"})

    assert ("60 x 40 x 2", 2.0, None, None, 20.0, None, None, None) == cpu.rows[0]
    assert ("60 x 40 x 2", 4.0, None, None, 40.0, None, None, None) == wall.rows[0]
    assert ("60 x 40 x 2", 10.0, *[None] * 11) == ratios.rows[0]


@pytest.mark.parametrize(
    ("name", "found", "what"),
    [
        (OURS[1], ([0.5 + 1e-9], [0.1]), "statistics"),
        (PEERS[2], ([0.5 + 1e-5], [0.1]), "statistics"),
        (OURS[1], ([0.5], [0.1 + 1e-7]), "p-values"),
    ],
)
def test_different_results_are_refused(name: str, found: tuple[list[float], list[float]], what: str) -> None:
    """Figures of a competitor with other statistics or p-values are not comparable."""
    with pytest.raises(ValueError, match=f"{name} has other {what}"):
        require_agreement({PEERS[0]: ([0.5], [0.1]), name: found})


def test_the_cost_of_a_look_is_measured() -> None:
    """There is a cost of making the evaluator, of the first look, and of later ones."""
    assert all(cost > 0 for cost in measure(STREAMS[0], 1))
