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
    """Red wines are like the reference, white ones drift, one row cannot tell; the reference that it builds works."""
    _, _, report, verdict, test, of_three, gate, column, built = last_values(monkeypatch)

    assert report._repr_html_().startswith("<iframe ")
    assert ("drift", 11) == verdict
    assert test[0] > test[1]
    assert ["ok", "drift", "cannot_tell"] == list(gate.values())
    assert ("drift", "drift") == (of_three, built)
    assert {"statistic", "p_value", "drift_detected"} == set(column)
    assert "No drift in 11 features." in capsys.readouterr().out


def test_the_notebook_holds_no_output() -> None:
    """It is stored without results, so that a change of it can be read."""
    cells = [one for one in json.loads(NOTEBOOK.read_text())["cells"] if one["cell_type"] == "code"]

    assert cells
    assert all((None, []) == (cell["execution_count"], cell["outputs"]) for cell in cells)
