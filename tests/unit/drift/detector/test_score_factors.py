"""The dependence of the scores of a feature, by name."""

from collections.abc import Sequence

import numpy as np

from driftgauge.drift.budget import Budget
from driftgauge.drift.detector.bet_set import BetSet
from driftgauge.drift.detector.bets import make_bets
from driftgauge.drift.detector.dependence import KnownDependence
from driftgauge.drift.detector.score_factors import score_factors, score_names
from driftgauge.drift.detector.verdict import ScoreFactors
from driftgauge.drift.profile import Profile, categorical_profile, ignored_profile, numeric_profile
from driftgauge.drift.rule import Rule
from driftgauge.drift.statistics.correction import Correction
from driftgauge.drift.stream_evaluator import StreamEvaluator
from tests.support.streams import Stream

BUDGET = Budget(false_alarm_seconds=30 * 86_400.0, evaluation_seconds=60.0, tolerance=0.05)
NUMBER = numeric_profile("alcohol", np.sort(np.random.default_rng(1).normal(size=500)))


def factors(profiles: Sequence[Profile], known: Sequence[float]) -> tuple[ScoreFactors, ...]:
    """The factors by name, of measured scores that have these factors; infinity is one without a bound."""
    bets = [make_bets(one, BUDGET, 1) for one in profiles]
    each = np.array(known)
    names = [score_names(one.kind, of.own_factors.size) for one, of in zip(profiles, bets, strict=True)]
    grows, none = np.isinf(each), np.zeros(each.size, dtype=np.bool_)
    return score_factors(names, BetSet(bets), KnownDependence(each, ~grows, grows, none))


def test_a_number_has_five_factors() -> None:
    """Each score has its name, and one without a bound is `None`."""
    found = factors([NUMBER], [4.0, 2.0, np.inf, 8.0, 1.0])

    assert ({"location": 4.0, "scale": 2.0, "below": None, "above": 8.0, "missing": 1.0},) == found


def test_the_categories_of_a_feature_share_a_name() -> None:
    """Of the three that are measured the largest factor is shown, and none if one of them has no bound."""
    codes = np.repeat([0.0, 1.0, 2.0, 3.0], [400, 300, 200, 100])
    colour = categorical_profile("colour", codes, {0.0: "red", 1.0: "white", 2.0: "rose", 3.0: "orange"})
    bounded, unbounded = factors([colour], [2.0, 4.0, 3.0, 8.0, 1.0]), factors([colour], [2.0, np.inf, 3.0, 8.0, 1.0])

    assert ({"category": 4.0, "unknown": 8.0, "missing": 1.0},) == bounded
    assert ({"category": None, "unknown": 8.0, "missing": 1.0},) == unbounded


def test_an_ignored_feature_has_none() -> None:
    """The factors of the feature after it are its own."""
    found = factors([ignored_profile("id", 500), NUMBER], [4.0, 2.0, 8.0, 8.0, 1.0])

    assert [{}, 4.0] == [found[0], found[1]["location"]]


def test_a_feature_of_a_stream_has_its_factors() -> None:
    """Rows in random order have a factor near 1 of location; events that never happened have none."""
    stream = Stream(StreamEvaluator([NUMBER], Rule(0.05, Correction.HOLM, 30, BUDGET), "digest"), 1_000)
    found = stream.feed(np.random.default_rng(5).normal(size=(10_000, 1)), each=1_000)[-1]
    (feature,) = found.report.features
    location = feature.dependence["location"]

    assert {"location", "scale"} <= set(feature.dependence)
    assert location is not None
    assert 1 <= location < 2
    assert "missing" not in feature.dependence
