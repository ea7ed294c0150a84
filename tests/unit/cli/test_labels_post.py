"""`labels post`: which labels of a file are posted, how often, and what the exit code says."""

import argparse
import io
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from aiohttp import web

from driftgauge.cli.arguments import make_parser
from driftgauge.cli.label_commands import post_bodies, run_labels
from driftgauge.cli.label_file import FileColumns, read_bodies
from driftgauge.cli.label_sender import LabelSender
from driftgauge.errors import ConfigError, ReferenceDataError
from tests.support.labels_port import LabelsPort

NAMED = ("--inference-service", "wine", "--namespace", "cellar")


class ScriptedPort:
    """A port that replies what a test says, in order; then that all labels were accepted.

    Args:
        replies: Status code and reply of each request.
    """

    def __init__(self, *replies: tuple[int, dict[str, Any]]) -> None:
        self._replies = iter(replies)
        self.bodies: list[str] = []
        app = web.Application()
        app.router.add_post("/labels", self._reply)
        self._runner = web.AppRunner(app)
        self.url = ""

    async def __aenter__(self) -> Self:
        """Listen."""
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}/labels"
        return self

    async def __aexit__(self, *_: object) -> None:
        """Stop listening."""
        await self._runner.cleanup()

    async def _reply(self, request: web.Request) -> web.Response:
        body = await request.text()
        self.bodies.append(body)
        taken = {"accepted": body.count("\n") - 1, "rejected": {"malformed": 0}}
        status, reply = next(self._replies, (202, taken))
        return web.json_response(reply, status=status, headers={"Retry-After": "3"} if status == 503 else {})


async def posted(path: Path, url: str, columns: FileColumns | None = None) -> tuple[int, str, str, list[float]]:
    """Post a file; returns the exit code, both outputs, and for how long the sender waited before each further try."""
    waits: list[float] = []

    async def wait(seconds: float) -> None:
        """Note how long the sender would wait."""
        waits.append(seconds)

    out, err = io.StringIO(), io.StringIO()
    sender = LabelSender(url, None, None, 60, wait)
    code = await post_bodies(read_bodies(path, columns or FileColumns({})), sender, out, err)
    return code, out.getvalue(), err.getvalue(), waits


def summed_up(accepted: int, malformed: int, left_out: int = 0, rest: str = "") -> str:
    """What the command writes at the end."""
    first = f"{accepted} labels were accepted, {malformed} are malformed, "
    first += f"{left_out} rows without a label were left out{rest}\n"
    later = "which of them match, are duplicates or have an id that is unknown"
    return f"{first}{later} is counted in driftgauge_labels_total later\n"


def written(folder: Path, text: str) -> Path:
    """A CSV file."""
    path = folder / "labels.csv"
    path.write_text(text)
    return path


async def test_a_file_reaches_the_matcher(tmp_path: Path) -> None:
    """Its labels are taken by a real port and meet their responses; rows without a label are left out."""
    port = LabelsPort()
    await port.open()
    await port.labelled.respond("4711", rows=2)
    path = written(tmp_path, "when,order,row,truth\n,4711,0,6\n,4711,1,5\n,4712,0,\n")
    code, out, err, _ = await posted(path, port.url, FileColumns({"id": "order", "label": "truth"}, "quality"))
    assert (0, summed_up(2, 0, 1), "") == (code, out, err)
    await port.labelled.matcher.advance()
    assert {"matched": 2} == port.labelled.outcomes()
    await port.close()


async def test_malformed_labels_are_named(tmp_path: Path) -> None:
    """The exit code is 1, and the first ten sentences name the rows of the file, whatever was left out."""
    port = LabelsPort()
    await port.open()
    rows = "".join(f"{number},6\n" for number in range(1_000))
    path = written(tmp_path, f'id,label\n1,\n{rows}2,\n"3\n4",7\n5,\n,6\n1001,7\n6,\n')
    code, out, err, _ = await posted(path, port.url)
    assert (1, summed_up(1_002, 1, 4)) == (code, out)
    assert "driftgauge: row 1005 of the file: it has no id.\n" == err
    await port.close()


async def test_bodies_of_a_thousand(tmp_path: Path) -> None:
    """A long file is posted in bodies of 1,000 labels."""
    async with ScriptedPort() as port:
        path = written(tmp_path, "id,label\n" + "1,2\n" * 2_500)
        assert 0 == (await posted(path, port.url))[0]
        assert [1_000, 1_000, 500] == [body.count("1,2") for body in port.bodies]


async def test_tries_again(tmp_path: Path) -> None:
    """After 503 and 502 the same body is posted again, after longer and longer pauses, at least as long as asked."""
    async with ScriptedPort((503, {"error": "full"}), (502, {}), (503, {"error": "full"})) as port:
        code, out, _, waits = await posted(written(tmp_path, "id,label\n1,2\n"), port.url)
        assert (0, summed_up(1, 0)) == (code, out)
        assert [3, 6, 12] == waits
        assert ["id,label\n1,2\n"] * 4 == port.bodies


async def test_gives_up(tmp_path: Path) -> None:
    """When no server listens for so long, the exit code is 2 and the sentence says why."""
    async with ScriptedPort() as port:
        url = port.url
    code, out, err, waits = await posted(written(tmp_path, "id,label\n1,2\n"), url)
    assert (2, "", [1, 2, 4, 8, 16]) == (code, out, waits)
    place = url.removesuffix("/labels")
    cause = f"the labels could not be posted within 60 s (no one listens on {place})"
    assert f"driftgauge: labels post: {cause}\n" == err


@pytest.mark.parametrize("status", [401, 404, 413, 415, 500])
async def test_a_refusal_ends_it(tmp_path: Path, status: int) -> None:
    """A body that is refused as a whole is not tried again, and those after it are not posted."""
    async with ScriptedPort((202, {"accepted": 1_000}), (status, {"error": "no"})) as port:
        path = written(tmp_path, "id,label\n" + "1,2\n" * 2_500)
        code, out, err, _ = await posted(path, port.url)
        assert (2, summed_up(1000, 0, rest="; the rest was not posted")) == (code, out)
        assert f"driftgauge: labels post: the labels were refused with status code {status}: no\n" == err


async def test_all_malformed(tmp_path: Path) -> None:
    """A body without any good label counts, and the next one is posted."""
    async with ScriptedPort((400, {"accepted": 0, "rejected": {"malformed": 1_000}})) as port:
        code, out, _, _ = await posted(written(tmp_path, "id,label\n" + "1,2\n" * 1_001), port.url)
        assert (1, summed_up(1, 1000)) == (code, out)


def test_parquet(tmp_path: Path) -> None:
    """Numbers, texts, bools, missing values and times of Parquet are written as the port reads them."""
    path = tmp_path / "labels.parquet"
    when = datetime(2026, 3, 1, 12, tzinfo=UTC)
    table = {"id": [1, 2, 3, 4], "label": [6.0, None, float("nan"), 5.5], "time": [when] * 4}
    pq.write_table(pa.table(table), path)
    bodies = list(read_bodies(path, FileColumns({})))
    assert [([1, 4], [2, 3], 2)] == [(body.rows, body.lines, body.left_out) for body in bodies]
    lines = ["id,label,time", "1,6,2026-03-01T12:00:00+00:00", "4,5.5,2026-03-01T12:00:00+00:00", ""]
    assert "\n".join(lines).encode() == bodies[0].content


@pytest.mark.parametrize(
    ("text", "columns", "part"),
    [
        ("order,label\n", FileColumns({}), "has no column 'id': name it with --id-column"),
        ("id,label\n", FileColumns({"time": "at"}), "has no column 'at': name it with --time-column"),
        ("id,label\n1\n", FileColumns({}), "line 2 has 1 cells, and the header 2"),
        ("", FileColumns({}), "has no column 'id'"),
    ],
)
def test_files_that_cannot_be_used(tmp_path: Path, text: str, columns: FileColumns, part: str) -> None:
    """A file without a column, or with a broken line, is refused with a sentence that names it."""
    with pytest.raises(ReferenceDataError) as caught:
        list(read_bodies(written(tmp_path, text), columns))
    assert part in str(caught.value)


def parse(*flags: str) -> argparse.Namespace:
    """A command line."""
    return make_parser().parse_args(["labels", "post", "none.csv", *NAMED, *flags])


@pytest.mark.parametrize(
    ("flags", "part"),
    [
        (["--url", "ftp://x"], "url: must be http://"),
        (["--url", "http://x?namespace=b"], "without a query"),
        (["--url", "http://x", "--token-file", "/none"], "token_file: /none cannot be read"),
        (["--url", "http://x", "--ca-file", "/none"], "ca_file: /none cannot be used"),
        (["--url", "http://x", "--output", "a", "--output-column", "b"], "not both"),
    ],
)
def test_flags_that_cannot_be_used(flags: list[str], part: str) -> None:
    """A wrong flag is an error of the configuration, which names it."""
    with pytest.raises(ConfigError) as caught:
        run_labels(parse(*flags), io.StringIO(), io.StringIO())
    assert part in str(caught.value)


def test_a_file_that_is_not_there() -> None:
    """The exit code is 2, and the sentence names the file."""
    err = io.StringIO()
    assert 2 == run_labels(parse("--url", "http://127.0.0.1:1"), io.StringIO(), err)
    assert "driftgauge: labels post: none.csv cannot be read (No such file or directory)\n" == err.getvalue()
