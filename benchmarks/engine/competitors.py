"""Competitors as processes that take turns, so that whatever slows the machine down slows all of them."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.engine.cases import Case, write

ROUNDS = 15
"""The largest number of windows of each competitor in each case."""

FEWEST_ROUNDS = 3

SECONDS = 4.0
"""A competitor that has taken this long in a case is done after `FEWEST_ROUNDS`."""

_SIDECAR = Path(__file__).parents[2] / "sidecar"
_ONE_THREAD = {f"{name}_NUM_THREADS": "1" for name in ("OMP", "OPENBLAS", "MKL", "NUMBA")}


@dataclass(frozen=True, slots=True)
class CompetitorSpec:
    """One competitor.

    Args:
        name: Its name in tables.
        engine: Its name in `competitor`.
        hop: A window starts 1 / hop of its length after the one before: with 10 a tenth of its rows are new.
        python: The interpreter of its environment; `None` if there is none.
    """

    name: str
    engine: str
    hop: int
    python: Path | None


@dataclass(slots=True)
class Record:
    """The results of one competitor in one case.

    Args:
        first: The statistics and p-values of the first window, which is the same for all competitors; it is not timed.
        cpu: CPU seconds of each further window.
        wall: Wall-clock seconds of each further window.
    """

    first: tuple[list[float], list[float]]
    cpu: list[float] = field(default_factory=list)
    wall: list[float] = field(default_factory=list)

    @property
    def is_done(self) -> bool:
        """Whether it has had enough rounds for the time that it took."""
        return len(self.cpu) >= FEWEST_ROUNDS and sum(self.wall) >= SECONDS


class Competitor:
    """A competitor's process.

    Args:
        spec: The competitor, whose interpreter must exist.
        process: The process.
    """

    def __init__(self, spec: CompetitorSpec, process: "subprocess.Popen[str]") -> None:
        self.spec = spec
        self._process = process
        self.versions: dict[str, str] = self._response()

    def ask(self, file: Path, case: Case, number: int) -> dict[str, Any]:
        """The cost and the results of one window."""
        assert self._process.stdin is not None  # noqa: S101 the process was started with pipes
        first = number * (case.window_rows // self.spec.hop)
        self._process.stdin.write(json.dumps({"file": str(file), "first": first}) + "\n")
        self._process.stdin.flush()
        return self._response()

    def _response(self) -> dict[str, Any]:
        assert self._process.stdout is not None  # noqa: S101 the process was started with pipes
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"{self.spec.name} has ended")
        response: dict[str, Any] = json.loads(line)
        return response


@contextmanager
def started(specs: Sequence[CompetitorSpec]) -> Iterator[list[Competitor]]:
    """The processes of the installed competitors; they end with the block."""
    script = Path(__file__).with_name("competitor.py")
    variables = os.environ | _ONE_THREAD | {"PYTHONPATH": str(_SIDECAR)}
    with ExitStack() as stack:
        found = []
        for spec in specs:
            if spec.python is None:
                continue
            process = stack.enter_context(
                subprocess.Popen(  # noqa: S603 all words are constants of this package
                    [spec.python, script, spec.engine],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=sys.stderr,
                    text=True,
                    env=variables,
                )
            )
            found.append(Competitor(spec, process))
        yield found


def race(competitors: Sequence[Competitor], case: Case, rounds: int) -> dict[str, Record]:
    """The results of each; in each round every competitor has two windows: a warm-up, and one that is timed."""
    with tempfile.TemporaryDirectory() as directory:
        file = Path(directory) / "case.npz"
        write(case, 2 * rounds, file)
        records = {}
        for one in competitors:
            response = one.ask(file, case, 0)
            records[one.spec.name] = Record((response["statistics"], response["p_values"]))
        for number in range(1, rounds + 1):
            for one in competitors:
                record = records[one.spec.name]
                if not record.is_done:
                    one.ask(file, case, 2 * number - 1)
                    response = one.ask(file, case, 2 * number)
                    record.cpu.append(response["cpu"])
                    record.wall.append(response["wall"])
    return records
