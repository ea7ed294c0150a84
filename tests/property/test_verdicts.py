"""The law of verdicts: "no drift" is said only where another window of the same size would have been called drift."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from driftgauge.drift.budget import Budget
from driftgauge.drift.profile import Profile, categorical_profile, numeric_profile
from driftgauge.drift.rule import Rule
from driftgauge.drift.statistics.correction import Correction
from driftgauge.drift.statistics.p_value import PValues, PValueSource
from driftgauge.drift.window_tester import evaluate
from driftgauge.offline.ks_2samp import Ks2sampPValues

pytestmark = pytest.mark.long

Floats = NDArray[np.float64]

UNKNOWN = 99.0
"""A number beyond every reference, and a category that none has."""

sizes = st.one_of(st.integers(1, 12), st.integers(1, 600))
budgets = st.builds(
    Budget,
    false_alarm_seconds=st.floats(3600.0, 1e8),
    evaluation_seconds=st.floats(1.0, 3600.0),
    tolerance=st.floats(0.0, 0.9),
)
rules = st.builds(
    Rule,
    alpha=st.floats(1e-6, 0.5),
    correction=st.sampled_from(Correction),
    min_rows=st.integers(1, 20),
    budget=st.none() | budgets,
)
sources = st.sampled_from([PValues(), Ks2sampPValues()])


@st.composite
def features(draw: st.DrawFn, rows: int) -> tuple[Profile, Floats]:
    """A reference of any size, and rows of a window, with few different values on both sides and some missing."""
    generator = np.random.default_rng(draw(st.integers(0, 2**32)))
    chances = generator.dirichlet(np.ones(draw(st.integers(1, 5))))
    known = np.sort(generator.choice(chances.size, draw(sizes), p=chances).astype(np.float64))
    window = generator.choice(chances.size, rows, p=chances).astype(np.float64)
    window[generator.random(rows) < draw(st.sampled_from([0.0, 0.0, 0.5, 0.99]))] = np.nan
    missing = draw(st.sampled_from([0, 0, 5, 500]))
    if draw(st.booleans()):
        return numeric_profile("", known, missing), window
    return categorical_profile("", known, {}, missing), window


@st.composite
def windows(draw: st.DrawFn) -> tuple[list[Profile], Floats]:
    """One to four features of a window."""
    rows = draw(sizes)
    drawn = draw(st.lists(features(rows), min_size=1, max_size=4))
    profiles = [replace(profile, name=str(place)) for place, (profile, _) in enumerate(drawn)]
    return profiles, np.column_stack([column for _, column in drawn])


@settings(max_examples=300, deadline=None)
@given(window=windows(), rule=rules, source=sources)
def test_no_drift_is_said_only_where_another_window_would_drift(
    window: tuple[list[Profile], Floats], rule: Rule, source: PValueSource
) -> None:
    """With as many values, all unknown to the reference, each feature that has "no drift" would have drifted."""
    profiles, values = window
    report = evaluate(profiles, values, rule, source)

    names = [*(one.feature for one in report.untested), *(one.feature for one in report.tested)]

    assert sorted(profile.name for profile in profiles) == sorted(names)
    for feature in report.tested:
        column = int(feature.feature)
        other = values.copy()
        other[~np.isnan(other[:, column]), column] = UNKNOWN
        drifts = {one.feature: one.drift for one in evaluate(profiles, other, rule, source).features}

        assert drifts[feature.feature] is True


@settings(max_examples=100, deadline=None)
@given(window=windows(), rule=rules)
def test_what_alarms_is_always_drift(window: tuple[list[Profile], Floats], rule: Rule) -> None:
    """A window that is called untestable has no test that alarms, and one that alarms is called drift."""
    profiles, values = window
    report = evaluate(profiles, values, rule, PValues())

    assert report.drift is (True if any(test.drift for one in report.features for test in one.tests) else report.drift)
    for feature in report.features:
        assert any(test.drift for test in feature.tests) is (feature.drift is True)
