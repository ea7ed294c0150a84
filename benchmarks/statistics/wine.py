"""Real data: red wines for a million rows, then white ones."""

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.statistics.engine import DEFAULT, LOOK_ROWS, WINDOW_ROWS, evaluator_of, looks, profiles_of
from benchmarks.statistics.intervals import median_and_p90
from benchmarks.statistics.tables import table
from benchmarks.statistics.work import Effort, generator
from driftgauge.drift.profile import FeatureKind

Floats = NDArray[np.float64]

DIRECTORY = Path(__file__).parents[2] / "examples" / "wine"

REFERENCE = "red.csv"


@dataclass(frozen=True, slots=True)
class Piece:
    """One stream of wines, drawn from a file with replacement.

    Args:
        number: The number of the stream.
        red: Rows of red wine.
        white: Rows of white wine after them.
        request_rows: Rows of a request.
    """

    number: int
    red: int
    white: int
    request_rows: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """The outcome of one stream.

    Args:
        looks: Looks at red wine.
        windows: Looks at red wine at which the window alarms.
        detectors: Looks at red wine at which the detector alarms.
        window: Rows of white wine until the window alarms.
        detector: Rows of white wine until the detector alarms.
    """

    looks: int
    windows: int
    detectors: int
    window: float
    detector: float


def wines(name: str) -> Floats:
    """A file's rows: shape `(n, 11)`."""
    return np.loadtxt(DIRECTORY / name, delimiter=",", skiprows=1)


def watch(piece: Piece) -> Outcome:
    """Evaluate one stream, look by look."""
    rng, reference = generator(5, piece.number), wines(REFERENCE)
    red, white = wines("red_stream.csv"), wines("white_stream.csv")
    drawn = [red[rng.integers(len(red), size=piece.red)], white[rng.integers(len(white), size=piece.white)]]
    stream = np.vstack(drawn)
    evaluator = evaluator_of(profiles_of(reference, [FeatureKind.NUMERIC] * reference.shape[1]), DEFAULT)
    seen = list(looks(evaluator, stream, np.arange(stream.shape[0], dtype=np.int64) // piece.request_rows))
    before = [look for look in seen if look.rows <= piece.red]
    after = [look for look in seen if look.rows > piece.red]
    return Outcome(
        looks=len(before),
        windows=sum(look.window for look in before),
        detectors=sum(look.detector for look in before),
        window=next((float(look.rows - piece.red) for look in after if look.window), math.inf),
        detector=next((float(look.rows - piece.red) for look in after if look.detector), math.inf),
    )


def run(effort: Effort) -> str:
    """The table."""
    streams, cap = effort.of(20, 2), 3_000
    pieces = [Piece(number, effort.of(50_000, 2_500), cap, 1) for number in range(streams)]
    batched = [Piece(100 + number, 2_560, cap, 32) for number in range(streams)]
    lines = []
    for name, part in (("a row a request", pieces), ("32 rows a request", batched)):
        found = list(effort.map(watch, part))
        lines.append(
            [
                name,
                f"{sum(piece.red for piece in part):,}",
                sum(one.windows for one in found),
                sum(one.detectors for one in found),
                median_and_p90([one.detector for one in found], cap),
                median_and_p90([one.window for one in found], cap),
            ]
        )
    head = [
        "requests",
        "red rows",
        "looks in alarm: window",
        "detector",
        "white rows to the detector's alarm",
        "window's",
    ]
    return f"{_words(streams)}\n\n{table(head, lines)}"


def _words(streams: int) -> str:
    return (
        f"Reference: the 1,000 red wines of examples/wine. Streams: {streams} of each kind, drawn with replacement "
        f"from the 599 red wines that were left out of it, then from the white ones; a look every {LOOK_ROWS} rows, "
        f"windows of {WINDOW_ROWS:,}, all defaults. Delay: median, in brackets the 90th percentile."
    )
