"""Measures the memory and the time that loading the largest references takes.

    python -m benchmarks.footprint.reference_memory [--values 5000000]

Each file is loaded by a process of its own. The peak is the resident memory beyond that of the process before it loads.
The table is what the tests get: eight bytes for each value.
"""

import argparse
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from numpy.typing import NDArray

from driftgauge.concurrency.task_process import CHILD_VARIABLES
from driftgauge.reference.loading import FileToLoad, load_here

_COLUMNS = 20
_MIB = 2**20


def _memory_bytes(name: str) -> int:
    found = re.search(rf"{name}:\s+(\d+) kB", Path("/proc/self/status").read_text())
    return int(found[1]) * 1024 if found else 0


def _load(path: Path) -> str:
    """Load one file in this process; returns the line of the table."""
    before, start = _memory_bytes("VmRSS"), time.perf_counter()
    result = load_here(FileToLoad(path), 0.0)
    seconds = time.perf_counter() - start
    if result.reference is None:
        return result.fault
    peak = (_memory_bytes("VmHWM") - before) / _MIB
    table = result.reference.rows * len(result.reference.features) * 8 / _MIB
    size = path.stat().st_size / _MIB
    return f"{path.name:16} {size:8.0f} {table:9.0f} {peak:8.0f} {peak / table:6.1f} {seconds:8.1f}"


def _write_files(folder: Path, values: int) -> Iterator[Path]:
    rng = np.random.default_rng(1)
    names = [f"feature_{index}" for index in range(_COLUMNS)]
    words = np.array([f"word{index}" for index in range(1000)])
    rows = values // _COLUMNS
    tables: dict[str, NDArray[np.generic]] = {
        "numbers": rng.normal(size=(rows, _COLUMNS)).round(4),
        "texts": words[rng.integers(0, words.size, (rows, _COLUMNS))],
    }
    for kind, table in tables.items():
        yield _write_csv(folder / f"{kind}.csv", names, table)
        columns = {name: np.ascontiguousarray(table[:, index]) for index, name in enumerate(names)}
        path = folder / f"{kind}.npz"
        np.savez_compressed(path, **columns)  # type: ignore[arg-type] # no name is allow_pickle
        yield path
        yield from _write_parquet(folder / f"{kind}.parquet", columns)


def _write_csv(path: Path, names: list[str], table: NDArray[np.generic]) -> Path:
    with path.open("w") as file:
        file.write(",".join(names) + "\n")
        for row in table.tolist():
            file.write(",".join(map(str, row)) + "\n")
    return path


def _write_parquet(path: Path, columns: dict[str, NDArray[np.generic]]) -> Iterator[Path]:
    try:
        import pyarrow as pa  # noqa: PLC0415 - optional
        from pyarrow import parquet  # noqa: PLC0415 - optional
    except ImportError:
        return
    parquet.write_table(pa.table(columns), path)
    yield path


def main() -> None:
    """Write the files, and print one line for each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--values", type=int, default=5_000_000, help="rows times columns (%(default)s)")
    parser.add_argument("--load", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.load:
        sys.stdout.write(_load(arguments.load) + "\n")
        return
    sys.stdout.write(f"{'file':16} {'file MiB':>8} {'table MiB':>9} {'peak MiB':>8} {'ratio':>6} {'seconds':>8}\n")
    sys.stdout.flush()
    with TemporaryDirectory(prefix="driftgauge-bench-") as folder:
        for path in _write_files(Path(folder), arguments.values):
            argv = [sys.executable, "-m", "benchmarks.footprint.reference_memory", "--load", str(path)]
            env = {**CHILD_VARIABLES, "PYTHONPATH": ":".join(sys.path)}
            subprocess.run(argv, check=True, env=env)  # noqa: S603 - itself


if __name__ == "__main__":
    main()
