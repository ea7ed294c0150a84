"""The command `export` from its command line to its file, with a server that responds as the admin port does."""

import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import ClassVar
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pandas as pd
import pytest

from driftgauge.cli.export.hash_columns import hash_of
from driftgauge.cli.main import run
from driftgauge.drift.profile import FeatureKind
from driftgauge.reference.exported_rows import ExportedRows, pack_export
from tests.support.exports import ROWS

TEXT_PRICE = (*ROWS.table.kinds[:2], FeatureKind.CATEGORICAL, ROWS.table.kinds[3])


def of_revision(revision: str, later: float, ids: list[int]) -> ExportedRows:
    """Rows of a revision that passed some seconds later than those of the fixture."""
    table = replace(ROWS.table, times=ROWS.times + later)
    return replace(ROWS, table=table, ids=np.array(ids, dtype=np.uint64), revisions=np.full(len(ids), revision))


class _Handler(BaseHTTPRequestHandler):
    """Serves the rows of each revision; without one of them the response is 204."""

    rows: ClassVar[dict[str, ExportedRows]] = {}
    asked: ClassVar[list[dict[str, list[str]]]] = []

    def do_GET(self) -> None:
        query = parse_qs(urlsplit(self.path).query)
        self.asked.append(query)
        rows = self.rows.get(query.get("revision", [""])[0])
        body = b"" if rows is None else pack_export(rows)
        self.send_response(200 if body else 204)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 the name is http.server's
        """Say nothing."""


@pytest.fixture
def admin() -> Iterator[tuple[str, type[_Handler]]]:
    """The address of an admin port, and what it serves."""

    class Handler(_Handler):
        """One of its own, since rows and questions are the class's."""

        rows: ClassVar[dict[str, ExportedRows]] = {"": ROWS}
        asked: ClassVar[list[dict[str, list[str]]]] = []

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}", Handler
        server.shutdown()
        thread.join()


def export(url: str, output: Path, *more: str) -> int:
    """Run the command; returns its exit code."""
    return run(["export", "--admin-url", url, "--inference-service", "wine", "-o", str(output), *more])


def test_the_rows_of_several_revisions_are_one_file(
    admin: tuple[str, type[_Handler]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """In the order of time, each with its revision; one without rows, or named twice, adds none."""
    url, handler = admin
    handler.rows = {"stable": of_revision("stable", 0.0, [1, 2, 3]), "canary": of_revision("canary", 0.5, [4, 5, 6])}
    flags = [f"--revision={name}" for name in ("stable", "canary", "idle", "stable")]
    code = export(url, tmp_path / "rows.parquet", "--without-features", *flags)
    frame = pd.read_parquet(tmp_path / "rows.parquet")

    assert 0 == code
    assert [["stable"], ["canary"], ["idle"]] == [query["revision"] for query in handler.asked]
    assert ["stable", "canary"] * 3 == frame["driftgauge:revision"].tolist()
    assert [1, 4, 2, 5, 3, 6] == [int(one, 16) for one in frame["driftgauge:id"]]
    assert "revisions: stable 3, canary 3" in capsys.readouterr().out


def test_revisions_whose_columns_differ_in_kind_are_refused(
    admin: tuple[str, type[_Handler]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """One sentence names the column and the rule; nothing is written."""
    url, handler = admin
    other = of_revision("canary", 0.5, [4, 5, 6])
    handler.rows = {"stable": ROWS, "canary": replace(other, table=replace(other.table, kinds=TEXT_PRICE))}
    code = export(url, tmp_path / "rows.csv", "--revision=stable", "--revision=canary")

    assert (2, False) == (code, (tmp_path / "rows.csv").exists())
    assert (
        "column 'prediction:quality' is numeric in one revision and categorical in another" in capsys.readouterr().err
    )


def test_columns_are_hashed_with_the_key_of_a_file(
    admin: tuple[str, type[_Handler]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Texts and ids; a missing value stays missing, and the summary names the columns. The key is one line."""
    key = tmp_path / "key"
    key.write_bytes(b"secret\r\n")
    flags = ("--hash=city,driftgauge:id", f"--hash-key-file={key}", "--without-features")
    code = export(admin[0], tmp_path / "rows.parquet", *flags)
    frame = pd.read_parquet(tmp_path / "rows.parquet")
    cities = [None if pd.isna(one) else one for one in frame["city"]]

    assert 0 == code
    assert [hash_of("Paris", b"secret"), None, hash_of('a, "b"\n', b"secret")] == cities
    assert [hash_of(f"{one:016x}", b"secret") for one in ROWS.ids.tolist()] == frame["driftgauge:id"].tolist()
    assert [0.1, 10.0] == frame["alcohol"].dropna().tolist()
    assert "hashed: 'city', 'driftgauge:id'" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("flags", "key", "sentence"),
    [
        (("--hash=town",), None, "hash: there is no column 'town'"),
        (("--hash=driftgauge:time",), None, "driftgauge:id alone can be hashed"),
        ((), b"secret", "hash_key_file: is the key of --hash, which is not given"),
        (("--hash=city",), b"\n", "must have 1 to 64 bytes; it has 0"),
        (("--hash=city",), b"k" * 65, "must have 1 to 64 bytes; it has 65"),
    ],
)
def test_what_cannot_be_hashed_is_refused(
    admin: tuple[str, type[_Handler]],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    flags: tuple[str, ...],
    key: bytes | None,
    sentence: str,
) -> None:
    """Before anything is written: a column in plain text must not leave because of a typing error."""
    if key is not None:
        (tmp_path / "key").write_bytes(key)
        flags = (*flags, f"--hash-key-file={tmp_path / 'key'}")
    code = export(admin[0], tmp_path / "rows.csv", *flags)

    assert (2, False) == (code, (tmp_path / "rows.csv").exists())
    assert sentence in capsys.readouterr().err


def test_rows_without_features_are_kept_if_they_are_wanted(
    admin: tuple[str, type[_Handler]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Else they are left out, and the summary says how many and why."""
    without = export(admin[0], tmp_path / "all.csv", "--without-features")
    kept = capsys.readouterr().out
    usual = export(admin[0], tmp_path / "rows.csv")
    left_out = capsys.readouterr().out

    assert (0, 0) == (without, usual)
    assert ([0, 1, 0], [0, 1]) == tuple(
        pd.read_csv(tmp_path / name)["driftgauge:row"].tolist() for name in ("all.csv", "rows.csv")
    )
    assert "without features" not in kept
    assert "left out: 1 row without features" in left_out


def test_a_process_without_rows_writes_nothing(
    admin: tuple[str, type[_Handler]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The exit code is 1: no fault, and no file."""
    admin[1].rows = {}

    assert 1 == export(admin[0], tmp_path / "rows.csv")
    assert "the process has no responses of the model" in capsys.readouterr().err
    assert not (tmp_path / "rows.csv").exists()
