"""Contestants as processes that are asked in turn, so that what slows the machine down slows all of them."""

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
"""Windows of each competitor in each case, at most."""

FEWEST_ROUNDS = 3

SECONDS = 4.0
"""A competitor that has taken so long in a case has its fewest rounds."""

_ROOT = Path(__file__).parents[2]
_ONE_THREAD = {f"{name}_NUM_THREADS": "1" for name in ("OMP", "OPENBLAS", "MKL", "NUMBA")}


@dataclass(frozen=True, slots=True)
class CompetitorSpec:
    """Who takes part.

    Args:
        name: As it stands in tables.
        engine: Its name in `competitor`.
        hop: A window begins so many parts of its length after the one before: 10 is a tenth.
        python: The interpreter of its environment; `None` if there is none.
    """

    name: str
    engine: str
    hop: int
    python: Path | None


@dataclass(slots=True)
class Record:
    """What one rival said in one case.

    Args:
        first: The statistics and p-values of the first window, which is the same for all and counts for nothing else.
        cpu: Seconds of the processor that each further window took.
        wall: Likewise by the clock.
    """

    first: tuple[list[float], list[float]]
    cpu: list[float] = field(default_factory=list)
    wall: list[float] = field(default_factory=list)

    @property
    def is_done(self) -> bool:
        """Whether it has had its share of time."""
        return len(self.cpu) >= FEWEST_ROUNDS and sum(self.wall) >= SECONDS


class Competitor:
    """A rival's process.

    Args:
        spec: Whose interpreter is there.
    """

    def __init__(self, spec: CompetitorSpec, process: "subprocess.Popen[str]") -> None:
        self.spec = spec
        self._process = process
        self.versions: dict[str, str] = self._response()

    def ask(self, file: Path, case: Case, number: int) -> dict[str, Any]:
        """What one window cost, and what was found."""
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
    """The processes of those that are installed; they end with the block."""
    script, variables = Path(__file__).with_name("competitor.py"), os.environ | _ONE_THREAD | {"PYTHONPATH": str(_ROOT)}
    with ExitStack() as stack:
        found = []
        for spec in specs:
            if spec.python is None:
                continue
            process = stack.enter_context(
                subprocess.Popen(  # noqa: S603 of our own words alone
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
    """What each said, two windows of each in turn, of which the first wakes it up and the second counts."""
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
