"""The committed boards as data: they match their code, are complete, and query metrics that exist."""

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
    """Each board."""
    return ALL[str(request.param)]


def test_the_files_match_the_code() -> None:
    """`python -m charts.dashboards` writes the files."""
    assert {f"{name}.json": as_json(make()) for name, make in BOARDS.items()} == {
        path.name: path.read_text() for path in DIRECTORY.iterdir()
    }


def test_uids_and_titles_are_unique() -> None:
    """Grafana distinguishes boards by uid, people by title."""
    assert {1} == set(Counter(board["uid"] for board in ALL.values()).values())
    assert {1} == set(Counter(board["title"] for board in ALL.values()).values())


def test_panels_have_unique_numbers(board: Tree) -> None:
    """They start from 1, because 0 means none to Grafana."""
    assert list(range(1, len(board["panels"]) + 1)) == sorted(panel["id"] for panel in board["panels"])


def test_panels_do_not_overlap(board: Tree) -> None:
    """Every cell of the grid of 24 columns has one panel."""
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
    """Each panel has a title, a description, a unit and options."""
    missing = [
        panel["title"]
        for panel in panels(board)
        if not (panel["title"] and panel["description"] and panel["options"])
        or not panel["fieldConfig"]["defaults"].get("unit")
    ]

    assert [] == missing


def test_every_query_uses_the_selected_data_source(board: Tree) -> None:
    """Panels, queries, variables and annotations use `${datasource}` and no other."""
    sources = [
        *(panel["datasource"] for panel in panels(board)),
        *(target["datasource"] for panel in panels(board) for target in panel["targets"]),
        *(one["datasource"] for one in variables(board).values() if one["type"] == "query"),
        *(one["datasource"] for one in board["annotations"].get("list", [])),
    ]

    assert all({"type": "prometheus", "uid": "${datasource}"} == one for one in sources)
    assert next(iter(variables(board))) == "datasource"


def test_variables_are_declared_before_use(board: Tree) -> None:
    """An undeclared variable would stay in the query as text."""
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
    """Each board has the tag of the link, which keeps time and variables."""
    (link,) = board["links"]

    assert link["tags"] == board["tags"]
    assert (True, True) == (link["keepTime"], link["includeVars"])


def test_links_lead_to_existing_boards() -> None:
    """Every path `/d/<uid>` has the uid of a board, and sets variables of that board."""
    by_uid = {board["uid"]: board for board in ALL.values()}
    found = re.findall(r'/d/([\w-]+)\?([^"]*)"', "".join(map(as_json, ALL.values())))

    assert found
    for uid, query in found:
        assert set(re.findall(r"var-(\w+)=", query)) <= set(variables(by_uid[uid]))


def test_a_model_of_the_fleet_leads_to_its_own_board() -> None:
    """The link has all four labels of a model, because two namespaces may have a service of the same name."""
    (query,) = set(re.findall(r"/d/driftgauge-model-drift\?([^\"]*)\"", as_json(ALL["fleet"])))
    variable = variables(ALL["model-drift"])

    assert {"namespace", "inference_service", "component", "model_name"} == set(re.findall(r"var-(\w+)=", query))
    assert not any(variable[name]["multi"] for name in ("namespace", "inference_service"))


def test_rows_that_repeat_name_a_variable(board: Tree) -> None:
    """The variable has several values."""
    repeated = [panel["repeat"] for panel in board["panels"] if "repeat" in panel]

    assert all(variables(board)[name]["multi"] for name in repeated)


def test_boards_query_metrics_that_exist(board: Tree) -> None:
    """They are exposed by driftgauge, or in the list of a cluster's metrics."""
    queried = {name for one in expressions(board) for name in metrics_of(one.text)}

    assert queried <= sample_names() | CLUSTER_METRICS | PROMETHEUS_OWN


def test_variables_query_metrics_that_exist(board: Tree) -> None:
    """A variable's query is `label_values(metric, label)`."""
    queries = [one["query"]["query"] for one in variables(board).values() if one["type"] == "query"]
    queried = {re.sub(r"label_values\((\w+).*", r"\1", query) for query in queries}

    assert queried <= sample_names()


def test_alerts_query_metrics_that_exist() -> None:
    """They are exposed by driftgauge, or `up`."""
    queried = {name for rule in rules() for name in metrics_of(rule["expr"])}

    assert queried <= sample_names() | PROMETHEUS_OWN


def test_every_family_is_on_a_board() -> None:
    """A metric on no board would not be needed."""
    shown = {name for board in ALL.values() for one in expressions(board) for name in metrics_of(one.text)}
    unseen = {name for name in sample_names() if name.startswith(("request", "driftgauge"))} - shown

    assert {name for name in unseen if not name.endswith(("_bucket", "_sum", "_count"))} == set()
