"""A hook that long computations call between pieces of work, so that the caller can let other threads run."""

from collections.abc import Callable

Checkpoint = Callable[[], object]
"""Called between pieces of work that each take well under a millisecond."""


def no_checkpoint() -> None:
    """Do nothing: no other thread is waiting."""
