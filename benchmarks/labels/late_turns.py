"""How late the event loop wakes up while labels come: `python -m benchmarks.labels.late_turns [--against SIDECAR]`.

A proxy gets 10,000 labels a second, in rounds in turn with as many seconds of rest, and where another version is
given, in turn with it. An inference waits for the loop at each of its turns, of which it has some five. Other work of
the machine does not count (`benchmarks.labels.watched_driftgauge`), so that versions can be compared on a busy one.
"""

import argparse
import sys
import time
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import numpy as np
from numpy.typing import NDArray

from benchmarks.children import OTHER_CORES, ROOT, Program, module
from benchmarks.labels.labelled_proxy import LABELS_A_BODY, LabelledProxy, label_bodies
from benchmarks.labels.poster import Poster
from tests.support.ports import free_port

_LABELS_A_SECOND: Final = 10_000
_ROWS: Final = 50
_LATE_MILLISECONDS: Final = (0.3, 0.6, 1.0)

_Span = tuple[float, float]


class _Version:
    """A proxy of one version, and when it was at rest and busy.

    Args:
        source: Its folder `sidecar`.
        folder: Where its files are.
        model: Port of the model.
        pending: Most inferences that wait for labels.
    """

    def __init__(self, source: Path, folder: Path, model: int, pending: int) -> None:
        folder.mkdir()
        self.source = source
        self._file = folder / "late"
        self.proxy = LabelledProxy(
            folder, model, pending=pending, takes_labels=True, watched=self._file, source=source.resolve()
        )
        self._accepted = 0
        self._spans: dict[str, list[_Span]] = {"at rest": [], f"{_LABELS_A_SECOND:,} labels a second": []}

    def run(self, number: int, seconds: int) -> None:
        """Run one round; the first one warms up."""
        ids = [f"round-{number}-{index}" for index in range(seconds * _LABELS_A_SECOND // _ROWS)]
        self.proxy.infer(ids, _ROWS)
        moments = [time.time()]
        time.sleep(seconds)
        moments.append(time.time())
        with Poster(self.proxy.labels_url, label_bodies(ids, _ROWS), _LABELS_A_SECOND / LABELS_A_BODY) as poster:
            poster.wait()
        moments.append(time.time())
        self._accepted += poster.accepted
        self.proxy.wait_for_labels(self._accepted)
        if number:
            for spans, start, end in zip(self._spans.values(), moments[:-1], moments[1:], strict=True):
                spans.append((start, end))

    def show(self) -> None:
        """Print how late the loop was."""
        noted: NDArray[np.float64] = np.fromfile(self._file).reshape(-1, 2)
        for name, spans in self._spans.items():
            chosen = np.any([(noted[:, 0] > start) & (noted[:, 0] < end) for start, end in spans], axis=0)
            late = 1e3 * noted[chosen, 1]
            shares = "   ".join(f"over {limit} ms {(late > limit).mean():6.2%}" for limit in _LATE_MILLISECONDS)
            p95, p99 = np.quantile(late, (0.95, 0.99))
            sys.stdout.write(f"{self.source}: {name:24} p95 {p95:.2f} ms   p99 {p99:.2f} ms   {shares}\n")


def main() -> None:
    """Measure this version, and another one in turn with it."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.labels.late_turns", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="of each version (%(default)s)")
    parser.add_argument("--seconds", type=int, default=3, help="of a round (%(default)s)")
    parser.add_argument("--against", type=Path, help="the folder `sidecar` of another version")
    options = parser.parse_args()
    pending = (options.rounds + 1) * options.seconds * _LABELS_A_SECOND
    with TemporaryDirectory(prefix="driftgauge-bench-") as name, ExitStack() as stack:
        port = free_port()
        stack.enter_context(Program(module("benchmarks.labels.rows_model", port), port, OTHER_CORES))
        sources = [*filter(None, [options.against]), ROOT / "sidecar"]
        versions = [_Version(source, Path(name, str(at)), port, pending) for at, source in enumerate(sources)]
        for version in versions:
            stack.enter_context(version.proxy)
        for number in range(options.rounds + 1):
            for version in versions:
                version.run(number, options.seconds)
        for version in versions:
            version.show()


if __name__ == "__main__":
    main()
