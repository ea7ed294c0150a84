"""Tables in Markdown, and the marks between which they stand in a document."""

from collections.abc import Sequence


def table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """A table; the first column is of text, the others of numbers."""
    rule = ["---", *["---:"] * (len(head) - 1)]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in (head, rule, *rows))


def fill(document: str, name: str, body: str) -> str:
    """The document with what stands between two marks replaced.

    Raises:
        ValueError: A mark is not there.
    """
    begin, end = f"<!-- begin: {name} -->", f"<!-- end: {name} -->"
    before, found, rest = document.partition(begin)
    _, closed, after = rest.partition(end)
    if not (found and closed):
        raise ValueError(f"the document has no marks for {name}: write {begin} and {end}")
    return f"{before}{begin}\n\n{body}\n\n{end}{after}"
