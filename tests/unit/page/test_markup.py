"""Markup that is safe by construction."""

from html.parser import HTMLParser

from hypothesis import given
from hypothesis import strategies as st

from driftgauge.page.markup import LONGEST_NAME, LONGEST_TEXT, Markup, joined, named, plain, tag


class Reader(HTMLParser):
    """What a browser would read: elements, and text with entities resolved."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep an element's name and attributes."""
        self.tags.append(tag)
        self.attributes += attrs

    def handle_data(self, data: str) -> None:
        """Keep a text."""
        self.text += data


def read(markup: str) -> Reader:
    """A reader at the end of the markup."""
    reader = Reader()
    reader.feed(markup)
    reader.close()
    return reader


@given(st.text(max_size=LONGEST_TEXT))
def test_no_text_becomes_an_element(text: str) -> None:
    """Whatever a stranger's text is, an element around it has one child, which is text."""
    found = read(tag("b", text, title=text))

    assert ["b"] == found.tags
    assert "title" == found.attributes[0][0]


@given(st.text(st.characters(categories=["L", "N", "P", "S"]), max_size=LONGEST_TEXT))
def test_letters_are_read_as_they_were_written(text: str) -> None:
    """A text of visible letters is the same on the page."""
    assert text == read(tag("b", text)).text


@given(st.text())
def test_a_page_can_be_written(text: str) -> None:
    """UTF-8 holds the markup of any text, halves of surrogate pairs included."""
    assert named(text).encode()
    assert tag("b", title=text).encode()


def test_known_escapes() -> None:
    """Angle brackets, quotes and ampersands are escaped in text and attributes."""
    expected = '<a href="?a=1&amp;b=&quot;2&quot;">&lt;b&gt;</a>'

    assert expected == tag("a", "<b>", href='?a=1&b="2"')


def test_what_turns_a_line_around_is_spelled_out() -> None:
    """A right-to-left override and a line break are shown by their numbers."""
    assert r"a\u202eb\nc" == plain("a\u202eb\nc")


def test_long_text_is_cut() -> None:
    """A name is no place for a document, and a sentence is no book."""
    assert "x" * (LONGEST_TEXT - 3) + "..." == plain("x" * 9999)
    assert f"<bdi>{'x' * (LONGEST_NAME - 3)}...</bdi>" == named("x" * 9999)


def test_markup_is_left_as_it_is() -> None:
    """Children that are markup are not escaped once more."""
    assert "<p><b>1</b>&lt;</p>" == tag("p", tag("b", "1"), "<")
    assert isinstance(joined(("<", Markup("<br>"))), Markup)


def test_names_may_break_at_underscores() -> None:
    """A long name can be folded on a phone."""
    assert "<bdi>fixed_<wbr>acidity</bdi>" == named("fixed_acidity")


def test_attribute_names() -> None:
    """A trailing underscore keeps a word of Python's free, others are hyphens."""
    assert '<i class="a" aria-hidden="true"></i>' == tag("i", class_="a", aria_hidden="true")
