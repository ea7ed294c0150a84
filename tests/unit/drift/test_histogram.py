"""The bars of a feature: which there are, what they are called, and how much lies in each."""

import numpy as np
import pytest
from numpy.typing import NDArray

from driftgauge.drift.histogram import Histogram
from driftgauge.drift.profile import Profile, categorical_profile, numeric_profile
from driftgauge.drift.result import Bin

Floats = NDArray[np.float64]

COLOURS = ("red", "white", "rosé")


def numbers(*values: float) -> Profile:
    """A numeric column."""
    return numeric_profile("a", np.sort(np.array(values, dtype=np.float64)))


def categories(*texts: str, missing: int = 0) -> Profile:
    """A column of categories, whose codes are their places among the distinct ones."""
    known = {text: float(place) for place, text in enumerate(dict.fromkeys(texts))}
    values = np.sort(np.array([known[text] for text in texts]))
    return categorical_profile("a", values, {code: text for text, code in known.items()}, missing)


def window(*values: float) -> Floats:
    """The values of a window."""
    return np.sort(np.array(values, dtype=np.float64))


def bars(found: tuple[Bin, ...]) -> dict[str, tuple[float, float]]:
    """Both shares by the bars' names."""
    return {one.label: (one.reference, one.window) for one in found}


def test_numbers_lie_in_the_reference_s_deciles() -> None:
    """Ten bars of the same share, one on each side, one for missing values; the window is counted by their bounds."""
    found = Histogram(numbers(*range(1, 101))).bars(window(-5, 10, 10.5, 20, 100, 101, 900), 3)

    assert ["below", *map(str, range(10)), "above", "missing"] == [one.label for one in found]
    assert [None, 10, 20, 30, 40, 50, 60, 70, 80, 90, 100, None, None] == [
        None if one.label == "below" else one.upper for one in found
    ]
    assert [0.0, *[0.1] * 10, 0.0, 0.0] == [one.reference for one in found]
    assert [0.1, 0.1, 0.2, 0, 0, 0, 0, 0, 0, 0, 0.1, 0.2, 0.3] == [one.window for one in found]


def test_few_distinct_values_have_a_bar_each() -> None:
    """A value between two of them counts to the one above."""
    found = Histogram(numbers(0, 0, 0, 1, 2.5)).bars(window(0, 0.5, 1, 2.5), 0)

    assert {
        "below": (0, 0),
        "0": (0.6, 0.25),
        "1": (0.2, 0.5),
        "2.5": (0.2, 0.25),
        "above": (0, 0),
        "missing": (0, 0),
    } == (bars(found))


def test_booleans_have_two_bars() -> None:
    """False and true are 0 and 1."""
    assert {"0": (0.75, 0.5), "1": (0.25, 0.5)} == {
        name: shares
        for name, shares in bars(Histogram(numbers(0, 0, 0, 1)).bars(window(0, 1), 0)).items()
        if name in "01"
    }


@pytest.mark.parametrize(("distinct", "bar"), [(12, "11"), (13, "9")])
def test_from_thirteen_values_on_there_are_deciles(distinct: int, bar: str) -> None:
    """Twelve are few."""
    labels = [one.label for one in Histogram(numbers(*range(distinct))).bars(window(1), 0)]

    assert bar == labels[-3]


def test_deciles_that_coincide_are_one_bar() -> None:
    """Of a column that is mostly 0 the first bar is that of its zeros."""
    found = Histogram(numbers(*[0.0] * 80, *range(1, 21))).bars(window(0, 0, 0, 5), 0)

    assert ["below", "0", "8", "9", "above", "missing"] == [one.label for one in found]
    assert (0.8, 0.75) == bars(found)["0"]


def test_a_constant_reference_has_one_bar() -> None:
    """All else lies below or above."""
    assert {"below": (0, 0.25), "7": (1, 0.5), "above": (0, 0.25), "missing": (0, 0)} == (
        bars(Histogram(numbers(7, 7, 7)).bars(window(6.999, 7, 7, 8), 0))
    )


@pytest.mark.parametrize(
    ("value", "label"),
    [(1e308, "1e+308"), (-0.0, "0"), (-3.0, "-3"), (1e-300, "1e-300"), (123456789.0, "123456789"), (1e16, "1e+16")],
)
def test_values_are_written_short(value: float, label: str) -> None:
    """A name can be read back, and is no endless row of digits."""
    found = Histogram(numbers(value)).bars(window(value), 0)

    assert (label, (1.0, 1.0)) == (found[1].label, bars(found)[label])
    assert value == float(label)


def test_the_greatest_numbers_have_bars_too() -> None:
    """At the ends of what doubles can hold."""
    greatest = float(np.finfo(np.float64).max)

    assert [0, 0.5, 0.5, 0, 0] == [
        one.window for one in Histogram(numbers(-greatest, greatest)).bars(window(-greatest, 0), 0)
    ]


def test_categories_have_bars_by_their_text() -> None:
    """The most frequent first, then what the reference does not know, then missing values."""
    profile = categories("white", "red", "red", "rosé", "red", "white", missing=2)
    found = Histogram(profile).bars(window(1, 1, 0, 9), 1)

    assert {
        "red": (3 / 8, 2 / 5),
        "white": (2 / 8, 1 / 5),
        "rosé": (1 / 8, 0),
        "unseen": (0, 1 / 5),
        "missing": (2 / 8, 1 / 5),
    } == bars(found)
    assert ["red", "white", "rosé", "unseen", "missing"] == [one.label for one in found]
    assert {None} == {one.upper for one in found}


@pytest.mark.parametrize("count", [20, 21, 100, 250])
def test_many_categories_have_twenty_bars(count: int) -> None:
    """All others that are known share one."""
    profile = categories(*(f"c{place}" for place in range(count)))
    found = bars(Histogram(profile).bars(np.arange(count + 1.0), 0))
    rare = count - 20

    assert 20 + (rare > 0) + 2 == len(found)
    assert (rare / count, rare / (count + 1)) == pytest.approx(found.get("rare", (0, 0)))
    assert (0.0, 1 / (count + 1)) == found["unseen"]


def test_a_category_may_be_called_like_one_of_ours() -> None:
    """It stands in quotes, and so does one that stands in quotes already: no two bars have one name."""
    texts = ["missing", "'missing'", "\"'missing'\"", "rare", "unseen", "#7"]
    profile = categories(*texts)
    labels = [one.label for one in Histogram(profile).bars(window(0, 1), 1)]

    assert [
        "'missing'",
        "\"'missing'\"",
        "'\"\\'missing\\'\"'",
        "'rare'",
        "'unseen'",
        "'#7'",
        "unseen",
        "missing",
    ] == labels


def test_a_category_without_text_goes_by_its_number() -> None:
    """Texts are kept up to a limit, codes always."""
    profile = categorical_profile("a", window(7, 7, 8), {8.0: "#7"})

    assert ["#7", "'#7'", "unseen", "missing"] == [one.label for one in Histogram(profile).bars(window(7), 0)]


@pytest.mark.parametrize("profile", [numbers(1, 2, 3), numbers(*range(50)), categories(*COLOURS)])
def test_a_window_of_missing_values_alone(profile: Profile) -> None:
    """All of it is in that bar."""
    found = Histogram(profile).bars(np.empty(0), 4)

    assert {"missing": 1.0} == {one.label: one.window for one in found if one.window}


def test_a_window_without_rows_has_shares_of_nothing() -> None:
    """All are 0."""
    assert {0.0} == {one.window for one in Histogram(numbers(1, 2)).bars(np.empty(0), 0)}
