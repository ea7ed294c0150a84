"""Markup that is safe by construction: what is not markup already is escaped. This room is pure."""

from collections.abc import Iterable
from html import escape

from driftgauge.inference.names import printable

LONGEST_TEXT = 1000
"""Characters of a sentence that are shown."""

LONGEST_NAME = 120
"""Characters of a stranger's name that are shown: a name is no place for a document."""


class Markup(str):
    """Text that is markup already, and goes into a page as it stands."""

    __slots__ = ()


def plain(text: str) -> Markup:
    """Any text as markup: escaped, cut where it is endless, and of letters that a page can hold."""
    shown = clipped(text, LONGEST_TEXT)
    return Markup(escape("".join(letter if letter.isprintable() else _spelled(letter) for letter in shown)))


def named(text: str, longest: int = LONGEST_NAME) -> Markup:
    """A stranger's name: it turns no line around if it runs from right to left, and may break at underscores."""
    return tag("bdi", Markup(plain(clipped(text, longest)).replace("_", "_<wbr>")))


def clipped(text: str, longest: int = LONGEST_NAME) -> str:
    """A text that is cut where it is too long."""
    return text if len(text) <= longest else text[: longest - 3] + "..."


def tag(name: str, *children: str, **attributes: str) -> Markup:
    """An element.

    Args:
        name: Of the element.
        children: Its content, one after the other; what is not `Markup` is escaped.
        attributes: Their values are escaped. A trailing underscore is left out of the name (`class_`), others
            become hyphens.
    """
    inside = "".join(f' {_attribute(key)}="{plain_attribute(value)}"' for key, value in attributes.items())
    return Markup(f"<{name}{inside}>{joined(children)}</{name}>")


def joined(parts: Iterable[str]) -> Markup:
    """Parts one after the other; what is not `Markup` is escaped."""
    return Markup("".join(part if isinstance(part, Markup) else plain(part) for part in parts))


def plain_attribute(value: str) -> Markup:
    """A value between quotes: as `plain`, but as long as it is."""
    return value if isinstance(value, Markup) else Markup(escape(printable(value)))


def _attribute(key: str) -> str:
    return key.rstrip("_").replace("_", "-")


def _spelled(letter: str) -> str:
    """A letter that cannot be seen, or that would turn the text around, by its number."""
    return letter.encode("unicode_escape").decode("ascii")
