"""`python -m tests.chaos [FAULT ...] [--quick] [--write DOCUMENT]`: inflict faults, and print a table.

Exit code 0 if no law was broken, 1 if one was, 2 if an option is wrong.
"""

import argparse
import signal
import sys
import time
import traceback
from pathlib import Path

from tests.chaos.catalogue import FAULTS
from tests.chaos.fault import Fault, run
from tests.chaos.laws import Findings
from tests.chaos.report import line, write

_TERMINATED = 128 + signal.SIGTERM


def main() -> int:
    """Inflict the faults of the command line; returns the exit code."""
    names = [fault.name for fault in FAULTS]
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("faults", nargs="*", metavar="FAULT", help=f"one of {', '.join(names)}; without one, all")
    parser.add_argument("--quick", action="store_true", help="a short run: those faults that cover most in 2 minutes")
    parser.add_argument("--log", action="store_true", help="also print the log of the process that wrote most lines")
    parser.add_argument("--write", type=Path, help="put the table between the marks of this document")
    options = parser.parse_args()
    unknown = set(options.faults) - set(names)
    if unknown:
        parser.error(f"no such fault: {', '.join(sorted(unknown))}; there are {', '.join(names)}")
    chosen = [
        fault
        for fault in FAULTS
        if (fault.name in options.faults or not options.faults) and (fault.is_quick or not options.quick)
    ]
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(_TERMINATED))  # so that all children are stopped
    begun = time.monotonic()
    results: list[tuple[Fault, Findings]] = []
    for fault in chosen:
        results.append((fault, _run(fault, with_log=options.log)))
        if options.write:
            write(options.write, results, time.monotonic() - begun)
    broken = sum(bool(findings.broken) for _, findings in results)
    seconds = time.monotonic() - begun
    sys.stdout.write(f"{len(results)} faults in {seconds:.0f} s; laws were broken after {broken} of them\n")
    return int(broken > 0)


def _run(fault: Fault, *, with_log: bool) -> Findings:
    """Run one fault and print its line; an error of the run itself counts as a broken law."""
    try:
        findings = run(fault)
    except Exception as error:  # noqa: BLE001 - the other faults still run
        where = traceback.extract_tb(error.__traceback__)[-1]
        findings = Findings(broken=[f"the run failed: {error!r} in {where.filename}:{where.lineno}"])
    log = [f"         | {text}" for text in findings.log if with_log]
    sys.stdout.write("\n".join([line(fault, findings), *log, ""]))
    sys.stdout.flush()
    return findings


if __name__ == "__main__":
    sys.exit(main())
