"""Revisions of one model, as whole processes that share a Redis: each has its own window and its own verdict."""

import json
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from driftgauge.storage.redis_client import connect
from tests.support.agent import pair, post
from tests.support.echo_model import EchoModel
from tests.support.models import WINE, labels
from tests.support.processes import Driftgauge, get
from tests.support.redis_server import RedisServer
from tests.support.scrape import Samples
from tests.support.traffic import body_of, wrong_responses

FAST = (
    *("--flush-interval-seconds=0.02", "--evaluation-interval-seconds=0.2"),
    *("--reference-poll-seconds=0.1", "--drain-delay-seconds=0"),
)
STABLE, CANARY = (WINE._replace(revision=revision) for revision in ("stable", "v2"))
STREAMS = {f"driftgauge:{{cellar/wine/predictor/wine/{revision}}}:request".encode() for revision in ("stable", "v2")}


@pytest.fixture
def references(tmp_path: Path) -> Path:
    """A reference of WINE: two features that are normally distributed."""
    rows = np.random.default_rng(1).standard_normal((5_000, 2))
    (tmp_path / "cellar").mkdir()
    np.savetxt(tmp_path / "cellar" / "wine.csv", rows, "%.4f", ",", header="alcohol,ph", comments="")
    return tmp_path


def bodies(mean: float, number: int = 700) -> Iterator[bytes]:
    """Requests of one row each."""
    for row in mean + np.random.default_rng(2).standard_normal((number, 2)):
        yield body_of([row.tolist()])


def states(found: Samples) -> dict[str, str]:
    """The state of each revision."""
    return {one.labels["revision"]: one.labels["state"] for one in found.matching("driftgauge_state") if one.value}


def are(expected: dict[str, str], found: Samples) -> bool:
    """Whether these are the states of all revisions."""
    return states(found) == expected


def have_verdicts(found: Samples) -> bool:
    """Whether the stable revision is as the reference, and the canary drifts."""
    return are({"stable": "ok", "v2": "drift"}, found)


def are_complete(found: Samples) -> bool:
    """Whether there are verdicts, all rows are stored, and all halves are paired."""
    counts = [found.total(name) for name in ("driftgauge_rows_total", "request_latency_seconds_count")]
    return have_verdicts(found) and counts == [1_400, 1_400]


async def streams(server: RedisServer) -> set[bytes]:
    """The keys of the streams of requests in Redis."""
    async with connect(server.url, timeout_seconds=5) as client:
        return {key async for key in client.scan_iter(match="driftgauge:*:request")}


def send(logger: Driftgauge, revision: str, mean: float) -> None:
    """Post the events of 700 inferences of one revision."""
    for number, body in enumerate(bodies(mean)):
        halves = pair(body, b'{"predictions": [1.5]}', f"id-{number}", number / 100)
        post(logger.port, *(replace(half, revision=revision) for half in halves))


async def test_a_logger_keeps_two_revisions_apart(references: Path, own_server: RedisServer) -> None:
    """Two windows and two verdicts of events that differ in an annotation alone, and of ids that both use."""
    flags = ("--reference-dir", references, f"--redis-url={own_server.url}", *FAST)
    with Driftgauge("logger", *flags) as logger:
        before = logger.wait_for(lambda s: bool(states(s)), "the state of a model without traffic")
        send(logger, "isvc.wine-predictor", 0.0)
        send(logger, "v2", 1.0)
        found = logger.wait_for(are_complete, "the verdicts of both revisions, and all rows and pairs")
        drift = json.loads(get(f"{logger.admin_url}/drift"))["models"]
        index = get(logger.admin_url).decode()
        page = get(f"{logger.admin_url}/report?inference_service=wine&revision=v2").decode()

    assert {"": "cannot_tell"} == states(before)
    for name in ("request_count", "request_latency_seconds_count", "driftgauge_rows_total"):
        assert [700, 700] == [found.total(name, **labels(model)) for model in (STABLE, CANARY)]
    assert {"stable", "v2"} == {sample.labels["revision"] for sample in found.matching("request_count")}
    assert [("stable", "ok"), ("v2", "drift")] == [(one["revision"], one["model_state"]["state"]) for one in drift]
    assert "model_name=wine&amp;revision=v2" in index
    assert "cellar/wine revision v2" in page
    assert STREAMS <= await streams(own_server)


def test_a_restarted_logger_knows_its_revisions(references: Path, own_server: RedisServer) -> None:
    """Their rows and verdicts are in Redis, and need no traffic."""
    flags = ("--reference-dir", references, f"--redis-url={own_server.url}", *FAST)
    with Driftgauge("logger", *flags) as logger:
        send(logger, "stable", 0.0)
        send(logger, "v2", 1.0)
        logger.wait_for(have_verdicts, "the verdicts of both revisions")
    with Driftgauge("logger", *flags) as logger:
        logger.wait_for(have_verdicts, "the same verdicts")


async def test_two_proxies_with_one_redis_keep_canary_and_stable_apart(
    references: Path, own_server: RedisServer
) -> None:
    """Their pods have the same variables but for the label of the pod, or but for Knative's revision."""
    flags = (f"--reference={references / 'cellar' / 'wine.csv'}", f"--redis-url={own_server.url}", *FAST)
    identity = {"DRIFTGAUGE_NAMESPACE": WINE.namespace, "INFERENCE_SERVICE_NAME": WINE.inference_service}
    revisions = {"stable": {"DRIFTGAUGE_REVISION": "isvc.wine-predictor"}, "v2": {"K_REVISION": "v2"}}
    with ExitStack() as stack:
        model = stack.enter_context(EchoModel())
        proxies = {
            name: stack.enter_context(
                Driftgauge("proxy", f"--upstream-url={model.url}", *flags, env={**identity, **variables})
            )
            for name, variables in revisions.items()
        }
        for name, mean in (("stable", 0.0), ("v2", 1.0)):
            assert [] == wrong_responses(proxies[name].port, list(bodies(mean)))
        for name, state in (("stable", "ok"), ("v2", "drift")):
            proxies[name].wait_for(partial(are, {name: state}), f"{name} to be {state}")
        statuses = [json.loads(get(f"{proxy.admin_url}/status")) for proxy in proxies.values()]

    assert ["stable", "v2"] == [status["model"]["revision"] for status in statuses]
    assert STREAMS == await streams(own_server)
