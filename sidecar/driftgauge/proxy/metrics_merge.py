"""Merges two pages of metrics: reads the model server's page, and finds those of our families that it does not have.

Source: text format 0.0.4, https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format.
"""

import re
from collections.abc import Iterable, Iterator
from collections.abc import Set as AbstractSet

from prometheus_client import Metric
from prometheus_client.registry import Collector

_NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*+"
_PAIR = r'[ \t]*+ [a-zA-Z_][a-zA-Z0-9_]*+ [ \t]*+ = [ \t]*+ "(?:[^"\\]|\\.)*" [ \t]*+'
_LINE = re.compile(
    rf"""
    [ \t]*+
    (?:
    | \# [ \t]++ HELP [ \t]++ (?P<help> {_NAME}) (?: [ \t] .* )?
    | \# [ \t]++ TYPE [ \t]++ (?P<type> {_NAME}) [ \t]++ (?: counter | gauge | histogram | summary | untyped ) [ \t]*+
    | \# (?! [ \t]++ (?: (?: HELP | TYPE ) [ \t] | EOF $ ) ) .*
    | (?P<sample> {_NAME}) [ \t]*+
      (?: \{{ (?: {_PAIR} (?: , {_PAIR} )* ,? )? [ \t]*+ \}} [ \t]*+ | (?<= [ \t] ) )
      [-+]? (?: (?: \d++ (?: \. \d*+ )? | \. \d++ ) (?: [eE] [-+]? \d{{1,3}} )? | [iI]nf | [nN]a[nN] )
      (?: [ \t]++ -? \d++ )? [ \t]*+
    )
    """,
    re.VERBOSE | re.ASCII,
)
"""Possessive throughout, so that the time for a line grows with its length and no faster."""


class NotClassicTextError(ValueError):
    """A page that a reader of the classic text format refuses, and with it the whole scrape."""


def names_of(page: bytes) -> frozenset[str]:
    """The names in a page: of families and of samples.

    Args:
        page: In the classic text format, UTF-8.

    Raises:
        NotClassicTextError: It is not in that format, which has neither exemplars nor the types of OpenMetrics.
    """
    try:
        text = page.decode()
    except UnicodeDecodeError:
        raise NotClassicTextError("the page is not UTF-8") from None
    return frozenset(_names(text))


def _names(text: str) -> Iterator[str]:
    for number, line in enumerate(text.split("\n"), 1):
        found = _LINE.fullmatch(line)
        if found is None:
            raise NotClassicTextError(f"line {number} is not of the text format 0.0.4")
        if found.lastgroup is not None:
            yield found[found.lastgroup]


class Rest(Collector):
    """The families that another page does not have.

    A family is left out if its name, or the name of one of its samples, is in the other page: a reader merges both.

    Args:
        families: All families.
        taken: Names in the other page.
    """

    def __init__(self, families: Iterable[Metric], taken: AbstractSet[str]) -> None:
        everything = list(families)
        self._kept = [family for family in everything if taken.isdisjoint(_names_of_family(family))]
        self.left_out = sorted({family.name for family in everything} - {family.name for family in self._kept})

    def collect(self) -> Iterator[Metric]:
        """The families, in their order."""
        return iter(self._kept)


def _names_of_family(family: Metric) -> set[str]:
    shown = family.name + ("_total" if family.type == "counter" else "")
    return {shown, *(sample.name for sample in family.samples)}


def joined(theirs: bytes, ours: bytes, remarks: Iterable[str]) -> bytes:
    """One page: theirs as it is, a comment for each remark, then ours.

    Args:
        theirs: The model server's page; may be empty.
        ours: A page of families that theirs does not have.
        remarks: Sentences for a person.
    """
    lines = [f"# driftgauge: {' '.join(remark.split())}\n" for remark in remarks]
    end = b"" if not theirs or theirs.endswith(b"\n") else b"\n"
    return theirs + end + "".join(lines).encode() + ours
