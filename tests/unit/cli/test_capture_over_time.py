"""`reference capture --for`: windows of a running process are joined, each row once, in the order of time."""

import io
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftgauge.cli.reference_capture import Terminal, Timing, WindowAddress, run_capture
from driftgauge.cli.window_collector import WindowCollector
from driftgauge.drift.profile import FeatureKind
from driftgauge.errors import ReferenceDataError
from driftgauge.reference.dataset import load_reference
from driftgauge.reference.files import read_table
from driftgauge.reference.formats.driftgauge_npz import packed, packed_window
from driftgauge.reference.table import Table

PATH = Path("out.npz")


def window(first: int, end: int, *, name: str = "a", start: float = 1_000.0) -> bytes:
    """The rows of these numbers; each holds its number, and came in a request of its own, one in a second."""
    numbers = np.arange(first, end)
    table = Table(Path("window"), (name,), (FeatureKind.NUMERIC,), numbers.astype(np.float64)[:, np.newaxis])
    return packed_window(table, np.float64(start) + numbers, numbers, numbers.astype(np.uint64) * 7)


def collected(*windows: bytes) -> list[float]:
    """The rows that a collector has after these windows."""
    collector = WindowCollector(PATH)
    for content in windows:
        collector.add(content)
    return [float(value) for value in collector.table().values[:, 0]]


@given(st.lists(st.tuples(st.integers(1, 40), st.integers(1, 15)), min_size=1, max_size=8))
def test_every_row_is_there_once(spans: list[tuple[int, int]]) -> None:
    """Whatever windows overlap, also where a store shows older rows once more."""
    windows = [(first, first + size) for first, size in spans]
    expected = sorted({row for first, end in windows for row in range(first, end)})

    assert expected == collected(*(window(first, end) for first, end in windows))


def test_an_emptied_store_counts_from_one_again() -> None:
    """Rows with the number of an older row are new rows if their time is another."""
    assert [1.0, 2.0, 3.0, 1.0, 2.0] == collected(window(1, 4), window(1, 3, start=5_000.0))


def test_runs_are_left_out_whole_where_rows_are_too_many() -> None:
    """Every second one, then every second of the rest; neighbours stay together."""
    collector = WindowCollector(PATH, max_values=2 * 30)
    for number in range(8):
        collector.add(window(10 * number, 10 * number + 10))

    assert [*range(10), *range(40, 50)] == collector.table().values[:, 0].tolist()
    assert (80, 4, True) == (collector.rows_seen, collector.kept_share, collector.has_missed_rows)


@pytest.mark.parametrize(("rows", "seconds"), [(2, 1.0), (31, 10.0), (2000, 60.0)])
def test_the_wait_is_a_third_of_the_time_of_a_window(rows: int, seconds: float) -> None:
    """At least a second and at most a minute, so that windows overlap."""
    assert seconds == WindowCollector(PATH).add(window(0, rows))


def test_a_window_without_numbers_is_refused() -> None:
    """An older process does not say which rows are the same."""
    table = Table(PATH, ("a",), (FeatureKind.NUMERIC,), np.ones((2, 1)))

    with pytest.raises(ReferenceDataError, match="the process is an older driftgauge"):
        WindowCollector(PATH).add(packed(table))


def test_without_a_window_there_are_no_rows() -> None:
    """Nothing can be written."""
    with pytest.raises(ReferenceDataError, match="there are no rows"):
        WindowCollector(PATH).table()


@dataclass
class Process:
    """An admin port whose responses follow a script, and a clock that only waiting moves.

    Args:
        responses: What the port sends, one after the other; the last one again and again. An integer is a status code.
    """

    responses: list[bytes | int]
    url: str = ""
    time: float = 0.0
    waits: list[float] = field(default_factory=list)
    on_wait: Callable[[], None] = lambda: None

    def now(self) -> float:
        """Seconds since the start."""
        return self.time

    def wait(self, seconds: float) -> None:
        """Let the time pass, and the next response be due."""
        self.on_wait()
        self.time += seconds
        self.waits.append(seconds)
        if len(self.responses) > 1:
            del self.responses[0]


@pytest.fixture
def process() -> Iterator[Process]:
    """A process that serves ten rows."""
    one = Process([window(0, 10)])

    class Handler(BaseHTTPRequestHandler):
        """Sends the next response."""

        def do_GET(self) -> None:
            """Send it."""
            response = one.responses[0]
            body = b"away\n" if isinstance(response, int) else response
            self.send_response(response if isinstance(response, int) else 200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 the name is http.server's
            """Say nothing."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        one.url = f"http://127.0.0.1:{server.server_port}"
        yield one
        server.shutdown()
        thread.join()


def capture(process: Process, output: Path, seconds: float, reply: str | None = None) -> tuple[int, str, str]:
    """Exit code, output and faults; without a reply the command asks no question."""
    out, err = io.StringIO(), io.StringIO()
    terminal = Terminal(reply is not None, io.StringIO(reply), out, err)
    address = WindowAddress(process.url, "prod", "wine", "predictor", "wine")
    code = run_capture(address, output, terminal, Timing(seconds, process.now, process.wait))
    return code, out.getvalue(), err.getvalue()


def rows(path: Path) -> list[float]:
    """The rows of a reference that is in the order of time."""
    table = read_table(path)
    assert table.times is not None
    assert table.ordered
    return [float(value) for value in table.values[:, 0]]


def test_windows_are_collected_until_the_time_is_over(tmp_path: Path, process: Process) -> None:
    """The file has every row once, with its time; a response that fails is tried again, and reported once."""
    output = tmp_path / "a.npz"
    process.responses += [503, 503, window(5, 15), 404, window(12, 22)]
    code, out, err = capture(process, output, seconds=20)
    origin = load_reference(output, 0.0).origin

    assert 0 == code
    assert list(range(22)) == rows(output)
    assert "rows in the order of time, from 1970-01-01 00:16 to 1970-01-01 00:17 UTC\n" in out
    assert "all rows of windows of prod/wine\n" in out
    assert origin is not None
    assert ("windows of prod/wine", 22) == (origin.source, origin.rows_seen)
    assert (1, 1) == (err.count(": 503: away; trying again"), err.count(": 404: away; trying again"))
    assert ([3.0] * 6, 2.0, 20.0) == (process.waits[:6], process.waits[6], process.time)


def test_a_person_who_stops_keeps_the_rows_so_far(tmp_path: Path, process: Process) -> None:
    """Ctrl-C ends the collecting; the question is asked as at the end."""

    def interrupt() -> None:
        if process.time >= 3:
            raise KeyboardInterrupt

    process.on_wait = interrupt
    process.responses += [window(8, 18)]
    code, out, err = capture(process, tmp_path / "a.npz", seconds=1000, reply="yes\n")

    assert 0 == code
    assert "stopped before the time was over\n" in err
    assert "Use these 18 rows as reference? Type yes: " in out
    assert list(range(18)) == rows(tmp_path / "a.npz")


def test_other_columns_end_it(tmp_path: Path, process: Process) -> None:
    """Rows of a new reference are another dataset; the rows before it are kept, once a person says so."""
    process.responses += [window(8, 18, name="b")]
    code, _, err = capture(process, tmp_path / "a.npz", seconds=1000, reply="no\n")

    assert 1 == code
    assert "the columns of the window have changed: the reference is another; stopped before the time was over\n" in err
    assert [] == list(tmp_path.iterdir())


def test_rows_that_were_missed_are_reported(tmp_path: Path, process: Process) -> None:
    """A window without a row of the one before it follows rows that no window had."""
    process.responses += [window(50, 60)]
    code, _, err = capture(process, tmp_path / "a.npz", seconds=4)

    assert 0 == code
    assert "between two windows more rows passed than a window holds: these are missing\n" in err
    assert [*range(10), *range(50, 60)] == rows(tmp_path / "a.npz")


def test_the_first_window_must_be_there(tmp_path: Path, process: Process) -> None:
    """A wrong name is a fault at once, not after two weeks."""
    process.responses = [404]
    code, _, err = capture(process, tmp_path / "a.npz", seconds=1000)

    assert (2, []) == (code, process.waits)
    assert err.endswith(": 404: away\n")
