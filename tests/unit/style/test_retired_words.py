"""Retired words are found whole, also as parts of names, and left alone where they are ordinary."""

import re

import pytest

from tests.style.retired_words import LIST, Finding, Retired, find, main, read_list

ENTRY = Retired(
    words=frozenset({"told", "floor"}),
    identifiers=frozenset({"Portrait"}),
    instead="another word",
    ordinary=(re.compile(r"np\.floor\b"),),
    paths=("docs/old/*",),
)


def words(text: str, path: str = "a.py") -> list[tuple[int, str]]:
    """Line and word of each finding."""
    return [(one.line, one.word) for one in find(text, path, [ENTRY])]


@pytest.mark.parametrize("text", ["told", "Told", "told_length", "json_told", "ToldLength", "NO_TOLD", "x.told()"])
def test_a_word_is_found_in_any_case_and_as_a_part_of_a_name(text: str) -> None:
    """Names are split at underscores and capital letters."""
    assert 1 == len(words(text))


@pytest.mark.parametrize("text", ["retold", "tolds", "untold", "flooring"])
def test_a_longer_word_is_another_word(text: str) -> None:
    """`retold` does not contain the word `told`."""
    assert [] == words(text)


def test_a_finding_has_its_line_and_the_word_to_use() -> None:
    """Lines count from 1."""
    assert [Finding(2, "told", "another word")] == list(find("a\nb told\n", "a.md", [ENTRY]))


def test_an_ordinary_use_is_left_alone() -> None:
    """Only the occurrence inside the match of the expression is spared."""
    assert [(1, "floor")] == words("np.floor(x), floor")


def test_a_file_in_which_the_word_is_ordinary_is_left_alone() -> None:
    """The path is matched as a glob."""
    assert [] == words("told", "docs/old/page.md")


def test_an_identifier_is_a_whole_name_in_python_code() -> None:
    """Neither a longer name, nor a string, nor another spelling, nor another kind of file."""
    assert [(1, "Portrait")] == words('Portrait = PortraitOf("Portrait", portrait)')
    assert [] == words("Portrait", "page.md")


def test_the_project_s_own_list_can_be_read() -> None:
    """Every entry names what to write instead."""
    entries, exempt = read_list(LIST)

    assert entries
    assert all(one.instead and (one.words or one.identifiers) for one in entries)
    assert "CHANGELOG.md" in exempt


def test_the_exit_code_says_whether_words_were_found(capsys: pytest.CaptureFixture[str]) -> None:
    """A file that is exempt has none, whatever it holds."""
    assert 0 == main(["docs/retired-words.toml"])
    assert "" == capsys.readouterr().out
