"""The engine's suite: competitors agree, tables have their figures, and a result that differs is an error."""

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
    """A record with these CPU times, and twice that as wall time."""
    return Record(([0.5], [0.1]), [seconds, seconds, 3 * seconds], [2 * seconds])


def test_cases_have_names_to_read() -> None:
    """Names of cases abbreviate thousands."""
    assert ["1k x 500 x 13", "10k x 2k x 13"] == [case.name for case in GRID[:2]]


def test_streams_are_long_enough(tmp_path: Path) -> None:
    """A stream has enough rows for all windows, which advance by a tenth of a window."""
    write(SMALL, 5, tmp_path / "case.npz")
    data = np.load(tmp_path / "case.npz")

    assert ((60, 2), (60, 2), 40) == (data["reference"].shape, data["stream"].shape, data["window_rows"])


def test_competitors_run_in_turn() -> None:
    """Processes of driftgauge and scipy have equal results, and a competitor that is not installed is left out."""
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


def test_a_slow_competitor_runs_fewer_times() -> None:
    """A slow competitor is done after three windows."""
    slow = Record(([], []), [1.0, 1.0], [3.0, 3.0])

    assert not slow.is_done
    slow.cpu.append(1.0)

    assert slow.is_done


def test_tables_hold_medians_and_ratios() -> None:
    """A peer with 20 ms against 2 ms has the ratio 10, and an absent peer has no figure."""
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
def test_a_different_result_is_refused(name: str, found: tuple[list[float], list[float]], what: str) -> None:
    """A competitor whose statistics or p-values differ is an error."""
    with pytest.raises(ValueError, match=f"{name} finds other {what}"):
        require_agreement({PEERS[0]: ([0.5], [0.1]), name: found})


def test_the_cost_of_a_look_is_measured() -> None:
    """Preparation, the first look and later looks each have a cost."""
    assert all(cost > 0 for cost in measure(STREAMS[0], 1))
