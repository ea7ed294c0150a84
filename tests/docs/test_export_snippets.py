"""The snippets of docs/labels.md on exports: a table of a user's own meets the rows of an export."""

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd

from driftgauge.cli.export.export_files import content_of
from driftgauge.cli.export.hash_columns import hash_columns, hash_of
from driftgauge.storage.ring import id_digests
from tests.support.exports import PARIS, ROWS

PAGE = (Path(__file__).parents[2] / "docs" / "labels.md").read_text()


def snippet(mark: str) -> str:
    """The Python below a mark."""
    found = re.search(f"<!-- {mark} -->\n```python\n(.*?)```", PAGE, re.DOTALL)
    assert found is not None
    return found[1]


def run(code: str, folder: Path) -> str:
    """Run Python in a folder; returns what it prints."""
    done = subprocess.run([sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout


def test_a_table_is_joined_by_the_digests_of_its_ids(tmp_path: Path) -> None:
    """Each row gets what the table says of its own inference, be the id long or not ASCII."""
    orders = ["order-4711", "Bestellung ä", "007"]
    rows = ROWS.take(np.array([0, 1, 2]))
    rows.ids[:] = id_digests(orders)
    (tmp_path / "rows.parquet").write_bytes(content_of(tmp_path / "rows.parquet", rows))
    pd.DataFrame({"order": orders[::-1], "paid": [3, 2, 1]}).to_csv(tmp_path / "orders.csv", index=False)
    run(snippet("join"), tmp_path)
    joined = pd.read_parquet(tmp_path / "training.parquet")

    assert [1, 2, 3] == joined["paid"].tolist()
    assert orders == joined["order"].tolist()


def test_hashes_can_be_computed(tmp_path: Path) -> None:
    """By the texts of the table: of an id's digest, of a category, of numbers."""
    (tmp_path / "key").write_bytes(b"a secret\n")
    texts = ["00000000000000ff", "Paris", "0.1", "10"]
    printed = run(f"{snippet('hash')}\nprint(*map(hashed, {texts}))", tmp_path).split()
    rows, hashed = hash_columns(ROWS, ("driftgauge:id", "city", "alcohol"), b"a secret")
    codes = np.asarray(rows.table.values)[[0, 0, 1], [1, 0, 0]].tolist()
    found = [rows.table.categories[one] for one in codes]

    assert ["alcohol", "city", "driftgauge:id"] == hashed
    assert printed == [f"{rows.ids[0]:016x}", *found]
    assert hash_of("Paris", b"a secret") != hash_of("Paris", b"")
    assert "Paris" == ROWS.table.categories[PARIS]
