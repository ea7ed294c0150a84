"""The samples of a scrape, by name and labels."""

from collections.abc import Iterator
from typing import Self

from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample


class Samples:
    """The samples of one scrape, found by name and some of their labels.

    Args:
        samples: All samples, in the order of the scrape.
    """

    def __init__(self, samples: list[Sample]) -> None:
        self._samples = samples

    @classmethod
    def parse(cls, text: str) -> Self:
        """Parse the classic text format."""
        return cls([sample for family in text_string_to_metric_families(text) for sample in family.samples])

    def __iter__(self) -> Iterator[Sample]:
        """All samples in order."""
        return iter(self._samples)

    def matching(self, name: str, **labels: str) -> list[Sample]:
        """The samples of that name that have at least these labels."""
        return [sample for sample in self._samples if sample.name == name and labels.items() <= sample.labels.items()]

    def total(self, name: str, **labels: str) -> float:
        """The sum of all matching samples; 0.0 without any."""
        return float(sum(sample.value for sample in self.matching(name, **labels)))
