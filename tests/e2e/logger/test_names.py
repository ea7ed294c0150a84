"""A logger as a whole process that anybody can post events to."""

import re
from pathlib import Path

import pytest

from driftgauge.storage.redis_client import connect
from tests.support.agent import Event, post
from tests.support.models import IRIS, WINE, labels
from tests.support.processes import Driftgauge
from tests.support.redis_server import RedisServer
from tests.support.traffic import body_of

FAST = ("--reference-poll-seconds=0.1", "--flush-interval-seconds=0.02", "--drain-delay-seconds=0")
BODY = body_of([[9.5, 3.1]])


@pytest.fixture
def references(tmp_path: Path) -> Path:
    """A reference of WINE without a namespace."""
    (tmp_path / "wine.csv").write_text("alcohol,ph\n" + "".join(f"{9 + n / 10},{3 + n / 100}\n" for n in range(50)))
    return tmp_path


def invented(number: int) -> Event:
    """A request of a model that does not exist."""
    return Event("request", BODY, f"x{number}", inference_service=f"invented-{number}", namespace=f"n{number}")


def test_thousands_of_invented_names_hide_no_real_model(references: Path) -> None:
    """A model with a reference is seen at once, one without is seen after the invented names were idle."""
    iris = Event("request", BODY, "i", inference_service=IRIS.inference_service, namespace=IRIS.namespace)
    with Driftgauge("logger", "--reference-dir", references, "--ring-ttl-seconds=8", *FAST) as logger:
        post(logger.port, *(invented(number) for number in range(2_000)))
        post(logger.port, Event("request", BODY, "w"))
        full = logger.wait_for(lambda s: s.total("driftgauge_rows_total", **labels(WINE)) == 1, "the row of WINE")
        shown = {sample.labels["inference_service"] for sample in full.matching("request_count")}
        empty = logger.wait_for(
            lambda s: not [one for one in s.matching("request_count") if "invented" in one.labels["inference_service"]],
            "the series of idle models to vanish",
        )
        post(logger.port, iris)
        unreferenced = labels(IRIS, kind="request", reason="no_reference")
        seen = logger.wait_for(
            lambda s: s.total("driftgauge_payloads_total", **unreferenced) == 1, "the request of IRIS"
        )
        log = logger.stderr

    assert len(shown) < 250, "at most 100 with a place, and as many that have just lost theirs"
    assert full.total("driftgauge_refused_models_total") >= 100
    assert empty.total("request_count", inference_service="(other)") > 0
    assert seen.total("request_count", **labels(IRIS)) == 1
    assert 1 == len(re.findall(r"a model is counted as \(other\), because max_models have places: ", log))


async def test_keys_of_invented_models_in_redis_hide_no_real_model(references: Path, own_server: RedisServer) -> None:
    """Of thousands of models in a shared Redis, as many are restored as have places; a model with requests is seen."""
    names = [f"driftgauge:{{n{number}/wine/predictor/wine}}:request" for number in range(5_000)]
    async with connect(own_server.url, timeout_seconds=5) as client:
        pipeline = client.pipeline(transaction=False)
        for name in (*names, "driftgauge:{%FF/a/b/c}:request"):
            pipeline.xadd(name, {b"x": b"x"})
        await pipeline.execute()
    redis = f"--redis-url={own_server.url}"
    with Driftgauge("logger", "--reference-dir", references, redis, "--max-models=20", *FAST) as logger:
        logger.wait_for(lambda s: len(s.matching("request_count")) >= 30, "restored models")
        post(logger.port, Event("request", BODY, "w"))
        seen = logger.wait_for(lambda s: s.total("driftgauge_rows_total", **labels(WINE)) == 1, "the row of WINE")
        log = logger.stderr

    assert len(seen.matching("request_count")) <= 32
    assert seen.total("driftgauge_redis_skipped_keys_total") == 1
    assert seen.total("driftgauge_refused_models_total") == 0
    assert "4970 models in the store get no place" in log
