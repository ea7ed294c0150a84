"""One competitor as a process, with the interpreter of its own environment: `python competitor.py NAME`.

Each line of standard input names a file of `cases.write` and the first row of a window in its stream. For each line the
process prints a line of JSON: the cost of the window, and its results. It imports the named competitor's packages only.
"""

import importlib
import json
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from importlib.metadata import version
from itertools import chain
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Found = tuple[Any, Any]
"""Statistic and p-value of each feature."""

Engine = Callable[[Floats, int], Found]
"""Tests a window; the second argument is the number of its first row in the stream."""


def driftgauge(reference: Floats) -> Engine:
    """driftgauge, with every window as a new one."""
    ks, p_value = _ours("statistics.ks"), _ours("statistics.p_value")
    columns, p_values = list(np.sort(reference.T, axis=1)), p_value.PValues()

    def test(window: Floats, _: int) -> Found:
        statistics = ks.sorted_ks_statistics(columns, np.sort(window.T, axis=1))
        return statistics, p_values.p_values(reference.shape[0], window.shape[0], statistics)

    return test


def driftgauge_kept(reference: Floats) -> Engine:
    """driftgauge, with the ranks of rows that it has seen before in its cache."""
    ks, p_value, rank_cache, row_hours, profile = (
        _ours("statistics.ks"),
        _ours("statistics.p_value"),
        _ours("rank_cache"),
        _ours("row_hours"),
        _ours("profile"),
    )
    profiles = [profile.numeric_profile("", column) for column in np.sort(reference.T, axis=1)]
    p_values, cache = p_value.PValues(), rank_cache.RankCache(profiles, row_hours.RowHours(profiles, None))

    def test(window: Floats, first: int) -> Found:
        cache.update(window, np.arange(first, first + window.shape[0]))
        statistics = ks.ranked_ks_statistics(reference.shape[0], *cache.ranks(slice(None)))
        return statistics, p_values.p_values(reference.shape[0], window.shape[0], statistics)

    return test


def scipy_asymp(reference: Floats) -> Engine:
    """`scipy.stats.ks_2samp` for each feature, asymptotic."""
    return _scipy(reference, "asymp")


def scipy_auto(reference: Floats) -> Engine:
    """`scipy.stats.ks_2samp` for each feature with its default method: exact up to 10,000 values on either side."""
    return _scipy(reference, "auto")


def alibi_detect(reference: Floats) -> Engine:
    """The KS detector of alibi-detect for all features, with its defaults."""
    stub = ModuleType("transformers")  # alibi-detect imports it for text models; the real one needs a gigabyte
    stub.__dict__.update(AutoTokenizer=object, PreTrainedTokenizerBase=object)
    sys.modules["transformers"] = stub
    detector = importlib.import_module("alibi_detect.cd").KSDrift(reference, p_val=0.05)

    def test(window: Floats, _: int) -> Found:
        found = detector.predict(window)["data"]
        return found["distance"], found["p_val"]

    return test


def frouros(reference: Floats) -> Engine:
    """The KS detector of frouros, one for each feature, with its defaults."""
    module = importlib.import_module("frouros.detectors.data_drift")
    detectors = [module.KSTest() for _ in range(reference.shape[1])]
    for detector, column in zip(detectors, reference.T, strict=True):
        detector.fit(X=column)

    def test(window: Floats, _: int) -> Found:
        found = [one.compare(X=column)[0] for one, column in zip(detectors, window.T, strict=True)]
        return [one.statistic for one in found], [one.p_value for one in found]

    return test


ENGINES = {one.__name__: one for one in (driftgauge, driftgauge_kept, scipy_asymp, scipy_auto, alibi_detect, frouros)}


def responses(name: str, lines: Iterator[str]) -> Iterator[dict[str, Any]]:
    """The cost of each line's window, in seconds, and its results.

    Args:
        name: The name of the engine.
        lines: JSON with the case's `file`, and the window's `first` row in the stream.
    """
    file, data, engine = "", {}, None
    for line in lines:
        asked = json.loads(line)
        if engine is None or asked["file"] != file:
            file, data = asked["file"], dict(np.load(asked["file"]))
            engine = ENGINES[name](np.array(data["reference"]))
        window = data["stream"][asked["first"] : asked["first"] + int(data["window_rows"])].copy()
        wall, cpu = time.perf_counter(), time.process_time()
        statistics, p_values = engine(window, asked["first"])
        cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
        found = {"statistics": np.asarray(statistics).tolist(), "p_values": np.asarray(p_values).tolist()}
        yield {"cpu": cpu, "wall": wall, **found}


def versions(name: str) -> dict[str, str]:
    """The versions of the packages that this process uses."""
    peers = {"alibi_detect": ("alibi-detect",), "frouros": ("frouros",)}.get(name, ())
    return {one: version(one) for one in (*peers, "numpy", "scipy")}


def _ours(module: str) -> Any:  # noqa: ANN401 a module that only this project's environment has
    return importlib.import_module(f"driftgauge.drift.{module}")


def _scipy(reference: Floats, method: str) -> Engine:
    stats = importlib.import_module("scipy.stats")
    columns = [np.array(column) for column in reference.T]

    def test(window: Floats, _: int) -> Found:
        found = [stats.ks_2samp(one, other, method=method) for one, other in zip(columns, window.T, strict=True)]
        return [one.statistic for one in found], [one.pvalue for one in found]

    return test


def main() -> None:
    """Print the versions, then a response to each line of standard input."""
    warnings.simplefilter("ignore")  # peers emit many
    name = sys.argv[1]
    output = sys.stdout
    sys.stdout = sys.stderr  # what peers print is no response
    for response in chain([versions(name)], responses(name, sys.stdin)):
        output.write(json.dumps(response) + "\n")
        output.flush()


if __name__ == "__main__":
    main()
