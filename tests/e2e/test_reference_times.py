"""A reference with times in a running process, and rows of the process that become the next reference."""

import io
import time
from pathlib import Path

from driftgauge.cli.reference_capture import Terminal, Timing, WindowAddress, run_capture
from driftgauge.reference.files import read_table
from tests.support.echo_model import EchoModel
from tests.support.models import WINE
from tests.support.processes import Driftgauge
from tests.support.traffic import body_of, wrong_responses

IDENTITY = {"DRIFTGAUGE_NAMESPACE": WINE.namespace, "DRIFTGAUGE_INFERENCE_SERVICE": WINE.inference_service}


def bodies(first: int, end: int) -> list[bytes]:
    """Requests of one row by position, without a time; each has its number."""
    return [body_of([[float(number), 3.0 + number % 5 / 10]]) for number in range(first, end)]


def test_rows_are_collected_over_time(tmp_path: Path) -> None:
    """The column of times has no place in a request; two windows of 30 rows give 45 rows with times, each once."""
    reference, output = tmp_path / "wine.csv", tmp_path / "next.npz"
    lines = (f"{row % 60},2026-01-{30 - row % 30:02}T12:00Z,{3 + row % 5 / 10}\n" for row in range(300))
    reference.write_text("alcohol,ts,ph\n" + "".join(lines))
    flags = (
        f"--reference={reference}",
        "--time-column=ts",
        "--allow-capture=true",
        "--window-rows=30",
        "--min-rows=20",
    )
    fast = ("--min-rows=20", "--flush-interval-seconds=0.02", "--evaluation-interval-seconds=0.2")
    before = time.time()
    with EchoModel() as model, Driftgauge("proxy", f"--upstream-url={model.url}", *flags, *fast, env=IDENTITY) as proxy:
        passed = [0.0]

        def send(first: int, end: int) -> None:
            assert [] == wrong_responses(proxy.port, bodies(first, end))
            proxy.wait_for(lambda found: found.total("driftgauge_rows_total") == end, f"{end} rows")

        def wait(seconds: float) -> None:
            passed[0] += seconds
            send(30, 45)

        send(0, 30)
        proxy.wait_for(lambda found: found.total("driftgauge_window_rows") == 30, "a full window")
        err = io.StringIO()
        address = WindowAddress(proxy.admin_url, *WINE)
        timing = Timing(0.5, lambda: passed[0], wait)
        code = run_capture(
            address, output, Terminal(asks=False, replies=io.StringIO(), out=io.StringIO(), err=err), timing
        )
    table = read_table(output)

    assert 0 == code, err.getvalue()
    assert ("alcohol", "ph") == table.columns
    assert list(range(45)) == sorted(table.values[:, 0].tolist())
    assert table.times is not None
    assert before <= table.times[0] <= table.times[-1] <= time.time()
