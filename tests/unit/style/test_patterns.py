"""Regular expressions mean the same in every Python that driftgauge supports."""

import re
from pathlib import Path

PACKAGE = Path(__file__).parents[3] / "sidecar" / "driftgauge"

_CHARACTER_CLASS = re.compile(r"\[(?:\\.|[^\]\\])*\]")
"""In a class such as `[()*+]` the signs are plain characters."""


def test_no_group_has_a_possessive_quantifier() -> None:
    """Before CPython 3.11.5 a possessive group could match although a part of it did not (gh-106052)."""
    found = [
        f"{path.relative_to(PACKAGE)}:{number}"
        for path in PACKAGE.rglob("*.py")
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if re.search(r"\)(?:[*+?]|\{[\d,]+\})\+", _CHARACTER_CLASS.sub("", line))
    ]

    assert [] == found
