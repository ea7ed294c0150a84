"""A real Prometheus, with a real proxy and logger whose data shift, has series for every expression."""

import math
import time
from collections.abc import Iterator
from urllib.error import HTTPError

import pytest

from tests.support.boards import Expression, Tree, boards, expressions, rules, variables
from tests.support.full_stack import NAMESPACE, SERVICE, FullStack, full_stack
from tests.support.grafana_variables import first_values, options
from tests.support.labelled_stack import LabelledStack
from tests.support.promql import filled, of_outcomes, sides

pytestmark = pytest.mark.timeout(180)

BOARDS = boards()
RULES = rules()


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FullStack]:
    """The running parts, after the shift."""
    with full_stack(tmp_path_factory.mktemp("stack")) as running:
        yield running


@pytest.fixture(params=BOARDS)
def board(request: pytest.FixtureRequest) -> Tree:
    """Each board."""
    return BOARDS[str(request.param)]


def numbers(stack: FullStack | LabelledStack, expression: str) -> int:
    """How many finite values an expression has had since the start, per second; -1 if Prometheus rejects it."""
    try:
        # One step beyond now, so that the last step includes the newest sample: a rate needs two.
        found = stack.prometheus.query_range(expression, stack.start, time.time() + 1, 1)
    except HTTPError:
        return -1
    return sum(math.isfinite(float(value)) for series in found for _, value in series["values"])


def without_values(stack: FullStack | LabelledStack, queried: list[Expression]) -> dict[str, str]:
    """The expressions that are rejected or have no value, by place."""
    return {f"{one.place}: {numbers(stack, one.text)}": one.text for one in queried if numbers(stack, one.text) < 1}


def test_every_expression_of_a_board_has_numbers(stack: FullStack, board: Tree) -> None:
    """The board's variables have their first values."""
    values = first_values(stack.prometheus, board)
    queried = [one for one in expressions(board) if not of_outcomes(one.text)]  # test_labelled_expressions has those

    assert {} == without_values(stack, [Expression(one.place, filled(one.text, values)) for one in queried])


def test_every_variable_offers_values(stack: FullStack, board: Tree) -> None:
    """The model is among the values. Only labels of other setups may have none: the cluster, and a known revision."""
    values = first_values(stack.prometheus, board)
    offered = {
        name: options(stack.prometheus, variable, values)
        for name, variable in variables(board).items()
        if variable["type"] == "query"
    }

    assert [[], []] == [offered.pop(name) for name in ("cluster", "revision")]
    assert all(offered.values())
    assert SERVICE in offered["inference_service"]
    assert NAMESPACE in offered["namespace"]
    assert ["driftgauge-logger", "driftgauge-proxy", "driftgauge-proxy-orphan"] == offered["job"]


def test_the_feature_that_drifts_is_listed_first(stack: FullStack) -> None:
    """The board of the model lists its columns by how far they are from the reference."""
    board = BOARDS["model-drift"]
    values = first_values(stack.prometheus, board)

    assert ["alcohol", "ph"] == options(stack.prometheus, variables(board)["feature"], values)


def test_every_side_of_an_alert_has_numbers(stack: FullStack) -> None:
    """Both sides of an alert's comparison have values, and the whole expression is accepted."""
    own = [rule for rule in RULES if not of_outcomes(rule["expr"])]
    queried = [Expression(rule["alert"], side) for rule in own for side in sides(rule["expr"])]
    refused = [rule["alert"] for rule in RULES if numbers(stack, rule["expr"]) < 0]

    assert {} == without_values(stack, queried)
    assert [] == refused


def test_drift_reaches_alertmanager(stack: FullStack) -> None:
    """The model's alert is pending, then fires once for the three processes.

    The rules are the shipped ones, except that `for` is 3 s.
    """
    (notice,) = stack.alertmanager.wait_for("DriftgaugeModelDrift")
    pending = numbers(stack, 'ALERTS{alertname="DriftgaugeModelDrift",alertstate="pending"}')

    assert (NAMESPACE, SERVICE) == (notice.labels["inference_service_namespace"], notice.labels["inference_service"])
    assert notice.annotations["summary"] == "wine has drifted: 1 of its features"
    assert notice.annotations["runbook_url"].endswith("/runbooks/drift#driftgaugemodeldrift")
    assert pending > 0


def test_the_alert_of_the_model_inhibits_those_of_its_features(stack: FullStack) -> None:
    """With the runbook's configuration the alert of the shifted feature is suppressed, and there is no other."""
    (notice,) = stack.alertmanager.wait_for("DriftgaugeFeatureDrift", "suppressed")

    assert notice.labels["feature"] == "alcohol"


def test_the_alert_of_the_model_inhibits_that_of_its_predictions(stack: FullStack) -> None:
    """Predictions follow the shifted feature, and there is one message."""
    (notice,) = stack.alertmanager.wait_for("DriftgaugePredictionDrift", "suppressed")

    assert (NAMESPACE, SERVICE) == (notice.labels["inference_service_namespace"], notice.labels["inference_service"])


def test_a_small_reference_reaches_alertmanager(stack: FullStack) -> None:
    """The notification says how many rows would be enough."""
    (notice,) = stack.alertmanager.wait_for("DriftgaugeReferenceTooSmall")

    assert notice.annotations["summary"] == "The reference of wine is too small: 277 rows would do"


@pytest.mark.parametrize(
    ("alert", "severity"), [("HighErrorRate", "warning"), ("DriftgaugeErrorRatioHigh", "critical")]
)
def test_failures_reach_alertmanager(stack: FullStack, alert: str, severity: str) -> None:
    """Requests to a replica without a model raise the article's alert and the one on the ratio, which pages."""
    (notice,) = stack.alertmanager.wait_for(alert)

    assert notice.labels["severity"] == severity
    assert notice.labels["inference_service"] == SERVICE
