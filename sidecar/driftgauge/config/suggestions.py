"""Finds the name that a person most likely meant."""

from collections.abc import Iterable
from difflib import get_close_matches

_LEAST_SIMILARITY = 0.6
"""Ratio of `difflib.SequenceMatcher` from which two names count as alike: `prot` and `port` have 0.75."""


def closest(name: str, known: Iterable[str]) -> str | None:
    """The known name that is most like a name, whatever its case and its dashes; `None` if none is like it."""
    by_form = {_form(one): one for one in known}
    found = get_close_matches(_form(name), by_form, n=1, cutoff=_LEAST_SIMILARITY)
    return by_form[found[0]] if found else None


def _form(name: str) -> str:
    return name.lower().strip("-").replace("-", "_")
