"""A real Prometheus, with real proxies whose responses get labels, has series for every expression on outcomes."""

from collections.abc import Iterator

import pytest

from tests.dashboards.test_expressions import numbers, without_values
from tests.support.boards import Expression, Tree, boards, expressions, rules
from tests.support.grafana_variables import first_values
from tests.support.labelled_stack import GRADED, LabelledStack, labelled_stack
from tests.support.promql import filled, of_outcomes, sides

pytestmark = pytest.mark.timeout(180)

BOARDS = boards()
RULES = [rule for rule in rules() if of_outcomes(rule["expr"])]


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LabelledStack]:
    """The running parts, after the tasters have changed their minds."""
    with labelled_stack(tmp_path_factory.mktemp("stack")) as running:
        yield running


@pytest.mark.parametrize("name", ["outcomes", "fleet", "model-drift"])
def test_every_expression_on_outcomes_has_numbers(stack: LabelledStack, name: str) -> None:
    """The board's variables have their first values, and the model whose rows are all labelled."""
    board: Tree = BOARDS[name]
    values = first_values(stack.prometheus, board)
    if name != "fleet":
        values["inference_service"] = GRADED
    queried = [one for one in expressions(board) if of_outcomes(one.text) and "reason" not in one.text]

    assert queried
    assert {} == without_values(stack, [Expression(one.place, filled(one.text, values)) for one in queried])


def test_every_side_of_an_alert_on_outcomes_has_numbers(stack: LabelledStack) -> None:
    """Both sides of an alert's comparison have values, and the whole expression is accepted."""
    queried = [Expression(rule["alert"], side) for rule in RULES for side in sides(rule["expr"])]
    refused = [rule["alert"] for rule in RULES if numbers(stack, rule["expr"]) < 0]

    assert len(RULES) == 5
    assert {} == without_values(stack, queried)
    assert [] == refused


@pytest.mark.parametrize(
    ("alert", "severity"), [("DriftgaugePerformanceDrop", "critical"), ("DriftgaugeConceptDrift", "warning")]
)
def test_another_taste_reaches_alertmanager(stack: LabelledStack, alert: str, severity: str) -> None:
    """Labels that no longer agree with the predictions raise both alerts, of this model; inputs are still."""
    (notice,) = stack.alertmanager.wait_for(alert)

    assert (GRADED, severity) == (notice.labels["inference_service"], notice.labels["severity"])
    assert [] == stack.alertmanager.notices("DriftgaugeModelDrift")
