"""Two recorded runs are compared value by value."""

from benchmarks.recorded_run import compare


def test_equal_runs_have_no_difference() -> None:
    """Whatever they are made of."""
    run = {"a": [1, None, {"b": 0.1}], "c": "text"}

    assert [] == list(compare(run, {**run}))


def test_a_difference_is_named_by_its_place() -> None:
    """A value that only one side has, lists of different lengths, and numbers that are close all differ."""
    before = {"a": [1, 2.0], "b": [1], "c": 0.1}
    after = {"a": [1, 2.1], "b": [1, 2], "d": 0.1}

    assert ["/a[1]: 2.0 | 2.1", "/b: [1] | [1, 2]", "/c: 0.1 | None", "/d: None | 0.1"] == list(compare(before, after))
