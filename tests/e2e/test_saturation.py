"""More comes than can be read: the real proxy and the real logger leave out by id, drop hardly anything and say so."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from pathlib import Path

import pytest

from tests.support.echo_model import EchoModel
from tests.support.listening_receiver import headers
from tests.support.processes import Driftgauge, get
from tests.support.scrape import Samples
from tests.support.traffic import PATH, body_of

THREADS = 8
REQUESTS = 150
LONG_EVERY = 5

SHORT, LONG = body_of([[9.5, 3.1]]), body_of([[9.5, 3.1]] * 4_000)


@pytest.fixture
def model() -> Iterator[EchoModel]:
    """The model server."""
    with EchoModel() as model:
        yield model


@pytest.fixture
def reference(tmp_path: Path) -> Path:
    """A reference of two features."""
    path = tmp_path / "wine.csv"
    path.write_text("alcohol,ph\n" + "9.5,3.1\n10.5,3.3\n" * 50)
    return path


def outcomes(samples: Samples) -> dict[str, float]:
    """How many payloads ended in each way."""
    name = "driftgauge_payloads_total"
    ways = ("accepted", "sampled_out", "dropped", "rejected")
    return {way: samples.total(name, outcome=way) for way in ways}


def gauge(samples: Samples) -> float:
    """The sample ratio of the model in the path."""
    return samples.total("driftgauge_sample_ratio", model_name="wine")


def send(port: int, number: int) -> None:
    """Send requests on one connection, some of them long, each with an id of its own."""
    connection = HTTPConnection("127.0.0.1", port, timeout=60)
    for index in range(REQUESTS):
        body = LONG if index % LONG_EVERY == 0 else SHORT
        connection.request("POST", PATH, body, {"X-Request-Id": f"{number}/{index}"})
        response = connection.getresponse()
        assert response.status == 200
        response.read()
    connection.close()


def flood(port: int) -> None:
    """Send from all threads at once."""
    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(send, [port] * THREADS, range(THREADS)))


@pytest.mark.parametrize("limit", ["--queue-bytes=1000000", "--queue-payloads=64"])
def test_a_small_queue_leaves_out_by_id_and_drops_hardly_anything(
    model: EchoModel, reference: Path, limit: str
) -> None:
    """At most 1 % of the payloads of a sudden load of short and long bodies are dropped, and all are counted."""
    flags = (f"--upstream-url={model.url}", f"--reference={reference}", "--max-rows-per-second=10000000", limit)
    total = 2 * THREADS * REQUESTS
    with Driftgauge("proxy", *flags) as proxy:
        flood(proxy.port)
        samples = proxy.wait_for(lambda samples: sum(outcomes(samples).values()) == total, "all payloads")
    found = outcomes(samples)

    assert THREADS * REQUESTS == samples.total("request_count", code="200")
    assert found["dropped"] <= 0.01 * total
    assert found["rejected"] == 0
    assert found["accepted"] > 0


def test_rows_beyond_the_limit_are_left_out_and_said(model: EchoModel, reference: Path) -> None:
    """The gauge, the status, the log and the counters have the lower ratio, and later the configured one."""
    flags = (f"--upstream-url={model.url}", f"--reference={reference}", "--max-rows-per-second=500")
    total = 4 * THREADS * REQUESTS
    with Driftgauge("proxy", *flags) as proxy:
        flood(proxy.port)  # within which the ratio falls, however short it is
        flood(proxy.port)
        samples = proxy.wait_for(lambda samples: sum(outcomes(samples).values()) == total, "all payloads")
        status = json.loads(get(f"{proxy.admin_url}/status"))["sampling"]
        proxy.wait_for(lambda samples: gauge(samples) == 1, "the configured ratio")
        said = proxy.stderr
    found = outcomes(samples)

    assert found["sampled_out"] > 0.25 * total
    assert found["dropped"] == 0
    assert gauge(samples) < 0.5
    assert (1.0, 1) == (status["sample_ratio"], status["models_lowered"])
    assert status["lowered"][0]["sample_ratio"] < 0.5
    assert 1 == said.count("the sample ratio is lowered to")
    assert 1 == said.count("the sample ratio is back at the configured one, 1")


def test_the_logger_leaves_out_both_events_and_pairs_all(reference: Path) -> None:
    """Latency is measured of every inference, and as many requests as responses are read."""
    flags = (f"--reference={reference}", "--max-rows-per-second=300")
    number = 1_500

    def post(first: int) -> None:
        connection = HTTPConnection("127.0.0.1", logger.port, timeout=60)
        for index in range(first, number, THREADS):
            for kind, body in (("request", SHORT), ("response", b'{"predictions": [5.1]}')):
                more = {"Ce-Id": f"order-{index}"}
                connection.request("POST", "/", body, headers(kind, more=more))
                response = connection.getresponse()
                assert response.status == 200
                response.read()
        connection.close()

    with Driftgauge("logger", *flags) as logger:
        with ThreadPoolExecutor(THREADS) as pool:
            list(pool.map(post, range(THREADS)))
        samples = logger.wait_for(lambda samples: sum(outcomes(samples).values()) == 2 * number, "all payloads")
        logger.wait_for(lambda samples: samples.total("request_latency_seconds_count") == number, "all pairs")
    name = "driftgauge_payloads_total"
    read = [samples.total(name, kind=kind, outcome="accepted") for kind in ("request", "response")]

    assert 0 == samples.total(name, outcome="dropped")
    assert 0 < read[0] < number
    assert abs(read[0] - read[1]) <= THREADS  # those that were under way when the ratio fell below 1
