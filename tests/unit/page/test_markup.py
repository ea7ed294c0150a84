"""HTML that is safe by construction."""

from html.parser import HTMLParser

from hypothesis import given
from hypothesis import strategies as st

from driftgauge.page.markup import LONGEST_NAME, LONGEST_TEXT, Markup, joined, named, plain, tag


class Reader(HTMLParser):
    """Parses elements, attributes and text, as a browser would."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Record an element's name and attributes."""
        self.tags.append(tag)
        self.attributes += attrs

    def handle_data(self, data: str) -> None:
        """Record text."""
        self.text += data


def read(markup: str) -> Reader:
    """Parse markup to its end."""
    reader = Reader()
    reader.feed(markup)
    reader.close()
    return reader


@given(st.text(max_size=LONGEST_TEXT))
def test_no_text_becomes_an_element(text: str) -> None:
    """An element around any untrusted text has only text as content."""
    found = read(tag("b", text, title=text))

    assert ["b"] == found.tags
    assert "title" == found.attributes[0][0]


@given(st.text(st.characters(categories=["L", "N", "P", "S"]), max_size=LONGEST_TEXT))
def test_visible_characters_are_kept(text: str) -> None:
    """A text of visible characters is the same on the page."""
    assert text == read(tag("b", text)).text


@given(st.text())
def test_any_text_can_be_encoded(text: str) -> None:
    """UTF-8 can encode the markup of any text, halves of surrogate pairs included."""
    assert named(text).encode()
    assert tag("b", title=text).encode()


def test_special_characters_are_escaped() -> None:
    """Angle brackets, quotes and ampersands are escaped in text and attributes."""
    expected = '<a href="?a=1&amp;b=&quot;2&quot;">&lt;b&gt;</a>'

    assert expected == tag("a", "<b>", href='?a=1&b="2"')


def test_invisible_characters_are_shown_as_escapes() -> None:
    """A right-to-left override and a line break are shown as escapes."""
    assert r"a\u202eb\nc" == plain("a\u202eb\nc")


def test_long_text_is_cut() -> None:
    """Names and other texts have a limit each."""
    assert "x" * (LONGEST_TEXT - 3) + "..." == plain("x" * 9999)
    assert f"<bdi>{'x' * (LONGEST_NAME - 3)}...</bdi>" == named("x" * 9999)


def test_markup_is_not_escaped_again() -> None:
    """Children that are markup stay as they are."""
    assert "<p><b>1</b>&lt;</p>" == tag("p", tag("b", "1"), "<")
    assert isinstance(joined(("<", Markup("<br>"))), Markup)


def test_names_may_break_at_underscores() -> None:
    """A long name can be wrapped on a phone."""
    assert "<bdi>fixed_<wbr>acidity</bdi>" == named("fixed_acidity")


def test_attribute_names() -> None:
    """A trailing underscore, as after a keyword of Python, is removed; others become hyphens."""
    assert '<i class="a" aria-hidden="true"></i>' == tag("i", class_="a", aria_hidden="true")
