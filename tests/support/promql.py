"""Parses as much of PromQL as the tests of dashboards and alerts need."""

import re
from collections.abc import Mapping

_WORDS = frozenset({"and", "or", "unless", "offset", "bool", "by", "on", "group_left"})
_OF_OUTCOMES = tuple(
    f"driftgauge_{part}"
    for part in (
        "absolute_error",
        "calibration",
        "class_",
        "concept_",
        "confusion",
        "correct_",
        "label",
        "outcome",
        "performance",
        "responses_",
        "squared_error",
    )
)
_CONDITION = re.compile(r"\s*(?:==|!=|>=|<=|>|<)\s*\d+(?:\.\d+)?")


def metrics_of(expression: str) -> set[str]:
    """The names of the metrics in an expression."""
    bare = re.sub(r'"[^"]*"', "", expression)
    bare = re.sub(r"\{[^}]*\}|\[[^\]]*\]", "", bare)
    bare = re.sub(r"\b(?:by|on|group_left)\s*\([^)]*\)", "", bare)
    return set(re.findall(r"(?<![\w.])[A-Za-z_]\w*\b(?!\s*\()", bare)) - _WORDS


def of_outcomes(expression: str) -> bool:
    """Whether an expression is on labels, or on what is known from them."""
    return any(name.startswith(_OF_OUTCOMES) for name in metrics_of(expression))


def filled(expression: str, values: Mapping[str, str]) -> str:
    """An expression with values for its variables, `$name` or `${name}`."""
    return re.sub(r"\$(?:\{(\w+)\}|(\w+))", lambda found: values[found[1] or found[2]], expression)


def sides(expression: str) -> list[str]:
    """The operands of `and` and `unless` in an alert's condition, without comparisons and without `absent`."""
    operands = re.split(r"\b(?:and|unless)\b(?:\s+on\s*\([^)]*\))?", expression)
    return [re.sub(r"^\s*absent\((.*)\)\s*$", r"\1", _CONDITION.sub("", one), flags=re.DOTALL) for one in operands]
