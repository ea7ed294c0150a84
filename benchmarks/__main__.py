"""`python -m benchmarks [SUITE ...] [--quick] [--write DOCUMENT ...]`: measure, print, save, draw.

Tables are saved in `build/bench`: results.json, results.md and a plot of each. `--write` also puts each of them
between its marks in the document that has these marks, and its plot into the folder `pictures` of the document.
"""

import argparse
import sys
import time
import traceback
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path

from benchmarks.children import ROOT
from benchmarks.compiled import measured_build
from benchmarks.render import as_json, as_markdown, draw, machine
from benchmarks.results import Table
from benchmarks.statistics.tables import fill
from benchmarks.statistics.work import Effort
from driftgauge.build_kind import BuildKind

SUITES = ("proxy", "logger", "engine", "store", "footprint", "interference", "hostile")
_BUILD = ROOT / "build" / "bench"
_BUILDS = {BuildKind.COMPILED: "compiled, as in the image", BuildKind.PURE: "pure Python, since there is no gcc"}


def main() -> int:
    """Run the suites of the command line; returns 1 if one failed, otherwise 0."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("suites", nargs="*", metavar="SUITE", help=f"one of {', '.join(SUITES)}; without a suite, all")
    parser.add_argument(
        "--quick",
        action="store_true",
        help="a short run, which shows that everything works; its numbers are not reliable",
    )
    parser.add_argument(
        "--write", type=Path, nargs="+", default=[], help="put the tables between the marks of these documents"
    )
    options = parser.parse_args()
    unknown = set(options.suites) - set(SUITES)
    if unknown:
        parser.error(f"no such suite: {', '.join(sorted(unknown))}; there are {', '.join(SUITES)}")
    effort = Effort(options.quick)
    tables: list[Table] = []
    failed = False
    for name in options.suites or SUITES:
        start = time.perf_counter()
        measured = _run_suite(name, effort)
        failed = failed or measured is None
        origin = _origin(name, effort, time.perf_counter() - start)
        for one in measured or []:
            _print(one, origin, options.write)
            tables.append(one)
    _save(tables)
    return int(failed)


def _run_suite(name: str, effort: Effort) -> list[Table] | None:
    """Run one suite; returns its tables, or `None`, after printing the error, if it failed."""
    try:
        run: Callable[[Effort], list[Table]] = import_module(f"benchmarks.{name}.suite").run
        return run(effort)
    except Exception as error:  # noqa: BLE001 - the other suites still run
        traceback.print_exc()
        sys.stdout.write(f"The suite {name} failed: {error}\n\n")
        return None


def _print(one: Table, origin: str, documents: Sequence[Path]) -> None:
    body = f"{as_markdown(one)}\n\n{origin}"
    sys.stdout.write(f"## {one.title}\n\n{body}\n\n")
    sys.stdout.flush()
    if documents:
        document = document_of(one.slug, documents)
        picture = document.parent / "pictures" / f"bench-{one.slug}.svg"
        draw(one, picture)
        shown = f"\n\n![{one.title}](pictures/{picture.name})" if one.plot else ""
        document.write_text(fill(document.read_text(), one.slug, f"{body}{shown}"))


def document_of(name: str, documents: Sequence[Path]) -> Path:
    """The first document that has the marks of a table.

    Raises:
        ValueError: None has them.
    """
    for document in documents:
        if f"<!-- begin: {name} -->" in document.read_text():
            return document
    raise ValueError(f"no document has marks for {name}: {', '.join(map(str, documents))}")


def _origin(name: str, effort: Effort, seconds: float) -> str:
    facts = machine()
    quick, build = " --quick" if effort.quick else "", _BUILDS[measured_build()]
    return (
        f"`python -m benchmarks {name}{quick}`, {datetime.now(UTC).date()}, {seconds:.0f} s, {facts['cores']} cores "
        f"({facts['processor']}), Linux {facts['kernel']}, Python {facts['python']}; driftgauge's data plane: {build}."
    )


def _save(tables: list[Table]) -> None:
    _BUILD.mkdir(parents=True, exist_ok=True)
    origin = {"date": datetime.now(UTC).isoformat(timespec="seconds"), "build": measured_build(), **machine()}
    (_BUILD / "results.json").write_text(as_json(tables, origin))
    text = "\n\n".join(f"## {one.title}\n\n{as_markdown(one)}" for one in tables)
    (_BUILD / "results.md").write_text(f"{text}\n")
    for one in tables:
        draw(one, _BUILD / f"{one.slug}.svg")


if __name__ == "__main__":
    sys.exit(main())
