"""The committed boards as data: they match their code, are complete, and query metrics that exist."""

import itertools
import json
import re
from collections import Counter
from pathlib import Path

import pytest

pytest.importorskip(
    "grafana_foundation_sdk", reason="grafana_foundation_sdk is not installed; `make chart-test` installs it"
)

from charts.dashboards import BOARDS
from charts.dashboards.__main__ import DIRECTORY
from charts.dashboards.board import as_json
from tests.support.boards import ALERTS, Tree, boards, expressions, headings, panels, rules, variables
from tests.support.cluster_exporter import METRICS as CLUSTER_METRICS
from tests.support.families import sample_names
from tests.support.promql import metrics_of

ALL = boards()
BUILT_IN = {"datasource", "__rate_interval", "__range", "__url_time_range"}
PROMETHEUS_OWN = {"up"}
ROOT = Path(__file__).parents[2]
_OVER_TIME = ("Features over time", "Predictions over time")


@pytest.fixture(params=ALL)
def board(request: pytest.FixtureRequest) -> Tree:
    """Each board."""
    return ALL[str(request.param)]


def test_the_files_match_the_code() -> None:
    """`python -m charts.dashboards` writes the files."""
    assert {f"{name}.json": as_json(make()) for name, make in BOARDS.items()} == {
        path.name: path.read_text() for path in DIRECTORY.glob("*.json")
    }


def test_kubectl_can_apply_a_dashboard(board: Tree) -> None:
    """`kubectl apply` keeps an object as JSON in an annotation, which may have 256 KiB; a ConfigMap is little more."""
    assert len(json.dumps(as_json(board))) < 240_000


def test_uids_and_titles_are_unique() -> None:
    """Grafana distinguishes boards by uid, people by title."""
    assert {1} == set(Counter(board["uid"] for board in ALL.values()).values())
    assert {1} == set(Counter(board["title"] for board in ALL.values()).values())


def test_panels_have_unique_numbers(board: Tree) -> None:
    """They start from 1, because 0 means none to Grafana."""
    numbers = [one["id"] for one in (*headings(board), *panels(board))]

    assert list(range(1, len(numbers) + 1)) == sorted(numbers)


def test_only_the_first_row_is_open(board: Tree) -> None:
    """The panels of the other rows are inside their headings: Grafana queries none until someone opens the row."""
    first, *others = headings(board)
    inside = [panel["type"] for panel in board["panels"] if panel["type"] != "row"]

    assert (False, []) == (first["collapsed"], first["panels"])
    assert inside
    assert all(heading["collapsed"] and heading["panels"] for heading in others)


def test_panels_do_not_overlap(board: Tree) -> None:
    """Every cell of the grid of 24 columns has one panel, before and after any single row is expanded."""
    for opened in ([], *(heading["panels"] for heading in headings(board))):
        below = [panel for panel in board["panels"] if not opened or panel["gridPos"]["y"] < opened[0]["gridPos"]["y"]]
        covered = Counter(
            cell
            for place in (panel["gridPos"] for panel in (*below, *opened))
            for cell in itertools.product(
                range(place["x"], place["x"] + place["w"]), range(place["y"], place["y"] + place["h"])
            )
        )

        assert {1} == set(covered.values())
        assert max(column for column, _ in covered) < 24


def test_rows_have_no_holes(board: Tree) -> None:
    """Each line of panels is as wide as the grid."""
    lines: Counter[tuple[int, int]] = Counter()
    for number, row in enumerate((board["panels"], *(heading["panels"] for heading in headings(board)))):
        for place in (panel["gridPos"] for panel in row):
            lines[number, place["y"]] += place["w"]

    assert {24} == set(lines.values())


def test_panels_explain_themselves(board: Tree) -> None:
    """Each panel has a title, a description and options."""
    missing = [
        panel["title"] for panel in panels(board) if not (panel["title"] and panel["description"] and panel["options"])
    ]

    assert [] == missing


def test_numbers_have_units(board: Tree) -> None:
    """Each panel has a unit, or an axis that says what is drawn, or names of states instead of numbers."""
    without = [
        panel["title"]
        for panel in panels(board)
        if not _has_unit(panel["fieldConfig"]["defaults"]) and not panel["fieldConfig"]["defaults"].get("mappings")
    ]

    assert [] == without


def test_columns_of_tables_have_units(board: Tree) -> None:
    """Each column with numbers has its own unit or the panel's; the column of a state has its names."""
    without = [
        f"{table['title']}: {one['matcher']['options']}"
        for table in panels(board)
        if table["type"] == "table"
        for one in table["fieldConfig"]["overrides"]
        for value in [{prop["id"]: prop["value"] for prop in one["properties"]}]
        if value.get("unit") in {"", "none", "short"} and "mappings" not in value
    ]

    assert [] == without


def _has_unit(defaults: Tree) -> bool:
    """Whether numbers are shown with a unit or on an axis with a label."""
    return defaults["unit"] not in {"", "none", "short"} or bool(defaults.get("custom", {}).get("axisLabel"))


def test_distances_are_drawn_with_a_line_at_their_threshold() -> None:
    """D divided by its threshold has a dashed line at 1, which the axis always includes."""
    found = [panel for panel in panels(ALL["model-drift"]) if panel["title"].startswith("D against its threshold")]
    defaults = [panel["fieldConfig"]["defaults"] for panel in found]

    assert 2 == len(found)
    assert all(one["thresholds"]["steps"][-1] == {"value": 1.0, "color": "red"} for one in defaults)
    assert all({"mode": "dashed"} == one["custom"]["thresholdsStyle"] for one in defaults)
    assert all(one["custom"]["axisSoftMax"] > 1 for one in defaults)


def test_predictions_are_beside_features() -> None:
    """Every panel on all features has its twin on predictions to its right."""
    place = {panel["title"]: panel["gridPos"] for panel in panels(ALL["model-drift"])}
    twins = [(title, title.replace("features", "predictions")) for title in place if title.endswith(": features")]

    assert len(twins) > 8
    assert all(place[right] == {**place[left], "x": 12} for left, right in (*twins, _OVER_TIME))


def test_every_selector_selects_clusters(board: Tree) -> None:
    """Panels, annotations and variables: a series of another cluster is never mixed in."""
    queries = [str(one["query"]["query"]) for one in variables(board).values() if one["type"] == "query"]
    texts = [*(one.text for one in expressions(board)), *(one for one in queries if not one.endswith(", cluster)"))]
    selectors = [found for text in texts for found in re.findall(r"\w+\{([^}]*\}?[^}]*)\}", text)]

    assert len(selectors) >= len(texts)
    assert [] == [one for one in selectors if 'cluster=~"$cluster"' not in one]


def test_all_clusters_include_series_without_the_label(board: Tree) -> None:
    """All is the default, and a regular expression that matches an absent label."""
    cluster = variables(board)["cluster"]

    assert ".*" == cluster["allValue"]
    assert "$__all" == cluster["current"]["value"]


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
            *(panel["title"] for panel in (*headings(board), *panels(board))),
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


def test_columns_are_limited_until_the_user_chooses_all() -> None:
    """The default is ten; the last choice is more than any model has."""
    variable = variables(ALL["model-drift"])
    ten, *_, everything = variable["farthest"]["options"]

    assert ("10", True) == (ten["value"], ten["selected"])
    assert ("All", 100_000) == (everything["text"], int(everything["value"]))
    assert all("topk($farthest, " in variable[name]["query"]["query"] for name in ("feature", "prediction"))


def test_the_order_of_the_farthest_columns_is_kept() -> None:
    """Grafana does not sort them by name, and All means those that are listed."""
    variable = variables(ALL["model-drift"])
    farthest = [variable[name] for name in ("feature", "prediction")]

    assert [0, 0] == [one["sort"] for one in farthest]
    assert all(one["includeAll"] and one["multi"] and "allValue" not in one for one in farthest)


def test_a_model_of_the_fleet_leads_to_its_own_board() -> None:
    """The link has the labels of a model, because two namespaces may have a service of the same name.

    Only the link in the column of revisions has the revision: without a known one there is no such column.
    """
    links = set(re.findall(r"/d/driftgauge-model-drift\?([^\"]*)\"", as_json(ALL["fleet"])))
    variable = variables(ALL["model-drift"])
    of_model = {"namespace", "inference_service", "component", "model_name"}

    assert {frozenset(of_model), frozenset({*of_model, "revision"})} == {
        frozenset(re.findall(r"var-(\w+)=", link)) for link in links
    }
    assert not any(variable[name]["multi"] for name in ("namespace", "inference_service", "revision"))


def test_a_board_shows_models_whose_revision_is_not_known() -> None:
    """All revisions include the empty one; where one is chosen, there is none to choose, and the choice is empty."""
    chosen = {name: variables(tree)["revision"] for name, tree in ALL.items()}
    of_one_service = ("model-drift", "outcomes")

    assert {".*"} == {one["allValue"] for name, one in chosen.items() if name not in of_one_service}
    assert not any(chosen[name]["includeAll"] for name in of_one_service)


def test_rows_that_repeat_name_a_variable(board: Tree) -> None:
    """The variable has several values."""
    repeated = [panel["repeat"] for panel in board["panels"] if "repeat" in panel]

    assert all(variables(board)[name]["multi"] for name in repeated)


def test_boards_query_metrics_that_exist(board: Tree) -> None:
    """They are exposed by driftgauge, or in the list of a cluster's metrics."""
    queried = {name for one in expressions(board) for name in metrics_of(one.text)}

    assert queried <= sample_names() | CLUSTER_METRICS | PROMETHEUS_OWN


def test_variables_query_metrics_that_exist(board: Tree) -> None:
    """A variable's query is `label_values(metric, label)` or `query_result(expression)`."""
    queries = [one["query"]["query"] for one in variables(board).values() if one["type"] == "query"]
    queried = {name for query in queries for name in _metrics_of_variable(query)}

    assert queried <= sample_names()


def _metrics_of_variable(query: str) -> set[str]:
    """The metrics in a variable's query."""
    function, inside = query.removesuffix(")").split("(", 1)
    expression = inside if function == "query_result" else inside.rsplit(",", 1)[0]
    return metrics_of(re.sub(r"\$\w+", "0", expression))


def test_alerts_query_metrics_that_exist() -> None:
    """They are exposed by driftgauge, or `up`."""
    queried = {name for rule in rules() for name in metrics_of(rule["expr"])}

    assert queried <= sample_names() | PROMETHEUS_OWN


def test_alerts_and_runbooks_name_rows_and_panels_that_exist() -> None:
    """Each name after `row` or `panel` is a title on some board."""
    texts = [ALERTS, *ROOT.glob("docs/runbooks/*.md"), *ROOT.glob("sidecar/driftgauge/page/runbooks/*.md")]
    named = {
        " ".join(name.split())
        for path in texts
        for name in re.findall(r'\b(?:[Rr]ow|[Pp]anels?)\s+"([^"]+)"', path.read_text())
    }
    titles = {one["title"] for board in ALL.values() for one in (*headings(board), *panels(board))}

    assert named
    assert named <= titles


def test_every_family_is_on_a_board() -> None:
    """A metric on no board would not be needed."""
    shown = {name for board in ALL.values() for one in expressions(board) for name in metrics_of(one.text)}
    unseen = {name for name in sample_names() if name.startswith(("request", "driftgauge"))} - shown

    assert {name for name in unseen if not name.endswith(("_bucket", "_sum", "_count"))} == set()
