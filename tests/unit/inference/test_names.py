"""Names from the network become labels and keys."""

import pytest

from driftgauge.inference.payload import printable


@pytest.mark.parametrize(
    ("text", "expected"),
    [("", ""), ("wine", "wine"), ("wün 🍷", "wün 🍷"), ("a\udc80b", "a\\udc80b"), ("\ud83c", "\\ud83c")],
    ids=ascii,
)
def test_a_printable_text_can_be_encoded(text: str, expected: str) -> None:
    """Lone surrogates become their escapes, and all other characters stay."""
    assert expected == printable(text)
