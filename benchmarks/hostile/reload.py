"""The reload of a reference: a new file takes the place of the old one while another client sends requests."""

import io
import time
from collections.abc import Iterator
from hashlib import sha256
from itertools import count
from pathlib import Path

import numpy as np

from benchmarks.children import Program
from benchmarks.environment import scrape
from benchmarks.hostile.datasets import names_of
from benchmarks.hostile.messages import Data
from benchmarks.statistics.work import SEED
from driftgauge.config.options import Config

POLL_SECONDS = 0.2
_SCRAPE_SECONDS = 1.0
_LONGEST_SECONDS = 60.0
_COLUMNS = 13
_REPEATED_ROWS = 20_000
_WITHOUT_LIMIT_BYTES = 60_000_000
_WITHOUT_LIMIT_VALUES = 5_000_000
"""The size of the large reference where no option limits it."""


def contents() -> Iterator[tuple[str, bytes]]:
    """Each large reference as CSV, by its name in the table."""
    yield "reload of a CSV reference of 20 MB", large_reference(20_000_000, 3)
    limit = _default("max_reference_bytes", _WITHOUT_LIMIT_BYTES)
    yield f"reload of one of {limit / 1e6:.0f} MB, the limit", large_reference(limit, 10)


def large_reference(size: int, decimals: int) -> bytes:
    """Normally distributed numbers as CSV, up to a length in bytes, and within the limit of values.

    Args:
        size: Length at most.
        decimals: Of each number. With ten, both limits are nearly reached.
    """
    values = np.random.default_rng(SEED).normal(10, 3, (_REPEATED_ROWS, _COLUMNS))
    written = io.BytesIO()
    np.savetxt(written, values, fmt=f"%.{decimals}f", delimiter=",")
    lines = written.getvalue().splitlines(keepends=True)
    header = ",".join(names_of(Data.NUMBERS)).encode() + b"\n"
    most = _default("max_reference_values", _WITHOUT_LIMIT_VALUES) // _COLUMNS - 1
    whole = lines * (most // len(lines) + 1)
    content = header + b"".join(whole[:most])
    return content if len(content) <= size else content[: content.rindex(b"\n", 0, size) + 1]


def _default(option: str, otherwise: int) -> int:
    field = Config.model_fields.get(option)
    return otherwise if field is None else int(field.default)


class Replacement:
    """Replaces the file of a reference by a large one, and waits until it is in use.

    Args:
        program: driftgauge, running with `--reference`.
        path: The file that it reads.
        content: The large reference. Each replacement has another first row.
    """

    def __init__(self, program: Program, path: Path, content: bytes) -> None:
        self._program = program
        self._path = path
        self._header, _, self._rows = content.partition(b"\n")
        self._numbers = count(1)
        self.loaded = 0
        self.asked = 0

    def prepare(self) -> None:
        """Write the next file, under another name in the same folder. It differs from others in its first row."""
        first = b",".join([b"%d" % next(self._numbers)] * _COLUMNS)
        rest = self._rows[self._rows.index(b"\n") :]
        content = self._header + b"\n" + first + rest
        self._digest = sha256(content).hexdigest()
        self._path.with_suffix(".next").write_bytes(content)

    def __call__(self) -> None:
        """Replace the file and wait until its hash is in `driftgauge_reference_info`."""
        self.asked += 1
        self._path.with_suffix(".next").replace(self._path)
        end = time.monotonic() + _LONGEST_SECONDS
        while time.monotonic() < end:
            time.sleep(_SCRAPE_SECONDS)
            found = scrape(self._program).matching("driftgauge_reference_info")
            if any(self._digest.startswith(sample.labels["hash"]) for sample in found):
                self.loaded += 1
                return
