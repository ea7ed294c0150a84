"""Keys in Redis with contents that are not ours, and which were deleted: each is counted, and named in the log once."""

import logging
from collections.abc import Callable
from typing import Final, final

_log = logging.getLogger(__name__)

_NAMED_KEYS: Final = 5
"""Keys of a store that the log names, at most: one program may have written hundreds at once. All are counted."""


@final
class ReplacedKeys:
    """Counts and names the replaced keys of one store.

    Args:
        what: What the keys should have had, as it reads after "no": `state`.
        on_replaced: Called for each key.
    """

    def __init__(self, what: str, on_replaced: Callable[[], None]) -> None:
        self._what = what
        self._on_replaced = on_replaced
        self._named: set[str] = set()

    def add(self, key: str) -> None:
        """Count a key, and name it once."""
        self._on_replaced()
        if key not in self._named and len(self._named) < _NAMED_KEYS:
            self._named.add(key)
            _log.warning("the key %.300s in Redis had no %s of driftgauge; it is replaced", key, self._what)
