"""The reload of a reference: a new file takes the place of the old one while another client sends requests."""

import time
from collections.abc import Mapping
from hashlib import sha256
from itertools import count
from pathlib import Path

from benchmarks.children import Program
from benchmarks.environment import scrape
from driftgauge.config.options import Config

POLL_SECONDS = 0.2
_SCRAPE_SECONDS = 1.0
_LONGEST_SECONDS = 60.0
_WITHOUT_LIMIT_BYTES = 60_000_000
"""The size of the large reference where no option limits it."""


def sizes() -> Mapping[str, int]:
    """The length in bytes of each file, by its name in the table."""
    option = Config.model_fields.get("max_reference_bytes")
    limit = _WITHOUT_LIMIT_BYTES if option is None else int(option.default)
    return {"reload of a CSV reference of 20 MB": 20_000_000, f"reload of one of {limit / 1e6:.0f} MB": limit}


class Replacement:
    """Replaces the file of a reference by a larger one, and waits until it is in use.

    Args:
        program: driftgauge, running with `--reference`.
        path: The file that it reads.
        content: A reference as CSV. Its rows are repeated.
        size: Length of the new file in bytes, at most.
    """

    def __init__(self, program: Program, path: Path, content: bytes, size: int) -> None:
        self._program = program
        self._path = path
        self._header, _, self._rows = content.partition(b"\n")
        self._size = size
        self._numbers = count(1)
        self.loaded = 0
        self.asked = 0

    def prepare(self) -> None:
        """Write the next file, under another name in the same folder. It differs from others in its first row."""
        first = b",".join([b"%d" % next(self._numbers)] * (self._header.count(b",") + 1))
        start = self._header + b"\n" + first + b"\n"
        times = (self._size - len(start)) // len(self._rows)
        content = start + self._rows * times
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
