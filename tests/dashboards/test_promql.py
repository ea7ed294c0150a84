"""The part of PromQL that the tests of boards parse."""

import pytest

from tests.support.promql import filled, metrics_of, sides


@pytest.mark.parametrize(
    ("expression", "metrics"),
    [
        ("rate(a_total[5m]) > 0.05", {"a_total"}),
        ('sum by (x, le) (rate(b{c=~"d|e", f="g"}[$__rate_interval])) / on (x) group_left () c', {"b", "c"}),
        ("time() - max by (x) (d) > 900", {"d"}),
        ('e unless max by (x) (f{y=~"z"} offset 1m)', {"e", "f"}),
    ],
)
def test_metrics_are_found(expression: str, metrics: set[str]) -> None:
    """Functions, labels, durations, numbers and keywords are no metrics."""
    assert metrics == metrics_of(expression)


def test_variables_are_replaced() -> None:
    """Both notations are replaced, and names with a common prefix are kept apart."""
    assert "a b-c bd" == filled("$x ${y}-c $yd", {"x": "a", "y": "b", "yd": "bd"})


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("a / b > 0.05 and c > 0.1", ["a / b ", " c"]),
        ("a == 0", ["a"]),
        ('absent(up{job=~".*x.*"})', ['up{job=~".*x.*"}']),
        ("a > 0 unless b", ["a ", " b"]),
    ],
)
def test_alerts_are_split_into_sides(expression: str, expected: list[str]) -> None:
    """A side without its comparison has series whether or not the alert fires."""
    assert expected == sides(expression)
