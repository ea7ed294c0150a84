"""Where long work may be interrupted, by whoever has others waiting.

This room is pure: the caller says what a pause is.
"""

from collections.abc import Callable

Checkpoint = Callable[[], object]
"""Called between pieces of work that take well under a millisecond each."""


def no_checkpoint() -> None:
    """Nobody waits."""
