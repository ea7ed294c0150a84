"""A proxy with a labelled reference, with or without a labels port, and the inferences and labels that it gets."""

import http.client
import os
import time
from collections.abc import Sequence
from http import HTTPStatus
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import numpy as np

from benchmarks.children import ROOT
from benchmarks.environment import driftgauge, scrape
from benchmarks.proxy.bodies import COLUMNS, rows
from benchmarks.statistics.work import SEED
from driftgauge.storage.label_slices import IN_MEMORY
from driftgauge.storage.labels import SLICES
from tests.support.ports import free_port

LABELS_A_BODY: Final = 1_000
"""As `driftgauge labels post` sends them."""

_BODY: Final = b'{"instances":' + str(rows(1)).encode() + b"}"
_REFERENCE_ROWS: Final = 2_000
_MOST_ROWS_A_SECOND: Final = 1_000_000
"""Each label is the first one of its row, so no row may be left out."""

_EVALUATION_SECONDS: Final = 2
_SERVICE: Final = "wine"
_CHUNK: Final = 500
"""Inferences after which it waits until their payloads are counted, since its queue is bounded."""

_QUIET_SECONDS: Final = 60.0
_POLL_SECONDS: Final = 0.1


class LabelledProxy:
    """A proxy in front of a model, with rows in memory; it runs until the `with` block ends.

    All inferences fall into one slice of the time to live, which keeps as many as all slices together by default.

    Args:
        folder: Where its reference is written.
        model: Port of the model.
        pending: Most inferences that wait for labels, at least as many as by default.
        takes_labels: Whether it has a labels port.
        watched: Where it is noted how late its event loop wakes up; `None` to leave it alone.
        source: The folder `sidecar` of the version that is run; `None` for this one.
    """

    def __init__(
        self,
        folder: Path,
        model: int,
        *,
        pending: int,
        takes_labels: bool,
        watched: Path | None = None,
        source: Path | None = None,
    ) -> None:
        port = free_port()
        words: list[object] = ["--upstream-url", f"http://127.0.0.1:{model}", "--inference-service", _SERVICE]
        words += ["--reference", _write_reference(folder / "labelled.csv")]
        words += ["--evaluation-interval-seconds", _EVALUATION_SECONDS, "--max-rows-per-second", _MOST_ROWS_A_SECOND]
        if takes_labels:
            words += ["--labels-port", port, "--label-pending", SLICES * max(pending, IN_MEMORY.pending)]
        env = {} if source is None else {"PYTHONPATH": os.pathsep.join(map(str, (source, ROOT)))}
        runner = ("driftgauge",) if watched is None else ("benchmarks.labels.watched_driftgauge", str(watched))
        self.program = driftgauge("proxy", *words, env=env, runner=runner)
        self.labels_url = f"http://127.0.0.1:{port}/labels?inference_service={_SERVICE}"
        self._takes_labels = takes_labels
        self._payloads = 0

    def __enter__(self) -> Self:
        """Start it."""
        self.program.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop it."""
        self.program.__exit__(kind, error, trace)

    def infer(self, ids: Sequence[str], count: int) -> None:
        """Send an inference with each id, whose response has so many rows, until all responses wait for labels."""
        before = self._counted("driftgauge_payloads_total", kind="response")
        connection = http.client.HTTPConnection("127.0.0.1", self.program.port, timeout=_QUIET_SECONDS)
        for number, own in enumerate(ids, 1):
            connection.request("POST", "/v1/models/wine:predict", _BODY, {"X-Request-Id": own, "X-Rows": str(count)})
            response = connection.getresponse()
            response.read()
            if response.status != HTTPStatus.OK:
                raise RuntimeError(f"an inference was refused with {response.status}")
            if number % _CHUNK == 0 or number == len(ids):
                self._wait("driftgauge_payloads_total", before + number, kind="response")
        connection.close()

    def wait_for_labels(self, number: int) -> None:
        """Wait until so many labels, counted from the start, have met their responses."""
        self._wait("driftgauge_labels_total", number, outcome="matched")

    def _wait(self, name: str, number: float, **labels: str) -> None:
        """Wait until a sum of samples has come to a number.

        Raises:
            TimeoutError: It does not.
        """
        end = time.monotonic() + _QUIET_SECONDS
        while (now := self._counted(name, **labels)) < number:
            if time.monotonic() > end:
                raise TimeoutError(f"{name} with {labels} is {now:g}, not {number:g}")
            time.sleep(_POLL_SECONDS)

    def _counted(self, name: str, **labels: str) -> float:
        return scrape(self.program).total(name, **labels)


def label_bodies(ids: Sequence[str], count: int) -> list[bytes]:
    """The labels of so many rows of each inference, as bodies of CSV. One in ten differs from the prediction."""
    lines = [
        f"{own},{row},{5 + row % 3 + ((row + index) % 10 == 0)}"
        for index, own in enumerate(ids)
        for row in range(count)
    ]
    parts = (lines[first : first + LABELS_A_BODY] for first in range(0, len(lines), LABELS_A_BODY))
    return ["\n".join(["id,row,label", *part, ""]).encode() for part in parts]


def _write_reference(path: Path) -> Path:
    """A reference whose predictions are wrong in one row of ten."""
    values = np.random.default_rng(SEED).normal(10, 3, (_REFERENCE_ROWS, COLUMNS))
    row = np.arange(_REFERENCE_ROWS)
    grades = 5 + row % 3
    table = np.column_stack([values, grades, grades + (row // 3 % 10 == 0)])
    names = ",".join([*(f"f{number}" for number in range(COLUMNS)), "prediction:quality", "label:quality"])
    np.savetxt(path, table, fmt="%.3f", delimiter=",", header=names, comments="")
    return path
