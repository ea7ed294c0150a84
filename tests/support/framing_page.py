"""Writes docs/framing.md: `python -m tests.support.framing_page`."""

from pathlib import Path

from tests.support.framing_peers import PEERS, recorded, recorded_versions
from tests.support.request_corpus import CORPUS, ENTRIES, Entry

PAGE = Path(__file__).parents[2] / "docs" / "framing.md"
_SHOWN_BYTES = 120

_INTRODUCTION = """# Odd and valid requests

What the proxy does with {count} raw requests, what the standard demands, and what {peers} do.
The logger reads requests by the same rules. A test sends each of them to all three. This page is generated from
`tests/support/request_corpus.py` by `python -m tests.support.framing_page`.

Bytes are written as in Python. The outcome is the status codes that the client gets: 200 comes from the server behind
the proxy, all others from the proxy itself. `waits` means that the proxy waits for the rest of the request. The columns
of the peers are empty where they do the same. Their configuration is the shortest that forwards requests without
buffering them.

driftgauge refuses each request whose end two readers could find in different places, also where the standard allows
a recovery: a client that sends such a request is broken or an attacker.
"""


def page() -> str:
    """The text of the page."""
    peers = " and ".join(f"{name} {number}" for name, number in recorded_versions().items())
    return _INTRODUCTION.format(count=len(ENTRIES), peers=peers) + "".join(
        f"\n## {subject}\n\n{_table(entries)}" for subject, entries in CORPUS.items()
    )


def _table(entries: list[Entry]) -> str:
    peers = recorded()
    lines = [
        "| Request | Bytes | Standard | driftgauge | " + " | ".join(PEERS) + " |",
        "|---|---|---|---|" + "---|" * len(PEERS),
    ]
    for entry in entries:
        theirs = [outcome if (outcome := peers[name][entry.name]) != entry.ours else "" for name in PEERS]
        standard = f"{entry.rule.section}: {entry.rule.demand}"
        cells = [entry.name, _code(entry.raw), standard, entry.ours, *theirs]
        lines.append("| " + " | ".join(map(str, cells)) + " |")
    return "\n".join(lines) + "\n"


def _code(raw: bytes) -> str:
    """The bytes as Python writes them, shortened in the middle."""
    text = repr(raw)[2:-1]
    if len(text) > _SHOWN_BYTES:
        text = f"{text[: _SHOWN_BYTES - 40]} ... {text[-35:]}"
    quotes = "``" if "`" in text else "`"
    return quotes + text.replace("|", "\\|") + quotes


if __name__ == "__main__":
    PAGE.write_text(page())
