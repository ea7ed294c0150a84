"""HTML that is safe by construction: text that is not `Markup` is escaped."""

from collections.abc import Iterable
from html import escape

from driftgauge.inference.payload import printable

LONGEST_TEXT = 1000
"""Characters of a text that are shown; the rest is cut."""

LONGEST_NAME = 120
"""Characters of a name that are shown; the rest is cut."""


class Markup(str):
    """Text that is HTML already, and is not escaped."""

    __slots__ = ()


def plain(text: str) -> Markup:
    """Any text as markup: escaped, cut at `LONGEST_TEXT`, with unprintable characters spelled out."""
    shown = clipped(text, LONGEST_TEXT)
    return Markup(
        escape("".join(character if character.isprintable() else _escape_sequence(character) for character in shown))
    )


def named(text: str, longest: int = LONGEST_NAME) -> Markup:
    """An untrusted name: text from right to left does not reverse its line, and it may break at underscores."""
    return tag("bdi", Markup(plain(clipped(text, longest)).replace("_", "_<wbr>")))


def clipped(text: str, longest: int = LONGEST_NAME) -> str:
    """A text, cut if it is too long."""
    return text if len(text) <= longest else text[: longest - 3] + "..."


def tag(name: str, *children: str, **attributes: str) -> Markup:
    """Make an element.

    Args:
        name: Its name.
        children: Its content in order; what is not `Markup` is escaped.
        attributes: Their values are escaped. In their names a trailing underscore is removed (`class_`), other
            underscores become hyphens.
    """
    inside = "".join(f' {_attribute(key)}="{plain_attribute(value)}"' for key, value in attributes.items())
    return Markup(f"<{name}{inside}>{joined(children)}</{name}>")


def joined(parts: Iterable[str]) -> Markup:
    """Join parts; what is not `Markup` is escaped."""
    return Markup("".join(part if isinstance(part, Markup) else plain(part) for part in parts))


def plain_attribute(value: str) -> Markup:
    """An attribute's value, escaped at full length."""
    return value if isinstance(value, Markup) else Markup(escape(printable(value)))


def _attribute(key: str) -> str:
    return key.rstrip("_").replace("_", "-")


def _escape_sequence(character: str) -> str:
    """An invisible or direction-changing character as its number."""
    return character.encode("unicode_escape").decode("ascii")
