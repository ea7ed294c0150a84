"""The bins of a feature: which there are, their labels, and their shares."""

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
    """A column of categories, whose codes are their positions among the distinct ones."""
    known = {text: float(position) for position, text in enumerate(dict.fromkeys(texts))}
    values = np.sort(np.array([known[text] for text in texts]))
    return categorical_profile("a", values, {code: text for text, code in known.items()}, missing)


def window(*values: float) -> Floats:
    """The values of a window."""
    return np.sort(np.array(values, dtype=np.float64))


def shares_of(found: tuple[Bin, ...]) -> dict[str, tuple[float, float]]:
    """Both shares by label."""
    return {one.label: (one.reference, one.window) for one in found}


def test_numbers_are_counted_in_the_reference_s_deciles() -> None:
    """There are ten bins of equal share, one on each side, and one for missing values."""
    found = Histogram(numbers(*range(1, 101))).bins(window(-5, 10, 10.5, 20, 100, 101, 900), 3)

    assert ["below", *map(str, range(10)), "above", "missing"] == [one.label for one in found]
    assert [None, 10, 20, 30, 40, 50, 60, 70, 80, 90, 100, None, None] == [
        None if one.label == "below" else one.upper for one in found
    ]
    assert [0.0, *[0.1] * 10, 0.0, 0.0] == [one.reference for one in found]
    assert [0.1, 0.1, 0.2, 0, 0, 0, 0, 0, 0, 0, 0.1, 0.2, 0.3] == [one.window for one in found]


def test_few_distinct_values_have_a_bin_each() -> None:
    """A value between two of them is counted in the bin of the larger one."""
    found = Histogram(numbers(0, 0, 0, 1, 2.5)).bins(window(0, 0.5, 1, 2.5), 0)

    assert {
        "below": (0, 0),
        "0": (0.6, 0.25),
        "1": (0.2, 0.5),
        "2.5": (0.2, 0.25),
        "above": (0, 0),
        "missing": (0, 0),
    } == shares_of(found)


def test_booleans_have_two_bins() -> None:
    """False and true are 0 and 1."""
    assert {"0": (0.75, 0.5), "1": (0.25, 0.5)} == {
        name: shares
        for name, shares in shares_of(Histogram(numbers(0, 0, 0, 1)).bins(window(0, 1), 0)).items()
        if name in "01"
    }


@pytest.mark.parametrize(("distinct", "label"), [(12, "11"), (13, "9")])
def test_thirteen_distinct_values_have_deciles(distinct: int, label: str) -> None:
    """Twelve are few, and have a bin each."""
    labels = [one.label for one in Histogram(numbers(*range(distinct))).bins(window(1), 0)]

    assert label == labels[-3]


def test_equal_deciles_are_one_bin() -> None:
    """In a column that is mostly 0 the first bin is that of its zeros."""
    found = Histogram(numbers(*[0.0] * 80, *range(1, 21))).bins(window(0, 0, 0, 5), 0)

    assert ["below", "0", "8", "9", "above", "missing"] == [one.label for one in found]
    assert (0.8, 0.75) == shares_of(found)["0"]


def test_a_constant_reference_has_one_bin() -> None:
    """All other values are below or above."""
    assert {"below": (0, 0.25), "7": (1, 0.5), "above": (0, 0.25), "missing": (0, 0)} == (
        shares_of(Histogram(numbers(7, 7, 7)).bins(window(6.999, 7, 7, 8), 0))
    )


@pytest.mark.parametrize(
    ("value", "label"),
    [(1e308, "1e+308"), (-0.0, "0"), (-3.0, "-3"), (1e-300, "1e-300"), (123456789.0, "123456789"), (1e16, "1e+16")],
)
def test_labels_of_numbers_are_short(value: float, label: str) -> None:
    """A label can be read back as the number, and has no long row of digits."""
    found = Histogram(numbers(value)).bins(window(value), 0)

    assert (label, (1.0, 1.0)) == (found[1].label, shares_of(found)[label])
    assert value == float(label)


def test_the_largest_floats_have_bins() -> None:
    """Values at both ends of the float range are counted."""
    greatest = float(np.finfo(np.float64).max)

    assert [0, 0.5, 0.5, 0, 0] == [
        one.window for one in Histogram(numbers(-greatest, greatest)).bins(window(-greatest, 0), 0)
    ]


def test_categories_are_labelled_by_their_text() -> None:
    """The most frequent come first, then unknown categories, then missing values."""
    profile = categories("white", "red", "red", "rosé", "red", "white", missing=2)
    found = Histogram(profile).bins(window(1, 1, 0, 9), 1)

    assert {
        "red": (3 / 8, 2 / 5),
        "white": (2 / 8, 1 / 5),
        "rosé": (1 / 8, 0),
        "unseen": (0, 1 / 5),
        "missing": (2 / 8, 1 / 5),
    } == shares_of(found)
    assert ["red", "white", "rosé", "unseen", "missing"] == [one.label for one in found]
    assert {None} == {one.upper for one in found}


@pytest.mark.parametrize("count", [20, 21, 100, 250])
def test_many_categories_have_twenty_bins(count: int) -> None:
    """All other known categories share one."""
    profile = categories(*(f"c{index}" for index in range(count)))
    found = shares_of(Histogram(profile).bins(np.arange(count + 1.0), 0))
    rare = count - 20

    assert 20 + (rare > 0) + 2 == len(found)
    assert (rare / count, rare / (count + 1)) == pytest.approx(found.get("rare", (0, 0)))
    assert (0.0, 1 / (count + 1)) == found["unseen"]


def test_a_category_may_have_a_reserved_label_as_text() -> None:
    """It is quoted, and so is a text that has quotes already: no two bins have the same label."""
    texts = ["missing", "'missing'", "\"'missing'\"", "rare", "unseen", "#7"]
    profile = categories(*texts)
    labels = [one.label for one in Histogram(profile).bins(window(0, 1), 1)]

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


def test_a_category_without_text_is_labelled_by_its_code() -> None:
    """Texts are kept up to a limit, codes are always known."""
    profile = categorical_profile("a", window(7, 7, 8), {8.0: "#7"})

    assert ["#7", "'#7'", "unseen", "missing"] == [one.label for one in Histogram(profile).bins(window(7), 0)]


@pytest.mark.parametrize("profile", [numbers(1, 2, 3), numbers(*range(50)), categories(*COLOURS)])
def test_a_window_of_missing_values_alone(profile: Profile) -> None:
    """All of its rows are in the bin of missing values."""
    found = Histogram(profile).bins(np.empty(0), 4)

    assert {"missing": 1.0} == {one.label: one.window for one in found if one.window}


def test_a_window_without_rows_has_no_shares() -> None:
    """All of the window's shares are 0."""
    assert {0.0} == {one.window for one in Histogram(numbers(1, 2)).bins(np.empty(0), 0)}
