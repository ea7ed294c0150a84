"""The file of a report: its format, how it replaces an older one, and what happens where it cannot be written."""

import json
import os
from pathlib import Path

import pytest

from driftgauge.cli.main import run
from driftgauge.cli.report_file import OutputFormat, check_report_file, choose_format, write_report
from driftgauge.errors import ConfigError, ReferenceDataError


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A file of 400 rows."""
    path = tmp_path / "data.csv"
    path.write_text("alcohol\n" + "9.5\n10.5\n" * 200)
    return path


@pytest.mark.parametrize(
    ("wanted", "output", "chosen"),
    [
        (None, None, "table"),
        ("html", None, "html"),
        (None, "report.html", "html"),
        (None, "report.HTM", "html"),
        (None, "report.json", "json"),
        (None, "report.txt", "table"),
        ("json", "report.html", "json"),
        ("html", "report", "html"),
    ],
)
def test_the_format_is_the_one_wanted_or_that_of_the_name(
    wanted: OutputFormat | None, output: str | None, chosen: str
) -> None:
    """`--format` goes before the extension of the file, and without both it is a table."""
    assert chosen == choose_format(wanted, None if output is None else Path(output), is_terminal=False)


def test_a_name_without_a_format_is_refused() -> None:
    """The sentence says what to give."""
    with pytest.raises(
        ConfigError, match=r"output: report\.pdf ends in neither .html nor .json nor .txt: give --format"
    ):
        choose_format(None, Path("report.pdf"), is_terminal=True)


def test_a_page_is_not_written_to_a_terminal() -> None:
    """The sentence names -o; JSON and a file are fine."""
    with pytest.raises(ConfigError, match="write it with -o "):
        choose_format("html", None, is_terminal=True)
    assert "json" == choose_format("json", None, is_terminal=True)
    assert "html" == choose_format("html", Path("x.html"), is_terminal=True)


def test_check_writes_the_report_to_a_file(data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The file has the whole report, the standard output the verdict and the name of the file."""
    page, tree, table = (tmp_path / f"report.{end}" for end in ("html", "json", "txt"))

    assert (0, 0, 0) == tuple(run(["check", str(data), str(data), "-o", str(path)]) for path in (page, tree, table))
    assert page.read_text().startswith("<!doctype html>")
    assert "ok" == json.loads(tree.read_text())["state"]
    assert "threshold" in table.read_text()
    lines = capsys.readouterr().out.splitlines()
    assert [f"wrote {path}" for path in (page, tree, table)] == lines[1::2]
    assert all(line.startswith("No drift in 1 feature") for line in lines[::2])


def test_drift_is_still_the_exit_code(data: Path, tmp_path: Path) -> None:
    """A report in a file changes no verdict."""
    other = tmp_path / "other.csv"
    other.write_text("alcohol\n" + "12.5\n13.5\n" * 200)

    assert 1 == run(["check", str(data), str(other), "--output", str(tmp_path / "report.html")])


@pytest.mark.parametrize(
    ("name", "why"), [("", "this is a directory"), ("none/report.html", "there is no folder"), ("x/", "no folder")]
)
def test_a_path_that_cannot_be_written_is_named_before_the_work(
    tmp_path: Path, name: str, why: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """A sentence and 2, although the data is missing too."""
    output = tmp_path / name / "r.html" if name == "x/" else tmp_path / name

    assert 2 == run(["check", "none.csv", "none.csv", "--format", "html", "-o", str(output)])
    assert why in capsys.readouterr().err


def test_a_failure_leaves_the_old_file(tmp_path: Path) -> None:
    """A file whose name is too long for the temporary file beside it is not replaced."""
    path = tmp_path / ("x" * 250 + ".html")
    path.write_text("old")

    with pytest.raises(ReferenceDataError, match="it cannot be written: File name too long"):
        write_report(path, "new")
    assert "old" == path.read_text()


@pytest.mark.parametrize("link", ["none", "symbolic", "hard"])
@pytest.mark.parametrize("replaced", ["reference", "window"])
def test_a_report_does_not_replace_its_own_data(
    data: Path, tmp_path: Path, link: str, replaced: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """By none of its names; the sentence says so."""
    other = tmp_path / "other.csv"
    other.write_bytes(data.read_bytes())
    files = {"reference": data, "window": other}
    before, output = files[replaced].read_bytes(), files[replaced]
    if link != "none":
        output = tmp_path / "report.csv"
        (output.symlink_to if link == "symbolic" else output.hardlink_to)(files[replaced])

    assert 2 == run(["check", str(data), str(other), "--format", "json", "-o", str(output)])
    assert before == files[replaced].read_bytes()
    assert f"{output}: this is a file of data: the report would replace it" in capsys.readouterr().err


def test_a_file_that_is_replaced_keeps_its_permissions(tmp_path: Path) -> None:
    """A report that only its owner may read stays so."""
    path = tmp_path / "report.html"
    path.write_text("old")
    path.chmod(0o600)

    write_report(path, "new")

    assert ("new", 0o600) == (path.read_text(), path.stat().st_mode & 0o777)


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    """The file that it points to is replaced."""
    (tmp_path / "a.html").write_text("old")
    link = tmp_path / "b.html"
    link.symlink_to("a.html")

    write_report(link, "new")

    assert link.is_symlink()
    assert "new" == (tmp_path / "a.html").read_text()


def test_a_pipe_is_written_to_and_not_replaced(tmp_path: Path) -> None:
    """As with /dev/stdout: replacing it would remove the device."""
    pipe = tmp_path / "pipe.html"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        check_report_file(pipe)
        write_report(pipe, "new")
        assert b"new" == os.read(reader, 10)
        assert pipe.is_fifo()
    finally:
        os.close(reader)
