"""The retraining: `python -m examples.retrain.pipeline --admin-url URL --directory DIRECTORY < EVENT.json`.

Three commands, one after the other, as a workflow in a cluster has three steps: `driftgauge export` writes the rows
with labels since the event, `examples.retrain.training` learns from them, and `driftgauge reference build` makes the
reference of the new model. It prints a line for each; exit code 1 if one of them fails.
"""

import argparse
import csv
import json
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

LEAST_WINES = 400
"""Different wines that a training needs: an event comes when the model has been wrong for a while, but a while is few
rows, and a reference of few rows finds only gross changes."""

WAIT_SECONDS = 60
POLL_SECONDS = 4

COLUMNS_OF_A_ROW = ("driftgauge:", "prediction:", "label:")
"""How columns begin that are no features."""


class PipelineError(Exception):
    """A step has failed; the message is its last line."""


def retrain(event: dict[str, str], admin_url: str, directory: Path) -> None:
    """Export, train, and make the reference.

    Args:
        event: The data of the event.
        admin_url: driftgauge's admin port.
        directory: Where `retrained.joblib` and `retrained.npz` are written, and what they are made of.

    Raises:
        PipelineError: A step has failed, or there were too few rows.
    """
    rows, training = directory / "rows.csv", directory / "training.csv"
    named = ["--inference-service", event["inference_service"], "--namespace", event["inference_service_namespace"]]
    named += ["--revision", event["revision"], "--admin-url", admin_url]
    count = _export([*named, "--since", event["since"], "--labelled-only", "-o", str(rows)], rows)
    _say("export", f"{count} wines with labels since {event['since']}")
    model = ["--model", str(directory / "retrained.joblib"), "--reference", str(training)]
    _say("train", _run("examples.retrain.training", str(rows), *model))
    reference = str(directory / "retrained.npz")
    built = _run("driftgauge", "reference", "build", str(training), "-o", reference).splitlines()
    summary = next(line for line in built if line.startswith(reference))
    _say("reference", summary.removeprefix(f"{directory}/").partition(", sha256")[0])


def _export(flags: Sequence[str], rows: Path) -> int:
    """Export until there are enough wines; returns their number.

    Raises:
        PipelineError: There were not, in time, or the command fails.
    """
    deadline = time.monotonic() + WAIT_SECONDS
    while True:
        try:
            _run("driftgauge", "export", *flags)
            count = count_wines(rows)
        except _NoRowsError:
            count = 0
        if count >= LEAST_WINES:
            return count
        if time.monotonic() > deadline:
            raise PipelineError(f"{count} wines have labels after {WAIT_SECONDS} s, but {LEAST_WINES} are needed")
        time.sleep(POLL_SECONDS)


def count_wines(rows: Path) -> int:
    """The number of different rows of features in a CSV file of `driftgauge export`."""
    with rows.open(newline="") as file:
        header, *lines = csv.reader(file)
    places = [place for place, name in enumerate(header) if not name.startswith(COLUMNS_OF_A_ROW)]
    return len({tuple(line[place] for place in places) for line in lines})


class _NoRowsError(PipelineError):
    """The export has no such rows."""


def _run(module: str, *arguments: str) -> str:
    """Run a module as a command; returns what it prints.

    Raises:
        _NoRowsError: Exit code 1.
        PipelineError: Any other exit code than 0.
    """
    done = subprocess.run([sys.executable, "-m", module, *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        failure = _NoRowsError if done.returncode == 1 else PipelineError
        raise failure(f"{module} {arguments[0]}: exit code {done.returncode}: {done.stderr.strip()}")
    return done.stdout.strip()


def _say(step: str, text: str) -> None:
    print(f"{step}: {text}", flush=True)


def main() -> int:
    """Retrain for the event on standard input; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m examples.retrain.pipeline", description=__doc__)
    parser.add_argument("--admin-url", required=True, help="driftgauge's admin port")
    parser.add_argument("--directory", type=Path, required=True, help="where files are written")
    chosen = parser.parse_args()
    try:
        retrain(json.load(sys.stdin), chosen.admin_url, chosen.directory)
    except PipelineError as error:
        _say("failed", str(error))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
