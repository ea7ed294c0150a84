"""Distances and deciles of a window's numeric features, of many features in one numpy call."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from driftgauge.drift.statistics.effects import deciles_of_each
from driftgauge.drift.statistics.ks import ranked_ks_statistics
from driftgauge.drift.statistics.ranks import RankedWindow
from driftgauge.drift.statistics.wasserstein import Quantiles, wasserstein

_BLOCK_VALUES = 2**15
"""Values per numpy call: they fit into a processor's cache, and no call takes a millisecond."""


@dataclass(frozen=True, slots=True)
class NumericFacts:
    """The facts of one numeric feature.

    Args:
        ks: The KS statistic, in [0, 1].
        wasserstein: The first Wasserstein distance, in the reference's standard deviations; `None` where that is 0.
        deciles: The deciles of the window, ascending.
    """

    ks: float
    wasserstein: float | None
    deciles: tuple[float, ...]


def numeric_facts(
    window: RankedWindow, quantiles: Sequence[Quantiles | None], reference_rows: Sequence[int]
) -> Mapping[int, NumericFacts]:
    """The facts of each numeric feature that has values, by its position in the window.

    Args:
        window: `d` features.
        quantiles: The quantiles of each feature's reference; `None` for features that are not numeric.
        reference_rows: The number of values of each feature's reference, at least 1.
    """
    facts: dict[int, NumericFacts] = {}
    for positions, m, n in _blocks(window, quantiles, reference_rows):
        values, at_most = window.values[positions, :n], window.at_most[positions, :n]
        references = [one for position in positions if (one := quantiles[position]) is not None]
        each = zip(
            ranked_ks_statistics(m, window.below[positions, :n], at_most).tolist(),
            wasserstein(references, values, at_most),
            deciles_of_each(values),
            strict=True,
        )
        facts.update(zip(positions, (NumericFacts(*one) for one in each), strict=True))
    return facts


def _blocks(
    window: RankedWindow, quantiles: Sequence[Quantiles | None], reference_rows: Sequence[int]
) -> Iterator[tuple[list[int], int, int]]:
    """Positions of features whose references are of one size and whose windows are too; and both sizes."""
    alike: dict[tuple[int, int], list[int]] = {}
    for position, sizes in enumerate(zip(reference_rows, window.sizes, strict=True)):
        if quantiles[position] is not None and sizes[1]:
            alike.setdefault(sizes, []).append(position)
    for (m, n), positions in alike.items():
        width = max(1, _BLOCK_VALUES // n)
        yield from ((positions[first : first + width], m, n) for first in range(0, len(positions), width))
