"""Pieces of work that need nothing from each other, on all cores; each has a seed of its own."""

import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np

T = TypeVar("T")
R = TypeVar("R")

SEED = 20261123
"""Of all tables. With the same seed two runs print the same, but for the cost of a look."""


@dataclass(frozen=True, slots=True)
class Effort:
    """How much is spent.

    Args:
        quick: A small run, that shows that all works; its numbers are worth little.
        workers: Processes.
    """

    quick: bool
    workers: int = field(default_factory=lambda: min(2, os.cpu_count() or 1))

    def of(self, full: int, quick: int) -> int:
        """One number of two."""
        return quick if self.quick else full

    def map(self, work: Callable[[T], R], pieces: Iterable[T]) -> Iterator[R]:
        """The results of pieces of work, in their order."""
        with ProcessPoolExecutor(self.workers) as pool:
            yield from pool.map(work, pieces)


def generator(*place: int) -> np.random.Generator:
    """The random numbers of one piece of work."""
    return np.random.default_rng([SEED, *place])
