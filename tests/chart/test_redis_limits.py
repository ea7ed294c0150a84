"""The chart gives its own Redis the memory that the formula computes."""

import math
from typing import Any

import pytest

from charts.redis_memory import Load, limit_bytes, maxmemory_bytes, used_bytes
from tests.support.helm import Release, render

MIB = 1_048_576
LOADS = [
    Load(replicas=1),
    Load(models=500, features=100, predictions=3, rate=1_500.5, replicas=3),
    Load(models=1_000, rate=20_000, window_rows=10_000, pair_ttl_seconds=60, replicas=6),
    Load(models=1, features=1, predictions=0, rate=0, replicas=1),
    Load(replicas=2, pending=100_000, further_ids=1),
    Load(models=3, predictions=4, replicas=2, pending=50_000, further_ids=1),
]


def rendered(load: Load, **internal: Any) -> Release:  # noqa: ANN401 values of the chart
    """The chart with its own Redis for this load."""
    expected = {
        "models": load.models,
        "features": load.features,
        "predictions": load.predictions,
        "requestsPerSecond": load.rate,
    }
    config = {"window_rows": load.window_rows, "pair_ttl_seconds": load.pair_ttl_seconds}
    if load.pending not in {0, 100_000}:  # which is the default
        config["label_pending"] = load.pending
    redis = {"internal": {"enabled": True, "expected": expected, **internal}}
    labels = {"labels": {"enabled": True}} if load.pending else {}
    return render({"replicaCount": load.replicas, "config": config, "redis": redis} | labels)


def memory_of(release: Release) -> tuple[str, str]:
    """`maxmemory` and the limit of the container."""
    (container,) = release.one("StatefulSet")["spec"]["template"]["spec"]["containers"]
    arguments = container["args"]
    return arguments[arguments.index("--maxmemory") + 1], container["resources"]["limits"]["memory"]


@pytest.mark.parametrize("load", LOADS, ids=str)
def test_the_chart_computes_what_the_formula_does(load: Load) -> None:
    """Both in whole mebibytes, and never below 192 and 256."""
    maxmemory = max(math.ceil(maxmemory_bytes(load) / MIB), 192)
    limit = max(math.ceil(limit_bytes(load) / MIB), 256)

    assert (f"{maxmemory}mb", f"{limit}Mi") == memory_of(rendered(load))


def test_what_is_set_is_used() -> None:
    """An operator who knows better says so."""
    release = rendered(LOADS[0], maxmemory="1gb", resources={"limits": {"memory": "1.5Gi"}})

    assert ("1gb", "1.5Gi") == memory_of(release)


def test_the_notes_say_the_figure() -> None:
    """Who installs sees what was computed, and from what."""
    load = LOADS[1]
    used = math.ceil(used_bytes(load) / MIB)

    assert f"{used}mb are expected to be used by 500 models of 100 features" in rendered(load).notes
