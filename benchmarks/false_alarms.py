"""False alarms of drift: how often data that never change hold an alert's 15 minutes, with and without a floor on D.

`python -m benchmarks.false_alarms` lets models with normal features answer for ten hours each, at 0.5 rows a second.
Reference and rows are of one distribution; the sliding window is evaluated every 30 seconds as driftgauge does by
default: 2000 rows, alpha 0.05, Holm's correction. Runs of drift as long as an alert's `for` are counted. It takes a
minute or two; its seed is fixed, so that two runs print the same.
"""

import sys

import numpy as np
from numpy.typing import NDArray

from sidecar.drift.correction import Correction
from sidecar.drift.p_value import PValues
from sidecar.drift.report import Rule, evaluate

SEED = 1
MODELS = 20
FEATURES = [f"feature {number}" for number in range(11)]
REFERENCE_ROWS = (1_000, 300)
WINDOW_ROWS = 2_000
ROWS_AN_EVALUATION = 15
EVALUATIONS = 1_200
EVALUATIONS_A_DAY = 2_880
HELD = 31
"""Evaluations in a row that span the 15 minutes of `for`, at one in 30 seconds."""
FLOORS = (0.0, 0.1)
"""Smallest D that counts: none, and that of the alert rules."""


def drifted(
    reference: list[NDArray[np.float64]], window: NDArray[np.float64], rule: Rule, p_values: PValues
) -> list[bool]:
    """For each floor, whether some feature drifts with a D above it."""
    features = evaluate(FEATURES, reference, window, rule, p_values).features
    return [any(one.drift and one.statistic > floor for one in features) for floor in FLOORS]


def verdicts(rng: np.random.Generator, reference_rows: int, rule: Rule, p_values: PValues) -> NDArray[np.bool_]:
    """One model's evaluations, shape `(evaluations, floors)`."""
    reference = list(np.sort(rng.normal(size=(len(FEATURES), reference_rows)), axis=1))
    stream = rng.normal(size=(WINDOW_ROWS + ROWS_AN_EVALUATION * EVALUATIONS, len(FEATURES)))
    starts = range(0, ROWS_AN_EVALUATION * EVALUATIONS, ROWS_AN_EVALUATION)
    return np.array([drifted(reference, stream[at : at + WINDOW_ROWS], rule, p_values) for at in starts])


def alerts(verdict: NDArray[np.bool_]) -> int:
    """Runs of drift that last as long as `for`, each counted once."""
    edges = np.flatnonzero(np.diff(np.concatenate(([False], verdict, [False]))))
    return int(np.count_nonzero(edges[1::2] - edges[::2] >= HELD))


def main() -> None:
    """Measure and print."""
    rng, p_values, rule = np.random.default_rng(SEED), PValues(), Rule(0.05, Correction.HOLM, 200)
    days = MODELS * EVALUATIONS / EVALUATIONS_A_DAY
    sys.stdout.write(
        f"{'reference rows':>14}{'floor on D':>12}{'model-days':>12}{'drift':>8}{'alerts':>8}{'models':>8}\n"
    )
    for rows in REFERENCE_ROWS:
        found = [verdicts(rng, rows, rule, p_values) for _ in range(MODELS)]
        for number, floor in enumerate(FLOORS):
            fired = [alerts(one[:, number]) for one in found]
            share = float(np.mean([one[:, number] for one in found]))
            models = sum(count > 0 for count in fired)
            sys.stdout.write(f"{rows:>14}{floor:>12g}{days:>12.1f}{share:>8.1%}{sum(fired):>8}{models:>5}/{MODELS}\n")


if __name__ == "__main__":
    main()
