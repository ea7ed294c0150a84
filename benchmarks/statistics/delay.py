"""Delay: rows from a change to the alarm, compared with windows of fixed size."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from benchmarks.statistics.cases import CASES, FEATURES, WITHOUT_TOLERANCE, Case, kinds_of, rows_of, stream_of
from benchmarks.statistics.engine import DEFAULT, LOOK_ROWS, WINDOW_ROWS, evaluator_of, looks, profiles_of
from benchmarks.statistics.intervals import median, median_and_p90, waited
from benchmarks.statistics.tables import table
from benchmarks.statistics.windows import SIZES, plain, promised, waits
from benchmarks.statistics.work import Effort, generator
from driftgauge.drift.budget import Budget
from driftgauge.drift.profile import Profile

Floats = NDArray[np.float64]

REFERENCE_ROWS = 5_000

BEFORE_ROWS = max(SIZES) + LOOK_ROWS
"""Rows before the change: enough to fill every window."""


@dataclass(frozen=True, slots=True)
class Setting:
    """The settings of driftgauge, and how large the reference is.

    Args:
        budget: Its budget.
        reference_rows: Rows of the reference.
        cases: The names of the changes.
    """

    budget: Budget
    reference_rows: int
    cases: tuple[str, ...] = tuple(CASES)


RARE_CASES = ("mean + 0.25 s", "scale x 1.25", "0.5 % become -999", "new category 1 %", "missing 0 to 2.5 %")

SETTINGS = (
    Setting(DEFAULT, REFERENCE_ROWS),
    Setting(replace(DEFAULT, share_tolerance=0.0005), 20_000, RARE_CASES),
    Setting(DEFAULT, 1_000, RARE_CASES),
    Setting(replace(DEFAULT, tolerance=0.0, share_tolerance=0.0), REFERENCE_ROWS, WITHOUT_TOLERANCE),
)


@dataclass(frozen=True, slots=True)
class Piece:
    """One change.

    Args:
        case: The name of the change.
        setting: The index in `SETTINGS`.
        number: The number of the repetition.
        cap: The largest number of rows after the change.
    """

    case: str
    setting: int
    number: int
    cap: int


@dataclass(frozen=True, slots=True)
class Delay:
    """Rows from the change to the alarm; infinity for none.

    Args:
        detector: Delay of the detector.
        window: Delay of the window of the default size.
        fixed: Delay of the window of each fixed size.
    """

    detector: float
    window: float
    fixed: Sequence[float]

    @property
    def product(self) -> float:
        """Delay of driftgauge: of detector or window, whichever is first."""
        return min(self.detector, self.window)


def measure(piece: Piece) -> Delay:
    """Measure one delay of driftgauge and of each fixed window."""
    rng, case = generator(3, list(CASES).index(piece.case), piece.number), CASES[piece.case]
    setting = SETTINGS[piece.setting]
    reference = rows_of(case.before, rng, setting.reference_rows)
    change = BEFORE_ROWS - int(rng.integers(LOOK_ROWS))
    stream = stream_of(case, rng, change, piece.cap + BEFORE_ROWS - change)
    profiles = profiles_of(reference, kinds_of(case))
    detector, window = _of_product(profiles, setting.budget, stream, change)
    alarm = _competitor(case, reference[:, 0], profiles[0], setting.budget)
    return Delay(detector, window, waits(alarm, stream[:, 0], change))


def run(effort: Effort) -> str:
    """A table for each setting."""
    return "\n\n".join(_table(effort, setting) for setting in range(len(SETTINGS)))


def _competitor(case: Case, reference: Floats, profile: Profile, budget: Budget) -> Callable[[Floats], bool]:
    """The rule of windows with the same promise as driftgauge."""
    return plain(case, reference) if budget.tolerance == 0 else promised(profile, budget)


def _of_product(profiles: Sequence[Profile], budget: Budget, stream: Floats, change: int) -> tuple[float, float]:
    """The delays of detector and window; the search ends when either has alarmed."""
    evaluator = evaluator_of(profiles, budget)
    detector = window = math.inf
    requests = np.arange(stream.shape[0], dtype=np.int64)
    for look in looks(evaluator, stream, requests, start=BEFORE_ROWS - WINDOW_ROWS // 2):
        if look.rows > change and look.detector:
            detector = min(detector, look.rows - change)
        if look.rows > change and look.window:
            window = min(window, look.rows - change)
        if math.isfinite(min(detector, window)):
            break
    return detector, window


def _table(effort: Effort, at: int) -> str:
    setting = SETTINGS[at]
    repetitions, cap = effort.of(20, 2), effort.of(14_000, 1_200)
    pieces = [Piece(case, at, number, cap) for case in setting.cases for number in range(repetitions)]
    found = list(effort.map(measure, pieces))
    lines = [
        _line(name, found[index * repetitions : (index + 1) * repetitions], cap)
        for index, name in enumerate(setting.cases)
    ]
    fixed = [f"window {size:,}" for size in SIZES]
    head = ["change", "driftgauge", *fixed, "best / driftgauge"]
    return f"{_words(repetitions, setting)}\n\n{table(head, lines)}"


def _line(name: str, found: Sequence[Delay], cap: int) -> list[str]:
    fixed = [median([one.fixed[at] for one in found]) for at in range(len(SIZES))]
    best, product = min(fixed), median([one.product for one in found])
    cells = [waited(value, cap) for value in fixed]
    if math.isfinite(best):
        cells[fixed.index(best)] = f"**{cells[fixed.index(best)]}**"
    return [
        name,
        median_and_p90([one.product for one in found], cap),
        *cells,
        f"{best / product:.1f}" if math.isfinite(best) and math.isfinite(product) else "",
    ]


def _words(repetitions: int, setting: Setting) -> str:
    spec = (
        "with a test at the level that gives the same rate of false alarms, no tolerance, and as if the reference were "
        "the truth: KS, and chi-square for categories and missing values"
        if setting.budget.tolerance == 0
        else "with driftgauge's own thresholds, tolerance and error of the reference included"
    )
    budget = setting.budget
    return (
        f"**Tolerance {budget.tolerance:g}, share tolerance {budget.share_tolerance:g}, references of "
        f"{setting.reference_rows:,} rows.** Rows from the change to the alarm: median, in brackets the 90th "
        f"percentile, of {repetitions} repetitions, each with a reference of its own. One of {FEATURES} features "
        f"changes; a look every {LOOK_ROWS} rows ({LOOK_ROWS / 2:g} s), one false alarm in 30 days. Window n: the n "
        f"newest rows at each look, {spec}. The best of them in bold: which one it is depends on the change."
    )
