"""Where long work may be interrupted, by whoever has others waiting.

This room is pure: the caller says what a pause is.
"""

from collections.abc import Callable

Pause = Callable[[], object]
"""Called between pieces of work that take well under a millisecond each."""


def no_pause() -> None:
    """Nobody waits."""
