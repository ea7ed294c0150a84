"""The real proxy loads the largest references while requests run, and lives on where one takes too much."""

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from driftgauge.reference.file_limits import DEFAULT_VALUES
from tests.support.echo_model import EchoModel
from tests.support.processes import Driftgauge
from tests.support.traffic import body_of, wrong_responses

COLUMNS = 20
ROWS = DEFAULT_VALUES // COLUMNS
POLL = ("--inference-service=wine", "--reference-poll-seconds=0.1", "--flush-interval-seconds=0.02")
MIB = 2**20
PROCESS_BYTES = 128 * MIB  # the process by itself takes some 90 MiB; what is kept out of it is hundreds


@pytest.fixture
def model() -> Iterator[EchoModel]:
    """The model server."""
    with EchoModel() as model:
        yield model


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A reference of ten rows."""
    path = tmp_path / "wine.csv"
    path.write_text(csv_of(10))
    return path


def csv_of(rows: int) -> str:
    """A CSV file of twenty columns, a block of a thousand rows again and again."""
    numbers = np.random.default_rng(5).normal(size=(1000, COLUMNS)).round(4)
    lines = [",".join(map(str, row)) for row in numbers.tolist()]
    header = ",".join(f"feature_{index}" for index in range(COLUMNS))
    return "\n".join([header, *(lines * (rows // 1000 + 1))[:rows], ""])


def swap(path: Path, content: str | bytes) -> None:
    """Put another file in place as one step."""
    part = path.with_suffix(".part")
    part.write_bytes(content.encode() if isinstance(content, str) else content)
    part.replace(path)


def send_until(proxy: Driftgauge, text: str) -> list[tuple[int, bytes]]:
    """Send requests until the log has a text; returns the wrong responses."""
    bodies = [body_of([[number] * COLUMNS]) for number in range(50)]
    wrong = wrong_responses(proxy.port, bodies)
    for _ in range(1000):
        if text in proxy.stderr:
            return wrong
        wrong += wrong_responses(proxy.port, bodies)
    raise TimeoutError(f"the log does not have {text!r}")


def peak_bytes(pid: int) -> int:
    """The most memory that a process has had."""
    (found,) = re.findall(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    return int(found) * 1024


def test_largest_reference_is_loaded_while_requests_run(model: EchoModel, path: Path) -> None:
    """Every request succeeds, the reference changes, twice, and the proxy takes no more memory than two of them."""
    with Driftgauge("proxy", "--upstream-url", model.url, "--reference", path, *POLL) as proxy:
        first = proxy.metrics()
        swap(path, csv_of(ROWS))
        wrong = send_until(proxy, f"{path}: {ROWS} rows")
        second = proxy.wait_for(lambda s: s.total("driftgauge_reference_rows") == ROWS, "the large reference")
        swap(path, csv_of(ROWS - 1))
        wrong += send_until(proxy, f"{path}: {ROWS - 1} rows")
        third = proxy.wait_for(lambda s: s.total("driftgauge_reference_rows") == ROWS - 1, "the next reference")
        peak = peak_bytes(proxy.pid)

    assert wrong == []
    assert first.total("driftgauge_reference_rows") == 10
    assert (second.total("driftgauge_reference_rows"), third.total("driftgauge_reference_rows")) == (ROWS, ROWS - 1)
    assert peak < PROCESS_BYTES + 3 * 8 * DEFAULT_VALUES


def test_largest_reference_is_loaded_at_start(model: EchoModel, path: Path) -> None:
    """The first load takes the same way."""
    swap(path, csv_of(ROWS))
    with Driftgauge("proxy", "--upstream-url", model.url, "--reference", path, *POLL) as proxy:
        proxy.wait_for(lambda s: s.total("driftgauge_reference_rows") == ROWS, "the large reference")
        peak = peak_bytes(proxy.pid)

    assert peak < PROCESS_BYTES + 2 * 8 * DEFAULT_VALUES


@pytest.mark.parametrize(
    ("flags", "sentence"),
    [
        (
            "--max-reference-values=500",
            "more than 500 values, a sample will do: driftgauge reference build (it has 600)",
        ),
        ("--max-reference-bytes=4000", "the file is larger than 0.003815 MiB, a sample will do"),
    ],
)
def test_reference_beyond_a_limit_is_refused(model: EchoModel, path: Path, flags: str, sentence: str) -> None:
    """One sentence gives the size and the limit, the old reference stays, and every request succeeds."""
    with Driftgauge("proxy", "--upstream-url", model.url, "--reference", path, *POLL, flags) as proxy:
        swap(path, csv_of(30))
        wrong = send_until(proxy, f"{path}: {sentence}")
        wrong += send_until(proxy, "the reference loaded before stays")
        samples = proxy.metrics()
        log = proxy.stderr

    assert wrong == []
    assert samples.total("driftgauge_reference_rows") == 10
    assert log.count(sentence) == 1


def test_reference_that_takes_too_much_memory_is_refused(model: EchoModel, tmp_path: Path) -> None:
    """A small file may hide much text; the child runs out of memory, once, and the next file is loaded."""
    path = tmp_path / "wine.parquet"
    pq.write_table(pa.table({"a": ["x", "y"] * 50}), path)
    text = pa.DictionaryArray.from_arrays(np.zeros(100_000, np.int8), ["x" * 20_000])
    with Driftgauge("proxy", "--upstream-url", model.url, "--reference", path, *POLL) as proxy:
        part = tmp_path / "part"
        pq.write_table(pa.table({"a": text}), part, store_schema=False)
        size = part.stat().st_size
        part.replace(path)
        wrong = send_until(proxy, "loading it ran out of memory; a sample will do: driftgauge reference build")
        wrong += wrong_responses(proxy.port, [body_of([[number]]) for number in range(200)])
        kept = proxy.metrics()
        pq.write_table(pa.table({"a": ["x", "y"] * 60}), part)
        part.replace(path)
        proxy.wait_for(lambda s: s.total("driftgauge_reference_rows") == 120, "the next reference")
        log, peak = proxy.stderr, peak_bytes(proxy.pid)

    assert wrong == []
    assert size < MIB
    assert kept.total("driftgauge_reference_rows") == 100
    assert log.count("ran out of memory") == 1
    assert peak < PROCESS_BYTES
