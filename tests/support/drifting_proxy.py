"""A proxy as a whole process, whose model gets rows that drift, and which sends events to a receiver."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from tests.support.echo_model import EchoModel
from tests.support.processes import Driftgauge
from tests.support.traffic import body_of, wrong_responses

OVERRIDES = json.dumps({"extensions": {"team": "wine makers"}})


@contextmanager
def drifting_proxy(directory: Path, receiver: str, *flags: str) -> Iterator[Driftgauge]:
    """A proxy that has passed 100 rows that drift.

    Args:
        directory: Where the reference is written.
        receiver: The URL of the receiver, as a SinkBinding of Knative sets it.
        flags: More flags.
    """
    reference = directory / "wine.csv"
    rows = np.random.default_rng(1).normal(10, 1, 1_000)
    np.savetxt(reference, rows, header="alcohol", comments="", fmt="%g")
    own = (
        *("--inference-service=wine", "--namespace=cellar", f"--reference={reference}", "--min-rows=50"),
        *("--decision=p-value", "--flush-interval-seconds=0.02", "--evaluation-interval-seconds=0.2"),
    )
    env = {"K_SINK": receiver, "K_CE_OVERRIDES": OVERRIDES}
    with EchoModel() as model, Driftgauge("proxy", "--upstream-url", model.url, *own, *flags, env=env) as proxy:
        assert [] == wrong_responses(proxy.port, [body_of([[30.0 + number % 7]]) for number in range(100)], 2)
        yield proxy
