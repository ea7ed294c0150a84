"""The example notebook runs from top to bottom, without Jupyter."""

import ast
import json
from pathlib import Path
from typing import Any

import pytest

NOTEBOOK = Path(__file__).parents[3] / "examples" / "notebook" / "drift.ipynb"


def last_values(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The value of the last expression of each code cell, `None` where a cell ends with a statement."""
    monkeypatch.chdir(NOTEBOOK.parent)
    names: dict[str, Any] = {}
    values = []
    for cell in json.loads(NOTEBOOK.read_text())["cells"]:
        if cell["cell_type"] == "code":
            tree = ast.parse("".join(cell["source"]))
            end = tree.body[-1]
            last = end.value if isinstance(end, ast.Expr) else None
            tree.body = tree.body[:-1] if last else tree.body
            exec(compile(tree, "notebook", "exec"), names)  # noqa: S102 - the notebook is in the repository
            values.append(
                None if last is None else eval(compile(ast.Expression(last), "notebook", "eval"), names)  # noqa: S307
            )
    return values


def test_the_notebook_runs(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """White wines drift from red ones in every way that the notebook tests."""
    _, report, _, (drift, count), p_value, column, built = last_values(monkeypatch)

    assert report._repr_html_().startswith("<iframe ")
    assert (True, 11, True) == (drift, count, built)
    assert p_value < 1e-6
    assert {"statistic", "p_value", "drift_detected"} == set(column)
    assert "verdict" in capsys.readouterr().out


def test_the_notebook_holds_no_output() -> None:
    """It is stored without results, so that a change of it can be read."""
    cells = [one for one in json.loads(NOTEBOOK.read_text())["cells"] if one["cell_type"] == "code"]

    assert cells
    assert all((None, []) == (cell["execution_count"], cell["outputs"]) for cell in cells)
