"""The committed boards as data: in sync with their code, whole, and about metrics that exist."""

import itertools
import re
from collections import Counter

import pytest

pytest.importorskip(
    "grafana_foundation_sdk", reason="grafana_foundation_sdk is not installed; `make chart-test` installs it"
)

from charts.dashboards import BOARDS
from charts.dashboards.__main__ import DIRECTORY
from charts.dashboards.board import as_json
from tests.support.boards import Tree, boards, expressions, panels, rules, variables
from tests.support.cluster_exporter import METRICS as CLUSTER_METRICS
from tests.support.families import sample_names
from tests.support.promql import metrics_of

ALL = boards()
BUILT_IN = {"datasource", "__rate_interval", "__url_time_range"}
PROMETHEUS_OWN = {"up"}


@pytest.fixture(params=ALL)
def board(request: pytest.FixtureRequest) -> Tree:
    """Each board in turn."""
    return ALL[str(request.param)]


def test_the_files_are_what_the_code_makes() -> None:
    """`python -m charts.dashboards` writes them anew."""
    assert {f"{name}.json": as_json(make()) for name, make in BOARDS.items()} == {
        path.name: path.read_text() for path in DIRECTORY.iterdir()
    }


def test_uids_and_titles_are_unique() -> None:
    """Grafana tells boards apart by uid, people by title."""
    assert {1} == set(Counter(board["uid"] for board in ALL.values()).values())
    assert {1} == set(Counter(board["title"] for board in ALL.values()).values())


def test_panels_have_numbers_of_their_own(board: Tree) -> None:
    """From 1 on: Grafana takes 0 for none."""
    assert list(range(1, len(board["panels"]) + 1)) == sorted(panel["id"] for panel in board["panels"])


def test_panels_lie_side_by_side(board: Tree) -> None:
    """No two cover the same cell of the grid of 24 columns."""
    covered = Counter(
        cell
        for place in (panel["gridPos"] for panel in board["panels"])
        for cell in itertools.product(
            range(place["x"], place["x"] + place["w"]), range(place["y"], place["y"] + place["h"])
        )
    )

    assert {1} == set(covered.values())
    assert max(column for column, _ in covered) < 24


def test_panels_explain_themselves(board: Tree) -> None:
    """Each has a title, a description, a unit and options."""
    missing = [
        panel["title"]
        for panel in panels(board)
        if not (panel["title"] and panel["description"] and panel["options"])
        or not panel["fieldConfig"]["defaults"].get("unit")
    ]

    assert [] == missing


def test_everything_asks_the_chosen_data_source(board: Tree) -> None:
    """Panels, their queries, variables and annotations name `${datasource}` and no other."""
    asked = [
        *(panel["datasource"] for panel in panels(board)),
        *(target["datasource"] for panel in panels(board) for target in panel["targets"]),
        *(one["datasource"] for one in variables(board).values() if one["type"] == "query"),
        *(one["datasource"] for one in board["annotations"].get("list", [])),
    ]

    assert all({"type": "prometheus", "uid": "${datasource}"} == one for one in asked)
    assert next(iter(variables(board))) == "datasource"


def test_variables_are_declared_before_use(board: Tree) -> None:
    """An undeclared variable stays in the query as text, and finds nothing."""
    declared = BUILT_IN | set(variables(board))
    used = {
        found[0] or found[1]
        for text in (
            *(one.text for one in expressions(board)),
            *(panel["title"] for panel in board["panels"]),
            *(str(one["query"]) for one in variables(board).values()),
        )
        for found in re.findall(r"\$(?:\{(\w+)\}|(\w+))", text)
    }

    assert used <= declared


def test_boards_are_linked(board: Tree) -> None:
    """Each carries the tag that all link to, with time and variables taken along."""
    (link,) = board["links"]

    assert link["tags"] == board["tags"]
    assert (True, True) == (link["keepTime"], link["includeVars"])


def test_links_lead_to_boards_that_are_there() -> None:
    """Every path `/d/<uid>` in a board is the uid of one of them, and takes variables that it has."""
    by_uid = {board["uid"]: board for board in ALL.values()}
    found = re.findall(r'/d/([\w-]+)\?([^"]*)"', "".join(map(as_json, ALL.values())))

    assert found
    for uid, query in found:
        assert set(re.findall(r"var-(\w+)=", query)) <= set(variables(by_uid[uid]))


def test_a_model_of_the_fleet_leads_to_its_own_board() -> None:
    """The link names all four labels of a model: two namespaces may hold a service of the same name."""
    (query,) = set(re.findall(r"/d/driftgauge-model-drift\?([^\"]*)\"", as_json(ALL["fleet"])))
    variable = variables(ALL["model-drift"])

    assert {"namespace", "inference_service", "component", "model_name"} == set(re.findall(r"var-(\w+)=", query))
    assert not any(variable[name]["multi"] for name in ("namespace", "inference_service"))


def test_rows_that_repeat_name_a_variable(board: Tree) -> None:
    """A row repeats over a variable with several values."""
    repeated = [panel["repeat"] for panel in board["panels"] if "repeat" in panel]

    assert all(variables(board)[name]["multi"] for name in repeated)


def test_boards_ask_for_metrics_that_exist(board: Tree) -> None:
    """What driftgauge exposes, or what the list of a cluster's own metrics holds."""
    asked = {name for one in expressions(board) for name in metrics_of(one.text)}

    assert asked <= sample_names() | CLUSTER_METRICS | PROMETHEUS_OWN


def test_variables_ask_for_metrics_that_exist(board: Tree) -> None:
    """`label_values(metric, label)`."""
    queries = [one["query"]["query"] for one in variables(board).values() if one["type"] == "query"]
    asked = {re.sub(r"label_values\((\w+).*", r"\1", query) for query in queries}

    assert asked <= sample_names()


def test_alerts_ask_for_metrics_that_exist() -> None:
    """What driftgauge exposes, and `up`."""
    asked = {name for rule in rules() for name in metrics_of(rule["expr"])}

    assert asked <= sample_names() | PROMETHEUS_OWN


def test_every_family_is_on_a_board() -> None:
    """A metric that nobody sees need not be exposed."""
    shown = {name for board in ALL.values() for one in expressions(board) for name in metrics_of(one.text)}
    unseen = {name for name in sample_names() if name.startswith(("request", "driftgauge"))} - shown

    assert {name for name in unseen if not name.endswith(("_bucket", "_sum", "_count"))} == set()
