"""The rate of alarms of windows without drift, by either decision."""

import numpy as np
import pytest

from driftgauge.drift.budget import Budget
from driftgauge.drift.profile import categorical_profile, numeric_profile
from driftgauge.drift.rule import Rule
from driftgauge.drift.statistics.correction import Correction
from driftgauge.drift.statistics.p_value import PValues
from driftgauge.drift.window_tester import evaluate

pytestmark = pytest.mark.long

HOLM = Rule(alpha=0.05, correction=Correction.HOLM, min_rows=50)
BUDGET = Rule(0.05, Correction.HOLM, 50, Budget(false_alarm_seconds=30 * 86400, evaluation_seconds=60, tolerance=0.05))


def test_false_alarm_rate() -> None:
    """Without drift Holm at 0.05 over three features alarms in at most 5 % of windows, up to chance; the budget never.

    1000 windows, each against a reference of its own: at a rate of 5 % more than 75 alarms have a chance of 2e-4. The
    budget of one false alarm in 30 days of minutes allows one in 43,200 windows.
    """
    generator = np.random.default_rng(3)
    values, alarms = PValues(), {HOLM: 0, BUDGET: 0}
    for _ in range(1000):
        profiles = [numeric_profile(name, np.sort(generator.normal(size=400))) for name in "abc"]
        window = generator.normal(size=(100, 3))
        for rule in alarms:
            alarms[rule] += bool(evaluate(profiles, window, rule, values).drift)

    assert 20 <= alarms[HOLM] <= 75
    assert 0 == alarms[BUDGET]


@pytest.mark.parametrize("categories", [10, 1_000])
def test_p_values_of_categories_keep_their_level_however_many_there_are(categories: int) -> None:
    """About 5 % of 200 windows without drift are below 0.05, even with categories that are frequent by chance."""
    rng = np.random.default_rng(3)
    rule = Rule(0.05, Correction.HOLM, min_rows=1)
    found = 0
    for _ in range(200):
        reference = np.sort(rng.integers(categories, size=5_000).astype(np.float64))
        window = rng.integers(categories, size=(500, 1)).astype(np.float64)
        found += bool(evaluate([categorical_profile("c", reference, {})], window, rule, PValues()).drift)

    assert 2 <= found <= 22  # 10 are expected; the chance of a number outside is 0.0005
