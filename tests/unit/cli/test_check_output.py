"""What the check command writes: the table, JSON, the page, readings and notes."""

import io
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from driftgauge.cli.check import run_check
from driftgauge.cli.main import run
from tests.support.checked_files import COLUMNS, HOLM, check, csv, sample

Floats = NDArray[np.float64]


class Terminal(io.StringIO):
    """A text stream that says it is a terminal."""

    def isatty(self) -> bool:
        """Always true."""
        return True


def test_the_table_has_at_most_80_columns(tmp_path: Path) -> None:
    """In a file or a pipe the table is plain text; long names are folded, and names that look like markup are shown."""
    columns = ("[red]a[/red]", "x" * 100, "tab\u200bchar")
    same = csv(tmp_path / "a.csv", columns, sample(1))
    window = csv(tmp_path / "b.csv", columns, sample(2, shift=0.5))
    _, out, _ = check(same, window)
    table = out[: out.index("tab\\u200b", out.index("verdict"))].splitlines()

    assert max(map(len, table)) <= 80
    assert "\x1b" not in out
    assert "[red]a[/red]" in out
    assert "'tab\\u200bchar'" in out


def test_colour_on_a_terminal(reference: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a terminal the features that drifted are coloured."""
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)
    out = Terminal()
    run_check(reference, csv(tmp_path / "w.csv", COLUMNS, sample(2, shift=0.5)), HOLM, "table", out, io.StringIO())

    assert re.search(r"\x1b\[1;31m *alcohol", out.getvalue())


def test_json(reference: Path, tmp_path: Path) -> None:
    """The JSON has stable keys and plain numbers."""
    rows = sample(2, shift=0.5)
    rows[:5, 0] = np.nan
    code, out, _ = check(reference, csv(tmp_path / "w.csv", COLUMNS, rows), output_format="json")
    tree: dict[str, Any] = json.loads(out)

    assert 1 == code
    assert ["reference", "window", "rule", "state", "reason", "drift", "drifted_features", "reading"] == list(tree)[:8]
    assert ("drift", None) == (tree["state"], tree["reason"])
    assert ["features", "untested", "could_not_tell", "ignored", "notes"] == list(tree)[8:]
    assert ["path", "rows", "sha256"] == list(tree["window"])
    assert {"alpha": 0.05, "correction": "holm", "min_rows": 1} == tree["rule"]
    assert (True, 1, []) == (tree["drift"], tree["drifted_features"], tree["untested"])
    assert list(COLUMNS) == [feature["feature"] for feature in tree["features"]]
    keys = {"feature", "test", "statistic", "p_value", "threshold", "drift", "rows", "missing", "kind", "tests"}
    assert keys <= set(tree["features"][0])
    assert ["ks", "missing"] == [test["test"] for test in tree["features"][0]["tests"]]
    assert (395, 5) == (tree["features"][0]["rows"], tree["features"][0]["missing"])


def test_json_without_a_threshold(tmp_path: Path) -> None:
    """Where no distance could alarm, the threshold and the verdict are null, not a bare Infinity."""
    first, second = tmp_path / "a.csv", tmp_path / "b.csv"
    first.write_text("a\n1\n")
    second.write_text("a\n2\n")
    code, out, _ = check(first, second, output_format="json")

    tree = json.loads(out)

    assert (2, None, None) == (code, tree["drift"], tree["drifted_features"])
    assert (None, None) == (tree["features"][0]["threshold"], tree["features"][0]["drift"])


def test_a_reference_of_few_rows_is_noted(tmp_path: Path) -> None:
    """One row shows no distribution: exit 2, and a note."""
    one = csv(tmp_path / "one.csv", COLUMNS, sample(1, rows=1))
    window = csv(tmp_path / "window.csv", COLUMNS, sample(2))
    code, out, err = check(one, window)

    assert code == 2
    assert "acidity, sugar, alcohol: cannot tell: the reference has 1 value, 2 are needed\n" in out
    assert f"note: {one}: 1 rows, under 200 only large changes can be seen\n" in err


def test_many_readings_are_cut(tmp_path: Path) -> None:
    """Of twelve drifted features, ten have a sentence."""
    names = tuple(f"f{place}" for place in range(12))
    zeros, ones = np.zeros((300, 12)), np.ones((300, 12))
    zeros[0], ones[0] = 1, 0
    _, out, _ = check(csv(tmp_path / "a.csv", names, zeros), csv(tmp_path / "b.csv", names, ones))

    assert 10 == len(re.findall(r"^f\d+: ", out, re.MULTILINE))
    assert "(and 2 more)\n" in out


def test_page(reference: Path, tmp_path: Path) -> None:
    """The page for a browser is ASCII, with charts, file names and notes."""
    rows = np.column_stack([sample(2, shift=0.5), np.zeros(400)])
    window = csv(tmp_path / "w\u00e9in.csv", (*COLUMNS, "id"), rows)
    code, out, _ = check(reference, window, output_format="html")

    assert 1 == code
    assert out.isascii()
    assert out.startswith('<!doctype html>\n<html lang="en">')
    assert 3 == out.count('role="img"')
    assert "<h1><bdi>w&#233;in.csv against reference.csv</bdi></h1>" in out
    assert "p-value under 0.05 after correction (holm)" in out
    assert "columns that the reference does not have are left out: &#x27;id&#x27;" in out


def test_many_names_are_cut(reference: Path, tmp_path: Path) -> None:
    """A note shows the first five names."""
    extra = tuple(f"extra_{position}" for position in range(6))
    window = csv(tmp_path / "w.csv", (*COLUMNS, *extra), np.column_stack([sample(2), np.zeros((400, 6))]))

    assert check(reference, window)[2].endswith("'extra_0', 'extra_1', 'extra_2', 'extra_3', 'extra_4', ...\n")


def test_one_is_not_a_plural(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The summary of one row of one feature."""
    one = tmp_path / "one.csv"
    one.write_text("a\n1\n")
    run(["check", str(one), str(one)])

    assert "(1 row)" in capsys.readouterr().out


@pytest.mark.parametrize("width", [40, 60, 62, 80])
def test_a_narrow_terminal_shows_names(width: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A name and its verdict are whole in one line; less important columns are left out."""
    monkeypatch.setenv("COLUMNS", str(width))
    monkeypatch.setenv("NO_COLOR", "1")
    out = Terminal()
    one = csv(tmp_path / "one.csv", ("volatile acidity",), sample(1)[:, :1])
    run_check(one, one, HOLM, "table", out, io.StringIO())
    lines = re.sub(r"\x1b\[[0-9;]*m", "", out.getvalue()).splitlines()

    assert any(line.split()[:2] == ["volatile", "acidity"] and line.split()[-1] in {"ok", "drift"} for line in lines)
    assert all(len(line) <= width for line in lines[:4])
