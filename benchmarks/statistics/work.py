"""Independent pieces of work, run on all cores; each has its own seed."""

import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np

T = TypeVar("T")
R = TypeVar("R")

SEED = 20261123
"""The seed of all tables. Two runs with the same seed print the same, except for the cost of a look."""


@dataclass(frozen=True, slots=True)
class Effort:
    """How much is computed.

    Args:
        quick: A small run that only shows that everything works.
        workers: The number of processes.
    """

    quick: bool
    workers: int = field(default_factory=lambda: min(2, os.cpu_count() or 1))

    def of(self, full: int, quick: int) -> int:
        """The first number, or the second for a quick run."""
        return quick if self.quick else full

    def map(self, work: Callable[[T], R], pieces: Iterable[T]) -> Iterator[R]:
        """The results of pieces of work, in order."""
        with ProcessPoolExecutor(self.workers) as pool:
            yield from pool.map(work, pieces)


def generator(*place: int) -> np.random.Generator:
    """The random numbers of one piece of work."""
    return np.random.default_rng([SEED, *place])
