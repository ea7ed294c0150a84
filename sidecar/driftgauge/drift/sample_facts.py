"""What a report needs of one feature of a window, so that its values need not be kept until all are measured."""

from collections.abc import Sequence
from dataclasses import dataclass

from driftgauge.drift.histogram import Histogram
from driftgauge.drift.measure import Measurement, NumericFacts, Sample
from driftgauge.drift.result import Bin
from driftgauge.drift.untested import SampleSize


@dataclass(frozen=True, slots=True, eq=False)
class SampleFacts:
    """What was found in one feature of a window.

    Args:
        size: How much there is of it.
        measurements: Its tests; none if it has too few rows. Then the following are not computed.
        effective_rows: How many independent rows the values are worth; the rows without one if all lack it.
        outside: How many values the reference does not have.
        bins: Its histogram.
        numeric: The facts of numbers; `None` for categories, or without values.
    """

    size: SampleSize
    measurements: Sequence[Measurement]
    effective_rows: float = 1.0
    outside: int = 0
    bins: tuple[Bin, ...] = ()
    numeric: NumericFacts | None = None


def sample_facts(sample: Sample, histogram: Histogram, numeric: NumericFacts | None, min_rows: int) -> SampleFacts:
    """Measure one feature of a window.

    Args:
        sample: The feature.
        histogram: Its bins.
        numeric: What is known already of its numbers.
        min_rows: Fewest values of a feature, and fewest rows of a window, that are tested; at least 1.
    """
    weight = sample.weight
    size = SampleSize(
        name=sample.profile.name,
        values=sample.values.size,
        missing=sample.missing,
        reference_values=sample.profile.size,
        effective_rows=sample.effective_rows(weight),
        past=sample.past,
    )
    measurements = sample.measure(min_rows)
    if not measurements:
        return SampleFacts(size, ())
    return SampleFacts(
        size=size,
        measurements=measurements,
        effective_rows=sample.effective_rows(weight or sample.present_and_missing[1]),
        outside=sample.profile.count_outside(sample.values),
        bins=histogram.bins(sample.values, sample.missing),
        numeric=numeric,
    )
