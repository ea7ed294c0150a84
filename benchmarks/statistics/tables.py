"""Tables in Markdown, and the marks in a document between which they are written."""

from collections.abc import Sequence


def table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """A table whose first column is text, the others numbers."""
    rule = ["---", *["---:"] * (len(head) - 1)]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in (head, rule, *rows))


def fill(document: str, name: str, body: str) -> str:
    """The document with new text between two marks.

    Raises:
        ValueError: A mark is missing.
    """
    begin, end = f"<!-- begin: {name} -->", f"<!-- end: {name} -->"
    before, found, rest = document.partition(begin)
    _, closed, after = rest.partition(end)
    if not (found and closed):
        raise ValueError(f"the document has no marks for {name}: write {begin} and {end}")
    return f"{before}{begin}\n\n{body}\n\n{end}{after}"
