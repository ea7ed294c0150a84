"""What labels cost the process that takes them: `python -m benchmarks.labels.interference [--rounds N] [--rate N]`.

Inferences pass a proxy at a fixed rate, with and without 10,000 labels a second that are posted to the same process, in
rounds by turns. Each label is the first one of its row, so that each makes an outcome. Then the memory of two proxies
is compared, one of which takes labels: both get as many inferences as wait for labels in memory by default, and one
gets all their labels. The command prints both differences beside the aims, and ends with 1 if an aim is missed.
"""

import argparse
import sys
from contextlib import ExitStack
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Final, NamedTuple

from benchmarks.children import OTHER_CORES, Program, module
from benchmarks.labels.labelled_proxy import LABELS_A_BODY, LabelledProxy, label_bodies
from benchmarks.labels.poster import Poster
from benchmarks.proxy.bodies import v1
from benchmarks.rounds import Shape, send
from driftgauge.storage.label_slices import IN_MEMORY
from tests.support.ports import free_port

AIM_MILLISECONDS: Final = 2.0
AIM_MEGABYTES: Final = 10.0

_LABELS_A_SECOND: Final = 10_000
_ROWS: Final = 50
"""Rows of an inference that is labelled."""

_CONNECTIONS: Final = 32


class Latency(NamedTuple):
    """The latencies of one round, in milliseconds."""

    p50: float
    p90: float
    p99: float


def main() -> int:
    """Measure both, and print them; returns 1 if an aim was missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.labels.interference", description=__doc__)
    parser.add_argument("--rounds", type=int, default=9, help="of each kind")
    parser.add_argument("--seconds", type=int, default=4, help="of a round")
    parser.add_argument("--rate", type=int, default=200, help="inferences a second")
    options = parser.parse_args()
    with TemporaryDirectory(prefix="driftgauge-bench-") as name, ExitStack() as stack:
        folder, port = Path(name), free_port()
        stack.enter_context(Program(module("benchmarks.labels.rows_model", port), port, OTHER_CORES))
        met = [_show_latency(folder, port, options), _show_memory(folder, port)]
    return int(not all(met))


def _show_latency(folder: Path, model: int, options: argparse.Namespace) -> bool:
    """Measure and print latencies; returns whether the aim was met."""
    small = folder / "small.http"
    small.write_bytes(v1(1).request)
    shape = Shape((small,), _CONNECTIONS, options.rate * options.seconds, options.rate)
    inferences = options.seconds * _LABELS_A_SECOND // _ROWS
    quiet, busy, accepted = [], [], []
    pending = (options.rounds + 1) * inferences * _ROWS  # its bytes are for single rows
    with LabelledProxy(folder, model, pending=pending, takes_labels=True) as proxy:
        for number in range(options.rounds + 1):
            ids = [f"round-{number}-{index}" for index in range(inferences)]
            proxy.infer(ids, _ROWS)
            quiet.append(_round(proxy, shape))
            with Poster(proxy.labels_url, label_bodies(ids, _ROWS), _LABELS_A_SECOND / LABELS_A_BODY) as poster:
                busy.append(_round(proxy, shape))
            accepted.append(poster.accepted)
            proxy.wait_for_labels(sum(accepted))
    quiet, busy = quiet[1:], busy[1:]  # the first round warms up
    for name, found in (("without labels", quiet), (f"with {_LABELS_A_SECOND:,} labels a second", busy)):
        shown = "   ".join(f"{key} {median(getattr(one, key) for one in found):7.2f} ms" for key in Latency._fields)
        sys.stdout.write(f"{name:32} {shown}\n")
    more = [one.p99 - other.p99 for one, other in zip(busy, quiet, strict=True)]
    sys.stdout.write(
        f"p99 is {median(more):.2f} ms more, {min(more):.2f} to {max(more):.2f} in {len(more)} rounds; "
        f"aim: {AIM_MILLISECONDS:g} ms\n"
    )
    share = sum(accepted) / (len(accepted) * inferences * _ROWS)
    sys.stdout.write(f"{share:.1%} of the labels were taken at once; all of these were matched\n")
    return median(more) <= AIM_MILLISECONDS


def _round(proxy: LabelledProxy, shape: Shape) -> Latency:
    reported = send(proxy.program.port, shape)
    return Latency(1e3 * reported["p50"], 1e3 * reported["p90"], 1e3 * reported["p99"])


def _show_memory(folder: Path, model: int) -> bool:
    """Measure and print memory; returns whether the aim was met."""
    found = []
    ids = [f"order-{index}" for index in range(IN_MEMORY.pending)]
    for takes_labels in (False, True):
        with LabelledProxy(folder, model, pending=IN_MEMORY.pending, takes_labels=takes_labels) as proxy:
            proxy.infer(ids, 1)
            waiting = proxy.program.memory()
            if takes_labels:
                with Poster(proxy.labels_url, label_bodies(ids, 1), _LABELS_A_SECOND / LABELS_A_BODY) as poster:
                    poster.wait()
                proxy.wait_for_labels(poster.accepted)
            found.append((waiting, proxy.program.memory()))
    (_, without), (full, labelled) = found
    sys.stdout.write(f"resident memory without a labels port {without:.1f} MB; with one, {len(ids):,} responses ")
    sys.stdout.write(f"that wait {full:.1f} MB, and all of them labelled {labelled:.1f} MB\n")
    more = labelled - without
    sys.stdout.write(f"memory is {more:.1f} MB more; aim: {AIM_MEGABYTES:g} MB\n")
    return more <= AIM_MEGABYTES


if __name__ == "__main__":
    sys.exit(main())
