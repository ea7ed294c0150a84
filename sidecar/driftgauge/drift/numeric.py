"""What is told of the numbers of a window: distances and deciles, of many features at once.

This room is pure: numpy in, numbers out.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from driftgauge.drift.statistics.effects import deciles_of_each
from driftgauge.drift.statistics.ks import ranked_ks_statistics
from driftgauge.drift.statistics.ranks import RankedWindow
from driftgauge.drift.statistics.wasserstein import Quantiles, wasserstein

_BLOCK_VALUES = 2**15
"""Values that are looked at together: they fit into a processor's cache, and no call takes a millisecond."""


@dataclass(frozen=True, slots=True)
class NumericFacts:
    """What is told of one feature.

    Args:
        statistic: The KS statistic, in [0, 1].
        wasserstein: The first Wasserstein distance, in the reference's standard deviations; `None` where that is 0.
        deciles: Of the window, ascending.
    """

    statistic: float
    wasserstein: float | None
    deciles: tuple[float, ...]


def numeric_facts(
    window: RankedWindow, quantiles: Sequence[Quantiles | None], rows: Sequence[int]
) -> Mapping[int, NumericFacts]:
    """What is told of each numeric feature that has values, by its place in the window.

    Args:
        window: `d` features.
        quantiles: Of each feature's reference; `None` for those that are not numeric.
        rows: Values of each feature's reference, at least 1.
    """
    found: dict[int, NumericFacts] = {}
    for features, m, n in _blocks(window, quantiles, rows):
        values, upto = window.values[features, :n], window.upto[features, :n]
        known = [one for feature in features if (one := quantiles[feature]) is not None]
        each = zip(
            ranked_ks_statistics(m, window.below[features, :n], upto).tolist(),
            wasserstein(known, values, upto),
            deciles_of_each(values),
            strict=True,
        )
        found.update(zip(features, (NumericFacts(*one) for one in each), strict=True))
    return found


def _blocks(
    window: RankedWindow, quantiles: Sequence[Quantiles | None], rows: Sequence[int]
) -> Iterator[tuple[list[int], int, int]]:
    """Features whose samples are of the same sizes: their places, and both sizes."""
    alike: dict[tuple[int, int], list[int]] = {}
    for feature, sizes in enumerate(zip(rows, window.sizes, strict=True)):
        if quantiles[feature] is not None and sizes[1]:
            alike.setdefault(sizes, []).append(feature)
    for (m, n), features in alike.items():
        width = max(1, _BLOCK_VALUES // n)
        yield from ((features[first : first + width], m, n) for first in range(0, len(features), width))
