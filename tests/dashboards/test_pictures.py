"""The pictures of the boards, and the invented history that they show."""

import math
import struct
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("matplotlib", reason="matplotlib is not installed; `make chart-test` installs it")

from charts.pictures.__main__ import END
from charts.pictures.figure import CAPTION, EXPANDED, choice, draw, placed, widened
from charts.pictures.numbers import with_unit
from charts.pictures.responses import VARIABLES, lines, now, query
from tests.support.alerting import AlertingPrometheus
from tests.support.backfill import backfilled
from tests.support.boards import Tree, boards, expressions, headings

PICTURES = Path(__file__).parents[2] / "docs" / "pictures"
BOARDS = boards()
PNG = b"\x89PNG\r\n\x1a\n"


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AlertingPrometheus]:
    """A Prometheus with a history of six hours."""
    with backfilled(END, tmp_path_factory.mktemp("backfill")) as running:
        yield running


@pytest.fixture(params=BOARDS)
def board(request: pytest.FixtureRequest) -> Tree:
    """Each board."""
    return BOARDS[str(request.param)]


def test_the_history_has_series_for_every_expression(prometheus: AlertingPrometheus, board: Tree) -> None:
    """No panel of a picture is empty."""
    empty = [one.place for one in expressions(board) if not query(one.text, "", prometheus, END, VARIABLES)]

    assert [] == empty


def test_every_panel_of_a_picture_shows_something(prometheus: AlertingPrometheus, board: Tree) -> None:
    """For the one model that the picture of a board is of; in tables and numbers at the end of the history."""
    empty = []
    for panel in (one for one, _ in placed(board, EXPANDED[board["uid"]]) if one["type"] != "row"):
        found = lines(panel, prometheus, END, widened(panel, choice(board)))
        shown = [line for each in found.values() for line in (each if "series" in panel["type"] else now(each))]
        empty += [] if shown else [panel["title"]]

    assert [] == empty


def test_only_what_changed_alarms(prometheus: AlertingPrometheus) -> None:
    """In six hours no other feature and no prediction of the unchanged model drifts."""
    changed = 'driftgauge_feature_drift{feature=~"alcohol|sulphates"} == 1'
    calm = 'driftgauge_feature_drift{feature!~"alcohol|sulphates"} == 1'

    assert {"alcohol", "sulphates"} == {
        line.labels["feature"] for line in query(changed, "", prometheus, END, VARIABLES)
    }
    assert [] == query(calm, "", prometheus, END, VARIABLES)
    assert [] == query('driftgauge_drifted_predictions{model_name="cheese"} > 0', "", prometheus, END, VARIABLES)


def test_the_detector_finds_the_fault_first(prometheus: AlertingPrometheus) -> None:
    """Its evidence needs a few rows of the new unit, the window's distance a large part of a window."""
    sequential, ks = (
        query(f'driftgauge_feature_drift{{feature="sulphates", test="{test}"}} == 1', "", prometheus, END, VARIABLES)
        for test in ("sequential", "ks")
    )

    assert sequential[0].times[0] < ks[0].times[0]


def test_a_board_becomes_a_picture(prometheus: AlertingPrometheus, board: Tree, tmp_path: Path) -> None:
    """Every panel can be drawn, those of collapsed rows too."""
    draw(board, prometheus, END, tmp_path / "board.png", tuple(heading["title"] for heading in headings(board)))

    assert PNG == (tmp_path / "board.png").read_bytes()[: len(PNG)]


def test_the_history_ends_in_drift(prometheus: AlertingPrometheus) -> None:
    """The pictures show a model that drifts now, in features and predictions."""
    drifted = [
        query(f'{metric}{{model_name="wine"}}', "", prometheus, END, VARIABLES)[0].values[-1]
        for metric in ("driftgauge_drifted_features", "driftgauge_drifted_predictions")
    ]

    assert [2, 3] == drifted


@pytest.mark.parametrize("name", BOARDS)
def test_pictures_fit_a_page(name: str) -> None:
    """They have at most 1,600 pixels of height: a PNG has its size in its first chunk, as two numbers of four bytes."""
    width, height = struct.unpack(">II", (PICTURES / f"{name}.png").read_bytes()[16:24])

    assert 1200 <= width <= 1400
    assert height <= 1600


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (0.25, "percentunit", "25%"),
        (1200, "count:rows", "1.2K rows"),
        (0.4, "reqps", "0.4 req/s"),
        (2.5, "suffix:x", "2.5 x"),
        (0.0049, "s", "4.9 ms"),
        (5400, "s", "1.5 h"),
        (314572800, "bytes", "300 MiB"),
        (math.inf, "count:rows", "infinite"),
        (math.nan, "none", "-"),
    ],
)
def test_numbers_have_their_units(value: float, unit: str, text: str) -> None:
    """They are written as Grafana would."""
    assert text == with_unit(value, unit)


def test_every_board_has_a_picture_with_its_caption() -> None:
    """The page of pictures shows all of them, and says that they are no screenshots."""
    page = (PICTURES / "README.md").read_text()

    assert {f"{name}.png" for name in BOARDS} <= {path.name for path in PICTURES.glob("*.png")}
    assert all(f"({name}.png)" in page for name in BOARDS)
    assert page.count(CAPTION) == len(BOARDS)
