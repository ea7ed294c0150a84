"""The dependence of each measured score of a feature, by name: what the JSON shows of it."""

from collections.abc import Sequence

from driftgauge.drift.detector.bet_set import BetSet
from driftgauge.drift.detector.dependence import KnownDependence
from driftgauge.drift.detector.verdict import ScoreFactors
from driftgauge.drift.profile import FeatureKind

_OF_NUMBERS = ("location", "scale", "below", "above", "missing")

_LAST_OF_CATEGORIES = ("unknown", "missing")


def score_names(kind: FeatureKind, measured: int) -> tuple[str, ...]:
    """The name of each measured score of a feature.

    Args:
        kind: The feature's kind.
        measured: How many scores are measured; none of an ignored feature.

    Returns:
        As many names as scores. The scores of a feature's frequent categories have one name, `category`.
    """
    if measured == 0:
        return ()
    if kind is FeatureKind.NUMERIC:
        return _OF_NUMBERS
    return ("category",) * (measured - len(_LAST_OF_CATEGORIES)) + _LAST_OF_CATEGORIES


def score_factors(names: Sequence[Sequence[str]], bet_set: BetSet, known: KnownDependence) -> tuple[ScoreFactors, ...]:
    """The factors of each feature.

    Args:
        names: The names of the measured scores of each of the `d` features.
        bet_set: The bets on them.
        known: What is known of the dependence of each measured score.

    Returns:
        One mapping for each feature, without the scores of events of which too few have happened. Of several scores of
        one name the largest factor counts; without a bound of one of them there is none.
    """
    found = []
    numbers = list(zip(known.factors.tolist(), known.grows.tolist(), known.assumed.tolist(), strict=True))
    for of_feature, part in zip(names, bet_set.measured_slices, strict=True):
        factors: dict[str, float | None] = {}
        for name, (factor, grows, assumed) in zip(of_feature, numbers[part], strict=True):
            if assumed:  # nothing has been measured
                continue
            before = factors.get(name, 1.0)
            factors[name] = None if grows or before is None else max(before, factor)
        found.append(factors)
    return tuple(found)
