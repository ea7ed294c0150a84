"""One competitor as a process, in whatever environment it lives: `python competitor.py NAME`.

It answers each line of standard input, which names a file of `cases.write` and the first row of a window in its stream,
with a line of JSON: what the window cost, and what was found. Nothing but numpy is imported until a name asks for it.
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
"""Tests a window, of which the number of its first row in the stream is told."""


def driftgauge(reference: Floats) -> Engine:
    """Every window is new to it."""
    ks, p_value = _ours("statistics.ks"), _ours("statistics.p_value")
    columns, p_values = list(np.sort(reference.T, axis=1)), p_value.PValues()

    def test(window: Floats, _: int) -> Found:
        statistics = ks.sorted_ks_statistics(columns, np.sort(window.T, axis=1))
        return statistics, p_values.p_values(reference.shape[0], window.shape[0], statistics)

    return test


def driftgauge_kept(reference: Floats) -> Engine:
    """It keeps the places of the rows that it has met."""
    ks, p_value, places, profile = (
        _ours("statistics.ks"),
        _ours("statistics.p_value"),
        _ours("rank_cache"),
        _ours("profile"),
    )
    profiles = [profile.numeric_profile("", column) for column in np.sort(reference.T, axis=1)]
    p_values, known = p_value.PValues(), None

    def test(window: Floats, first: int) -> Found:
        nonlocal known
        known = places.look_up(profiles, window, np.arange(first, first + window.shape[0]), known)
        statistics = ks.ranked_ks_statistics(reference.shape[0], *known.ranks(slice(None)))
        return statistics, p_values.p_values(reference.shape[0], window.shape[0], statistics)

    return test


def scipy_asymp(reference: Floats) -> Engine:
    """A loop over the features."""
    return _scipy(reference, "asymp")


def scipy_auto(reference: Floats) -> Engine:
    """The same with scipy's default: exact up to 10,000 values on either side."""
    return _scipy(reference, "auto")


def alibi_detect(reference: Floats) -> Engine:
    """Its detector of many features, with its defaults."""
    stub = ModuleType("transformers")  # imported to save detectors of texts, and a gigabyte with what it needs
    stub.__dict__.update(AutoTokenizer=object, PreTrainedTokenizerBase=object)
    sys.modules["transformers"] = stub
    detector = importlib.import_module("alibi_detect.cd").KSDrift(reference, p_val=0.05)

    def test(window: Floats, _: int) -> Found:
        found = detector.predict(window)["data"]
        return found["distance"], found["p_val"]

    return test


def frouros(reference: Floats) -> Engine:
    """A loop over its detectors of one feature, with their defaults."""
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
    """What each line's window cost, in seconds, and what was found.

    Args:
        name: Of the engine.
        lines: JSON: the case's `file`, and the window's `first` row in the stream.
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
    """Of what takes part in this process."""
    peers = {"alibi_detect": ("alibi-detect",), "frouros": ("frouros",)}.get(name, ())
    return {one: version(one) for one in (*peers, "numpy", "scipy")}


def _ours(module: str) -> Any:  # noqa: ANN401 a module that only our own environment has
    return importlib.import_module(f"driftgauge.drift.{module}")


def _scipy(reference: Floats, method: str) -> Engine:
    stats = importlib.import_module("scipy.stats")
    columns = [np.array(column) for column in reference.T]

    def test(window: Floats, _: int) -> Found:
        found = [stats.ks_2samp(one, other, method=method) for one, other in zip(columns, window.T, strict=True)]
        return [one.statistic for one in found], [one.pvalue for one in found]

    return test


def main() -> None:
    """Say hello, then answer."""
    warnings.simplefilter("ignore")  # of peers
    name = sys.argv[1]
    said = sys.stdout
    sys.stdout = sys.stderr  # what peers print is no answer
    for response in chain([versions(name)], responses(name, sys.stdin)):
        said.write(json.dumps(response) + "\n")
        said.flush()


if __name__ == "__main__":
    main()
