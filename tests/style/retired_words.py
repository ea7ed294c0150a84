"""Finds words that the project no longer uses: `python -m tests.style.retired_words [PATH...]`.

docs/retired-words.toml lists them, with what to write instead and where a word is ordinary.
Exit code: 0 none found, 1 some found.
"""

import io
import re
import subprocess
import sys
import tokenize
import tomllib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
LIST = ROOT / "docs" / "retired-words.toml"

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
"""A word, or a part of a name: `MAX_ROWS`, `MaxRows` and `max_rows` have two each."""


@dataclass(frozen=True, slots=True)
class Retired:
    """One entry of the list.

    Args:
        words: In lower case.
        identifiers: As they were spelled.
        instead: What to write.
        ordinary: An occurrence inside a match of one of these is left alone.
        paths: Globs of files in which the words are left alone.
    """

    words: frozenset[str]
    identifiers: frozenset[str]
    instead: str
    ordinary: tuple[re.Pattern[str], ...]
    paths: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Finding:
    """A retired word in a file.

    Args:
        line: Its number, from 1.
        word: As it is spelled there.
        instead: What to write.
    """

    line: int
    word: str
    instead: str


def read_list(path: Path = LIST) -> tuple[tuple[Retired, ...], tuple[str, ...]]:
    """The entries of the list, and the globs of files that are not searched."""
    data = tomllib.loads(path.read_text("utf-8"))
    return tuple(_read_entry(entry) for entry in data["retired"]), tuple(data["exempt"])


def find(text: str, path: str, entries: Sequence[Retired]) -> Iterator[Finding]:
    """The retired words of a text.

    Args:
        text: The content of a file.
        path: Where it is, from the root of the repository; identifiers are searched in `.py` files only.
        entries: What is retired.
    """
    for entry in entries:
        if not any(fnmatch(path, glob) for glob in entry.paths):
            spared = [match.span() for pattern in entry.ordinary for match in pattern.finditer(text)]
            for word, start in _occurrences(text, path, entry):
                if not any(first <= start < last for first, last in spared):
                    yield Finding(text.count("\n", 0, start) + 1, word, entry.instead)


def main(paths: Sequence[str]) -> int:
    """Search the files given, or all of the repository's; print a line for each finding."""
    entries, exempt = read_list()
    count = 0
    for path in paths or _repository_files():
        text = _read(ROOT / path)
        if text is None or any(fnmatch(path, glob) for glob in exempt):
            continue
        for finding in [*find(text, path, entries), *find(path, "", entries)]:
            count += 1
            sys.stdout.write(f"{path}:{finding.line}: {finding.word!r} is retired; instead: {finding.instead}\n")
    sys.stdout.write(f"{count} retired words\n" if count else "")
    return 1 if count else 0


def _read_entry(entry: dict[str, Any]) -> Retired:
    return Retired(
        frozenset(entry.get("words", ())),
        frozenset(entry.get("identifiers", ())),
        entry["instead"],
        tuple(re.compile(pattern) for pattern in entry.get("ordinary", ())),
        tuple(entry.get("paths", ())),
    )


def _occurrences(text: str, path: str, entry: Retired) -> Iterator[tuple[str, int]]:
    if entry.words:
        for match in _WORD.finditer(text):
            if match[0].lower() in entry.words:
                yield match[0], match.start()
    if entry.identifiers and path.endswith(".py"):
        yield from _names(text, entry.identifiers)


def _names(text: str, identifiers: frozenset[str]) -> Iterator[tuple[str, int]]:
    starts = [0]
    for line in text.splitlines(keepends=True):
        starts.append(starts[-1] + len(line))
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.NAME and token.string in identifiers:
            yield token.string, starts[token.start[0] - 1] + token.start[1]


def _repository_files() -> Iterable[str]:
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return sorted(listed.stdout.splitlines())


def _read(path: Path) -> str | None:
    """The text of a file; `None` of one that is gone or holds no text."""
    try:
        return path.read_text("utf-8")
    except (FileNotFoundError, IsADirectoryError, UnicodeDecodeError):
        return None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
