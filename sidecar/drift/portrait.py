"""A column of the reference with all that reports tell of it beside the window: made once, not at each look.

This room is pure: numpy in, values out.
"""

from sidecar.drift.histogram import Histogram
from sidecar.drift.profile import FeatureKind, Profile
from sidecar.drift.quantiles import deciles
from sidecar.drift.wasserstein import Quantiles


class Portrait:
    """One column.

    Args:
        profile: The column, not `IGNORED`.
    """

    def __init__(self, profile: Profile) -> None:
        numeric = profile.kind is FeatureKind.NUMERIC
        self.profile = profile
        self.histogram = Histogram(profile)
        self.deciles = deciles(profile.values) if numeric else ()
        self.quantiles = Quantiles(profile.values) if numeric else None
