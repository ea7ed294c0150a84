"""The commands in the documents: lines of `sh` blocks, and texts in backticks that start with a program."""

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.support.markdown_blocks import PAGES, ROOT, blocks, inline_code

PROGRAMS = "bash|cosign|curl|docker|driftgauge|git|helm|kubectl|make|pip|promtool|python -m|sed|source|tail"
_INLINE = re.compile(rf"(?:{PROGRAMS}) \S")
_COMMENT = re.compile(r"(^|\s+)# .*$")


@dataclass(frozen=True)
class Command:
    """One command of a page.

    Args:
        place: The page, and the line if it stands in a block.
        page: The page.
        text: The command without its comment; lines that end with a backslash are joined.
        inline: Whether it stands in a sentence. It may then be an abbreviation, and is never executed.
    """

    place: str
    page: Path
    text: str
    inline: bool

    def __str__(self) -> str:
        """Where it stands, and what it is."""
        return f"{self.place} {self.text}"

    @property
    def bare(self) -> str:
        """The text without variables that stand in front of it."""
        return re.sub(r"^(?:[A-Z_]+=\S+ )+", "", self.text)

    @property
    def programs(self) -> list[list[str]]:
        """The words of each program of a pipe or list, without variables that stand in front of it."""
        lexer = shlex.shlex(self.text, posix=True, punctuation_chars="|&;")
        lexer.whitespace_split = True
        lexer.commenters = ""
        found: list[list[str]] = [[]]
        for word in lexer:
            if set(word) <= set("|&;"):
                found.append([])
            elif found[-1] or not re.match(r"[A-Z_]+=", word):
                found[-1].append(word)
        return [words for words in found if words]


def commands(page: Path) -> Iterator[Command]:
    """Every command of a page."""
    name = str(page.relative_to(ROOT))
    for block in blocks(page):
        if block.language == "sh":
            # A joined line keeps its number of lines, so that the places stay right.
            text = re.sub(r"\\\n\s*", " ", block.text)
            for number, line in enumerate(text.splitlines(), block.line):
                if code := _COMMENT.sub("", line).strip():
                    yield Command(f"{name}:{number}", page, code, inline=False)
    for code in inline_code(page):
        if _INLINE.match(code):
            yield Command(name, page, code, inline=True)


def all_commands() -> list[Command]:
    """The commands of all pages, each text of a page once."""
    found = {(command.page, command.text): command for page in reversed(PAGES) for command in commands(page)}
    return sorted(found.values(), key=lambda command: (command.place, command.text))
