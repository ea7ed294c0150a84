"""The logger as a whole process, with what KServe's agents really send it."""

import gzip
import json
import random
import socket
import struct
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.agent import Event, pair, post
from tests.support.models import IRIS, WINE, labels
from tests.support.processes import Driftgauge, get
from tests.support.redis_server import RedisServer
from tests.support.scrape import Samples
from tests.support.traffic import body_of
from tests.support.waiting import wait_until

FAST = (
    "--evaluation-interval-seconds=0.2",
    "--reference-poll-seconds=0.1",
    "--flush-interval-seconds=0.02",
    "--pair-ttl-seconds=2",
    "--min-rows=20",
    "--decision=p-value",  # fifty rows are too few for a budget
    "--drain-delay-seconds=0",
)
RESPONSE = b'{"predictions":[5.0]}'


def rows(alcohol: float = 9.0, number: int = 50) -> list[list[float]]:
    """Rows with alcohol from a value on in steps of 0.1."""
    return [[round(alcohol + 0.1 * n, 3), round(3 + 0.01 * n, 3)] for n in range(number)]


@pytest.fixture
def references(tmp_path: Path) -> Path:
    """One reference filed by namespace, one by name alone."""
    text = "alcohol,ph\n" + "".join(f"{a},{p}\n" for a, p in rows())
    (tmp_path / "cellar").mkdir()
    (tmp_path / "cellar" / "wine.csv").write_text(text)
    (tmp_path / "iris.csv").write_text(text)
    return tmp_path


def ended(samples: Samples, **more: str) -> float:
    """How many payloads of any model ended in a way."""
    return samples.total("driftgauge_payloads_total", **more)


def accepted(number: int, kind: str = "request") -> Callable[[Samples], bool]:
    """Whether that many payloads of a kind were accepted."""
    return lambda samples: ended(samples, kind=kind, outcome="accepted") == number


def test_two_inference_services_are_watched_apart(references: Path) -> None:
    """One drifts, the other does not; the model's name is the InferenceService's."""
    with Driftgauge("logger", "--reference-dir", references, *FAST) as logger:
        for number, (calm, shifted) in enumerate(zip(rows(), rows(12.0), strict=True)):
            wine = pair(body_of([calm]), RESPONSE, f"w{number}")
            iris = [
                replace(event, inference_service="iris", namespace="garden")
                for event in pair(body_of([shifted]), RESPONSE, f"i{number}")
            ]
            assert [200] * 4 == post(logger.port, *wine, *iris)
        samples = logger.wait_for(lambda s: len(s.matching("driftgauge_drift")) == 2, "two verdicts")
        logger.wait_for(lambda s: s.total("driftgauge_window_rows") == 100, "both windows")
        samples = logger.wait_for(lambda s: s.total("request_latency_seconds_count") == 100, "all pairs")

    assert samples.total("driftgauge_drift", **labels(WINE)) == 0
    assert samples.total("driftgauge_drift", **labels(IRIS)) == 1
    assert samples.total("request_count", **labels(WINE, code="")) == 50
    assert samples.total("request_latency_seconds_count", **labels(WINE)) == 50
    assert samples.total("request_latency_seconds_sum", **labels(WINE)) == pytest.approx(12.5)


def test_duplicates_any_order_and_missing_halves_are_survived(references: Path) -> None:
    """Each row once, each pair once, each orphan counted when its time is over."""
    asked, responded = pair(body_of([[9.5, 3.1]]), RESPONSE, "both")
    orphan = Event("request", body_of([[9.6, 3.1]]), "alone")
    with Driftgauge("logger", "--reference-dir", references, *FAST) as logger:
        assert [200] * 6 == post(logger.port, responded, responded, asked, asked, orphan, responded)
        samples = logger.wait_for(lambda s: s.total("driftgauge_unpaired_total") == 1, "the orphan")

    assert samples.total("request_latency_seconds_count") == 1
    assert samples.total("driftgauge_rows_total") == 2
    assert ended(samples, outcome="rejected", reason="duplicate") == 3
    assert samples.total("request_count") == 2


def test_an_old_agents_events_give_rows_and_no_latency(references: Path) -> None:
    """Before KServe 0.18 `ce-time` is the moment of sending."""
    events = [replace(event, recorded=False) for event in pair(body_of([[9.5, 3.1]]), RESPONSE, "old")]
    with Driftgauge("logger", "--reference-dir", references, *FAST) as logger:
        post(logger.port, *events)
        samples = logger.wait_for(accepted(1), "the request")

    assert samples.total("request_latency_seconds_count") == 0


V2 = {"inputs": [{"name": "rows", "shape": [1, 2], "datatype": "FP64", "data": [9.5, 3.1]}]}
V2_BINARY = json.dumps(
    {"inputs": [{"name": "rows", "shape": [1, 2], "datatype": "FP64", "parameters": {"binary_data_size": 16}}]}
).encode() + struct.pack("<2d", 9.5, 3.1)


@pytest.mark.parametrize(
    "event",
    [
        Event("request", body_of([[9.5, 3.1]])),
        Event("request", json.dumps(V2).encode()),
        Event("request", gzip.compress(body_of([[9.5, 3.1]]), mtime=0)),
        Event("request", V2_BINARY, content_type="application/octet-stream"),
        Event("request", V2_BINARY),
        Event("request", body_of([[9.5, 3.1]]), content_type="text/plain"),
        Event("request", body_of([[9.5, 3.1]]), content_type=None),
        Event("request", body_of([[9.5, 3.1]]), metadata='{"Cookie":["' + "ü" * 32_768 + '"]}'),
        Event("request", body_of([[9.5, 3.1]]).ljust(3 * 2**20)),
    ],
    ids=["v1", "v2", "gzip", "binary", "binary-as-json", "wrong-type", "no-type", "64-kb-header", "3-mib"],
)
def test_every_form_of_a_request_becomes_a_row(references: Path, event: Event) -> None:
    """Content types are not trusted, compression is sniffed, a missing length header is made up for."""
    with Driftgauge("logger", "--reference-dir", references, *FAST) as logger:
        headers = event.headers()
        assert [200] == post(logger.port, event), headers.keys()
        samples = logger.wait_for(accepted(1), "the row")

    assert samples.total("driftgauge_rows_total") == 1


def test_health_checks_are_no_inferences(references: Path) -> None:
    """A GET through the agent is an event without a body, and its response is none of a prediction."""
    get_events = [
        replace(event, content_type=content_type)
        for content_type in ("application/json", None)
        for event in pair(b"", b'{"ready":true}', f"health-{content_type}")
    ]
    early = [replace(event, content_type=None) for event in pair(b"", b"# HELP x", "metrics")[::-1]]
    with Driftgauge("logger", "--reference-dir", references, *FAST) as logger:
        assert [200] * 6 == post(logger.port, *get_events, *early)
        post(logger.port, Event("request", body_of([[9.5, 3.1]]), "alone"))
        samples = logger.wait_for(lambda s: s.total("driftgauge_unpaired_total") == 1, "the request to be unpaired")

    assert samples.total("request_count") == 1
    assert samples.total("request_latency_seconds_count") == 0
    assert samples.total("driftgauge_response_bytes_total") == 0
    assert [3, 3] == [ended(samples, kind=kind, reason="empty") for kind in ("request", "response")]


@pytest.mark.parametrize("mode", ["request", "response"])
def test_one_half_of_all_inferences_is_unpaired(references: Path, mode: str) -> None:
    """With `mode: request` or `mode: response`, or a batcher, every half counts as unpaired, and its rows are kept."""
    halves = [event for number in range(5) for event in pair(body_of([[9.5, 3.1]]), RESPONSE, f"m{number}")]
    with Driftgauge("logger", "--reference-dir", references, *FAST) as logger:
        post(logger.port, *(event for event in halves if event.kind == mode))
        samples = logger.wait_for(lambda s: s.total("driftgauge_unpaired_total") == 5, "five unpaired halves")

    assert ended(samples, kind=mode, outcome="accepted") == 5
    assert samples.total("request_count") == (5 if mode == "request" else 0)
    assert samples.total("request_error_count") == 0


def test_untrusted_names_make_a_bounded_number_of_series(references: Path) -> None:
    """Beyond the cap all models are `(other)`, and their payloads are dropped and counted."""
    with Driftgauge("logger", "--reference-dir", references, "--max-models=2", *FAST) as logger:
        for number in range(20):
            post(logger.port, Event("request", body_of([[9.5, 3.1]]), inference_service=f"s{number}"))
        samples = logger.wait_for(lambda s: ended(s, kind="request") == 20, "20 ends")

    assert {"wine", "s0", "s1", "(other)"} == {
        sample.labels["inference_service"] for sample in samples.matching("request_count")
    }
    assert ended(samples, outcome="dropped", reason="other_model") == 18


def test_two_replicas_on_one_redis_pair_and_test_together(references: Path, own_server: RedisServer) -> None:
    """The halves of an inference reach different replicas; both show the same window."""
    flags = ("--reference-dir", references, "--redis-url", own_server.url, *FAST)
    with Driftgauge("logger", *flags) as left, Driftgauge("logger", *flags) as right:
        for number, row in enumerate(rows(12.0)):
            asked, responded = pair(body_of([row]), RESPONSE, f"w{number}")
            post(left.port, asked)
            post(right.port, responded)
        both = [
            one.wait_for(lambda s: s.total("driftgauge_window_rows", **labels(WINE)) == 50, "the common window")
            for one in (left, right)
        ]

        def paired() -> float:
            return sum(one.metrics().total("request_latency_seconds_count") for one in (left, right))

        wait_until(lambda: paired() >= 50, "all pairs")
        # Every half has been put by now: who counts a pair twice has done so.
        wait_until(lambda: all(ended(one.metrics()) == 50 for one in (left, right)), "50 ends each")
        total = paired()

    assert [1, 1] == [samples.total("driftgauge_drift", **labels(WINE)) for samples in both]
    assert total == 50


def test_random_bytes_at_the_data_port_do_no_harm(references: Path) -> None:
    """Whatever comes, the next event is taken, and no connection is left behind."""
    dice = random.Random(20261123)  # noqa: S311 noise, not secrets
    lines = [
        b"POST / HTTP/1.1\r\n",
        b"Host: x\r\n",
        b"Content-Length: 5\r\n",
        b"Ce-Id: a\r\n",
        b"Ce-Time: \xff\r\n",
        b"\r\n",
    ]
    with Driftgauge("logger", "--reference-dir", references, *FAST) as logger:
        for _ in range(200):
            noise = b"".join(dice.choice([*lines, dice.randbytes(dice.randrange(40))]) for _ in range(6))
            with socket.create_connection(("127.0.0.1", logger.port), timeout=10) as connection:
                connection.sendall(noise)
        assert [200] == post(logger.port, Event("request", body_of([[9.5, 3.1]])))
        logger.wait_for(accepted(1), "the row after the noise")
        quiet = logger.wait_for(lambda s: s.total("process_open_fds") < 60, "connections to close")

    assert quiet.total("driftgauge_rows_total") == 1


def test_a_full_queue_leaves_events_out_responds_200_and_counts(references: Path, own_server: RedisServer) -> None:
    """No response makes the agent send again; a wait would cost memory of its pod."""
    flags = ("--reference-dir", references, *FAST, "--redis-url", own_server.url, "--queue-payloads=1")
    with Driftgauge("logger", *flags) as logger:
        own_server.pause()
        events = [Event("request", body_of([row]), f"q{number}") for number, row in enumerate(rows())]
        assert [200] * 50 == post(logger.port, *events)
        logger.wait_for(lambda s: ended(s, outcome="sampled_out") > 0, "a full queue")
        own_server.resume()
        samples = logger.wait_for(lambda s: ended(s, kind="request") == 50, "50 ends")

    assert ended(samples, outcome="sampled_out") > 40
    assert ended(samples, outcome="dropped", reason="queue_full") == 0


def test_sigterm_flushes_what_was_taken(references: Path, own_server: RedisServer) -> None:
    """An event with a response is in Redis when the process has ended, and the next process finds it."""
    flags = ("--reference-dir", references, "--redis-url", own_server.url, *FAST)
    with Driftgauge("logger", *flags, "--flush-interval-seconds=60") as logger:
        post(logger.port, *(Event("request", body_of([row]), f"t{n}") for n, row in enumerate(rows())))
        assert logger.terminate() == 0
    with Driftgauge("logger", *flags) as logger:
        found = logger.wait_for(lambda s: s.total("driftgauge_window_rows", **labels(WINE)) == 50, "the old window")

    assert found.total("driftgauge_drift", **labels(WINE)) == 0


def test_a_restart_shows_the_verdicts_of_before_without_new_events(references: Path, own_server: RedisServer) -> None:
    """Also of a model whose reference is filed by name alone: an alert must not resolve because a pod was replaced."""
    flags = ("--reference-dir", references, "--redis-url", own_server.url, *FAST)
    events = [
        Event("request", body_of([row]), f"r{n}", inference_service="iris", namespace="garden")
        for n, row in enumerate(rows(12.0))
    ]
    with Driftgauge("logger", *flags) as logger:
        post(logger.port, *events)
        logger.wait_for(lambda s: s.total("driftgauge_drift", **labels(IRIS)) == 1, "drift")
    with Driftgauge("logger", *flags) as logger:
        logger.wait_for(lambda s: s.total("driftgauge_drift", **labels(IRIS)) == 1, "drift after the restart")


def test_the_admin_port_reports_health_and_readiness(references: Path) -> None:
    """Redis never makes it unready."""
    flags = ("--reference-dir", references, "--redis-url", "redis://127.0.0.1:1", *FAST)
    with Driftgauge("logger", *flags) as logger:
        assert (b"alive\n", b"ready\n") == (get(f"{logger.admin_url}/healthz"), get(f"{logger.admin_url}/readyz"))
        down = logger.wait_for(lambda s: s.total("driftgauge_redis_errors_total") > 0, "a failed call")

    assert down.total("driftgauge_redis_up", call="ping") == 0


def test_no_attribute_of_an_event_forges_a_log_line(references: Path) -> None:
    """A line break in an attribute of an event is an escape in the log."""
    event = Event("request", b"no JSON", "a1", inference_service="x%0A2026-03-01 00:00:00 ERROR forged")
    with Driftgauge("logger", "--reference-dir", references, *FAST, "--log-level=debug") as logger:
        assert [200] == post(logger.port, event)
        logger.wait_for(lambda s: ended(s, outcome="rejected", reason="malformed") == 1, "the event")
        lines = [line for line in logger.stderr.split("\n") if "forged" in line]

    assert [True] == [r"x\n2026-03-01 00:00:00 ERROR forged" in line for line in lines]
