"""docs/framing.md shows the corpus of raw requests as it is."""

from tests.support.framing_page import PAGE, page
from tests.support.framing_peers import recorded
from tests.support.request_corpus import ENTRIES


def test_the_page_is_up_to_date() -> None:
    """The page is what `python -m tests.support.framing_page` writes."""
    assert page() == PAGE.read_text()


def test_names_are_unique() -> None:
    """No two requests have one name, and the record of the peers names no other."""
    names = [entry.name for entry in ENTRIES]

    assert len(names) == len(set(names))
    assert [set(names)] * 2 == [set(outcomes) for outcomes in recorded().values()]
