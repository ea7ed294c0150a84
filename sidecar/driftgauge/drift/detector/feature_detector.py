"""The detector of the features of a reference."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from driftgauge.drift.array_pool import ArrayPool, EqualArrays
from driftgauge.drift.budget import Budget, EffectiveRows
from driftgauge.drift.detector.bet_column import BetColumn
from driftgauge.drift.detector.bets import Bets, make_bets
from driftgauge.drift.detector.dependence import reference_effective_rows, rows_in_order
from driftgauge.drift.detector.detector import Detector
from driftgauge.drift.detector.score_factors import score_names
from driftgauge.drift.detector.verdict import Checkpoint, no_checkpoint
from driftgauge.drift.profile import FeatureKind, Profile


def feature_detector(
    profiles: Sequence[Profile],
    budget: Budget,
    min_rows: int,
    digest: str,
    checkpoint: Checkpoint = no_checkpoint,
    reference: Sequence[EffectiveRows] | None = None,
) -> Detector:
    """The detector of these features.

    Args:
        profiles: The reference's features; nothing is bet on those that are ignored.
        budget: Sets the threshold and the tolerance.
        min_rows: No alarm before so many rows.
        digest: Identifies the reference.
        checkpoint: Called between features, here and at each advance.
        reference: How many independent rows each feature's reference is worth, if that is known already.
    """
    features = max(1, sum(profile.kind is not FeatureKind.IGNORED for profile in profiles))
    columns, pool, equal = [], ArrayPool(), EqualArrays()
    for profile, rows in zip(profiles, reference or reference_effective_rows(profiles, checkpoint), strict=True):
        checkpoint()
        bets = make_bets(profile, budget, features, rows).kept_in(pool, equal)
        names = score_names(profile.kind, bets.own_factors.size)
        columns.append(BetColumn(bets, names, _varying(profile, bets)))
    return Detector(columns, budget, min_rows, digest, checkpoint, rows_in_order(profiles))


def _varying(profile: Profile, bets: Bets) -> NDArray[np.bool_]:
    """Which measured scores vary among the reference's values; those of a constant column do not: shape `(f,)`."""
    if bets.own_factors.size == 0:
        return np.empty(0, dtype=np.bool_)
    scores = bets.scores[:, bets.own_factors].reshape(bets.buckets, -1, bets.own_factors.size)[:, :-1]
    return np.asarray(np.ptp(scores[:, profile.cells.shares > 0], axis=1).max(axis=0, initial=0.0) > 0)
