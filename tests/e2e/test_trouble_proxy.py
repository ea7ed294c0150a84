"""The proxy as a whole process, under each trouble that the README speaks of: serving goes on, losses are counted."""

import json
import signal
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from redis import Redis

from tests.support.echo_model import EchoModel
from tests.support.processes import Driftgauge, get
from tests.support.redis_server import RedisServer
from tests.support.scrape import Samples
from tests.support.traffic import ask, body_of, wrong_responses
from tests.support.waiting import wait_until

FAST = (
    "--inference-service=wine",
    "--evaluation-interval-seconds=0.2",
    "--reference-poll-seconds=0.1",
    "--flush-interval-seconds=0.02",
    "--redis-timeout-seconds=0.5",
    "--min-rows=20",
    "--decision=p-value",  # fifty rows are too few for a budget
    "--drain-delay-seconds=0",
)


@pytest.fixture
def model() -> Iterator[EchoModel]:
    """The model server."""
    with EchoModel() as model:
        yield model


@pytest.fixture
def reference(tmp_path: Path) -> Path:
    """Alcohol from 9 to 13.9, ph from 3 to 3.49."""
    path = tmp_path / "wine.csv"
    path.write_text(table(9.0))
    return path


def table(alcohol: float) -> str:
    """Fifty rows as CSV, alcohol from a value on."""
    return "alcohol,ph\n" + "".join(f"{a},{p}\n" for a, p in rows(alcohol))


def rows(alcohol: float = 9.0, number: int = 50) -> list[list[float]]:
    """Rows with alcohol from a value on in steps of 0.1, ph as in the reference."""
    return [[round(alcohol + 0.1 * n, 3), round(3 + 0.01 * n, 3)] for n in range(number)]


def payloads(samples: Samples, **labels: str) -> float:
    """How many payloads ended in a way."""
    return samples.total("driftgauge_payloads_total", **labels)


def all_ended(number: int) -> Callable[[Samples], bool]:
    """Whether that many request payloads have ended."""
    return lambda samples: payloads(samples, kind="request") == number


def test_red_against_red_is_no_drift_and_a_shift_is(model: EchoModel, reference: Path) -> None:
    """The main job, once through."""
    with Driftgauge("proxy", "--upstream-url", model.url, "--reference", reference, "--window-rows=50", *FAST) as proxy:
        assert [] == wrong_responses(proxy.port, [body_of([row]) for row in rows()])
        calm = proxy.wait_for(lambda s: s.total("driftgauge_window_rows") == 50, "a full window")
        assert [] == wrong_responses(proxy.port, [body_of([row]) for row in rows(12.0)])
        shifted = proxy.wait_for(
            lambda s: s.total("driftgauge_drift") == 1 and s.total("request_sum", code="200") == 100,
            "drift, and all rows",
        )

    assert calm.total("driftgauge_drift") == 0
    assert calm.matching("driftgauge_drift")
    assert shifted.total("driftgauge_feature_drift", feature="alcohol") == 1
    assert shifted.total("driftgauge_feature_drift", feature="ph") == 0
    assert shifted.total("request_count", code="200", model_name="wine") == 100
    assert shifted.total("request_sum", code="200") == 100
    assert shifted.total("request_latency_seconds_count") == 100
    assert shifted.total("request_error_count") == 0


def test_redis_killed_and_restarted_leaves_every_response_identical(
    model: EchoModel, reference: Path, own_server: RedisServer
) -> None:
    """While it is away rows are dropped and counted; when it is back they are accepted again; the counters add up."""
    flags = ("--upstream-url", model.url, "--reference", reference, "--redis-url", own_server.url, *FAST)
    bodies = [body_of([row]) for row in rows()]
    with Driftgauge("proxy", *flags) as proxy:
        wrong = wrong_responses(proxy.port, bodies)
        proxy.wait_for(lambda s: payloads(s, kind="request", outcome="accepted") == 50, "50 accepted requests")
        own_server.kill()
        wrong += wrong_responses(proxy.port, bodies)
        proxy.wait_for(lambda s: s.total("driftgauge_redis_errors_total", call="append") > 0, "an append that fails")
        own_server.restart()
        proxy.wait_for(lambda s: s.total("driftgauge_redis_up", call="ping") == 1, "Redis to be up again")
        away = proxy.wait_for(all_ended(100), "100 requests to end")
        wrong += wrong_responses(proxy.port, bodies)
        back = proxy.wait_for(all_ended(150), "150 requests to end")

    assert [] == wrong
    assert payloads(away, kind="request", outcome="dropped", reason="storage") > 0
    assert away.total("driftgauge_redis_errors_total") > 0
    assert payloads(back, kind="request", outcome="accepted") >= 100
    assert back.total("request_count") == 150
    assert back.total("driftgauge_rows_total") == payloads(back, kind="request", outcome="accepted")


def test_no_state_is_ok_once_redis_is_gone(model: EchoModel, reference: Path, own_server: RedisServer) -> None:
    """When the newest result is stale the state is `cannot_tell` because of the store, and `ok` again with new rows."""
    flags = ("--upstream-url", model.url, "--reference", reference, "--redis-url", own_server.url, *FAST)
    with Driftgauge("proxy", *flags) as proxy:
        wrong_responses(proxy.port, [body_of([row]) for row in rows()])
        proxy.wait_for(lambda s: s.total("driftgauge_state", state="ok") == 1, "a verdict")
        own_server.kill()
        away = proxy.wait_for(lambda s: s.total("driftgauge_cannot_tell", reason="store") == 1, "the loss of Redis")
        own_server.restart()
        wrong_responses(proxy.port, [body_of([row]) for row in rows()])
        back = proxy.wait_for(lambda s: s.total("driftgauge_state", state="ok") == 1, "a verdict again")

    assert [0, 0, 1] == [away.total("driftgauge_state", state=state) for state in ("ok", "drift", "cannot_tell")]
    assert [] == away.matching("driftgauge_feature_state")
    assert [] == away.matching("driftgauge_drift")
    assert [] == back.matching("driftgauge_cannot_tell")


def test_a_redis_that_hangs_is_waited_for_with_a_limit(
    model: EchoModel, reference: Path, own_server: RedisServer
) -> None:
    """A stopped process keeps its connections open and says nothing; what became of an append is counted afterwards."""
    flags = ("--upstream-url", model.url, "--reference", reference, "--redis-url", own_server.url, *FAST)
    with Driftgauge("proxy", *flags) as proxy:
        own_server.pause()
        wrong = wrong_responses(proxy.port, [body_of([row]) for row in rows()])
        proxy.wait_for(lambda s: s.total("driftgauge_redis_errors_total", call="append") > 0, "a lost reply")
        own_server.resume()
        proxy.wait_for(all_ended(50), "50 requests to end")
        up = proxy.wait_for(lambda s: s.total("driftgauge_redis_up", call="ping") == 1, "Redis to be up again")

    assert [] == wrong
    assert payloads(up, kind="request", reason="storage") + payloads(up, kind="request", outcome="accepted") == 50


def test_a_restart_forgets_no_row_in_redis(model: EchoModel, reference: Path, own_server: RedisServer) -> None:
    """The window is there before the first new request is."""
    flags = ("--upstream-url", model.url, "--reference", reference, "--redis-url", own_server.url, *FAST)
    with Driftgauge("proxy", *flags) as proxy:
        wrong_responses(proxy.port, [body_of([row]) for row in rows(12.0)])
        assert proxy.terminate() == 0
    with Driftgauge("proxy", *flags) as proxy:
        found = proxy.wait_for(lambda s: s.total("driftgauge_window_rows") == 50, "the old window")

    assert found.total("driftgauge_drift") == 1


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (None, "wine.csv"),
        ("", "wine.csv"),
        ("alcohol,ph\n9.5,3.1\n9.6,red\n9.7,3.2\n", "red"),
        ("alcohol,ph\n9.5\n", "wine.csv"),
    ],
)
def test_a_reference_that_cannot_be_used_leaves_serving_alone(
    model: EchoModel, reference: Path, content: str | None, sentence: str
) -> None:
    """One clear line, 0 reference rows, and picked up once it is mended."""
    reference.unlink()
    if content is not None:
        reference.write_text(content)
    with Driftgauge("proxy", "--upstream-url", model.url, "--reference", reference, *FAST) as proxy:
        wrong = wrong_responses(proxy.port, [body_of([row]) for row in rows()])
        bare = proxy.wait_for(all_ended(50), "50 requests to end")
        said = proxy.stderr
        reference.write_text(table(9.0))
        mended = proxy.wait_for(lambda s: s.total("driftgauge_reference_rows") == 50, "the mended reference")

    assert [] == wrong
    assert bare.total("driftgauge_reference_rows") == 0
    assert bare.matching("driftgauge_reference_rows")
    assert payloads(bare, kind="request", outcome="dropped", reason="no_reference") == 50
    assert len([line for line in said.splitlines() if sentence in line]) == 1
    assert mended.total("driftgauge_reference_rows") == 50


def mount(volume: Path, version: str, content: str) -> None:
    """Write a ConfigMap's content as the kubelet does: a new directory, then `..data` swapped by a rename."""
    (volume / version).mkdir()
    (volume / version / "wine.csv").write_text(content)
    (volume / "..data_tmp").symlink_to(version)
    (volume / "..data_tmp").rename(volume / "..data")
    link = volume / "wine.csv"
    if not link.is_symlink():
        link.symlink_to("..data/wine.csv")


def test_a_reference_swapped_under_load_changes_the_verdict_and_a_bad_one_is_refused(
    model: EchoModel, tmp_path: Path
) -> None:
    """The symlink swap of a ConfigMap, while requests run."""
    mount(tmp_path, "..1", table(9.0))
    flags = ("--upstream-url", model.url, "--reference", tmp_path / "wine.csv", "--window-rows=50", *FAST)
    with Driftgauge("proxy", *flags) as proxy:
        wrong = wrong_responses(proxy.port, [body_of([row]) for row in rows(12.0)])
        proxy.wait_for(lambda s: s.total("driftgauge_drift") == 1, "drift from the first reference")
        mount(tmp_path, "..2", table(12.0))
        wrong += wrong_responses(proxy.port, [body_of([row]) for row in rows(12.0)])
        proxy.wait_for(lambda s: bool(s.matching("driftgauge_drift")) and not s.total("driftgauge_drift"), "calm")
        mount(tmp_path, "..3", table(12.0) + "12.5,red\n")
        wrong += wrong_responses(proxy.port, [body_of([row]) for row in rows(12.0)])
        proxy.wait_for(lambda _: "red" in proxy.stderr, "the refusal")
        kept = proxy.metrics()

    assert [] == wrong
    assert kept.total("driftgauge_reference_rows") == 50
    assert kept.total("driftgauge_drift") == 0


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"x" * 20_000, "too_large"),
        (b"not json at all", "malformed"),
        (b'{"instances": [[1, 2, 3]]}', "wrong_width"),
        (b'{"question": "why"}', "unsupported"),
    ],
)
def test_a_payload_that_cannot_be_decoded_is_served_and_counted(
    model: EchoModel, reference: Path, body: bytes, reason: str
) -> None:
    """The request is untouched."""
    flags = ("--upstream-url", model.url, "--reference", reference, "--max-payload-bytes=10000", *FAST)
    with Driftgauge("proxy", *flags) as proxy:
        wrong = wrong_responses(proxy.port, [body])
        samples = proxy.wait_for(all_ended(1), "the request's end")

    assert [] == wrong
    assert payloads(samples, kind="request", outcome="rejected", reason=reason) == 1


def test_a_full_queue_leaves_payloads_out_and_no_request_waits(
    model: EchoModel, reference: Path, own_server: RedisServer
) -> None:
    """A queue of one, before a Redis that hangs: hardly any response finds it full after its request was taken."""
    flags = ("--upstream-url", model.url, "--reference", reference, "--redis-url", own_server.url, *FAST)
    with Driftgauge("proxy", *flags, "--queue-payloads=1") as proxy:
        own_server.pause()
        wrong = wrong_responses(proxy.port, [body_of([row]) for row in rows()])
        full = proxy.wait_for(lambda s: payloads(s, outcome="sampled_out") > 0, "a full queue")
        own_server.resume()
        samples = proxy.wait_for(lambda s: payloads(s) == 100, "50 requests and 50 responses to end")

    assert [] == wrong
    assert payloads(full, outcome="sampled_out") > 0
    assert payloads(samples, outcome="sampled_out") > 80
    assert sum(payloads(samples, outcome=way) for way in ("dropped", "accepted", "sampled_out")) == 100


def test_a_model_server_that_is_down_is_reported_counted_and_used_again(reference: Path) -> None:
    """502 with a JSON body, readiness falls; both heal by themselves."""
    with EchoModel() as model:
        port = model.port
    with Driftgauge("proxy", "--upstream-url", f"http://127.0.0.1:{port}", "--reference", reference, *FAST) as proxy:
        status, body = ask(proxy.port, body_of([[9.5, 3.1]]))
        down = proxy.metrics()
        with pytest.raises(OSError, match="503"):
            get(f"{proxy.admin_url}/readyz")
        with EchoModel(port):
            wrong = wrong_responses(proxy.port, [body_of([[9.5, 3.1]])])
            ready = get(f"{proxy.admin_url}/readyz")

    assert status == 502
    assert list(json.loads(body)) == ["error"]
    assert down.total("request_error_count", code="502") == 1
    assert [] == wrong
    assert ready == b"ready\n"


def test_sigterm_finishes_what_is_under_way_and_flushes(
    model: EchoModel, reference: Path, own_server: RedisServer
) -> None:
    """A request that the model still computes gets its response, its row is in Redis, and the exit code is 0."""
    flags = ("--upstream-url", model.url, "--reference", reference, "--redis-url", own_server.url, *FAST)
    with Driftgauge("proxy", *flags, "--flush-interval-seconds=60") as proxy:
        model.gate.clear()
        with ThreadPoolExecutor(1) as client:
            wrong = client.submit(wrong_responses, proxy.port, [body_of([[9.5, 3.1]])])
            proxy.wait_for(lambda s: s.total("driftgauge_requests_in_flight") == 1, "a request in flight")
            proxy.signal(signal.SIGTERM)
            wait_until(lambda: "draining" in proxy.stderr, "the drain")
            model.gate.set()
            assert [] == wrong.result()
        code = proxy.wait()
    with Redis.from_url(own_server.url) as redis:
        blocks = redis.xlen("driftgauge:{/wine/predictor/wine}:request")

    assert (0, 1) == (code, blocks)


def test_while_draining_it_serves_but_is_not_ready(model: EchoModel, reference: Path) -> None:
    """Endpoints are slow to learn of a pod's end; a second signal cuts the delay short."""
    flags = ("--upstream-url", model.url, "--reference", reference, *FAST, "--drain-delay-seconds=60")
    with Driftgauge("proxy", *flags) as proxy:
        proxy.signal(signal.SIGTERM)
        proxy.wait_for(lambda _: "draining" in proxy.stderr, "the drain")
        with pytest.raises(OSError, match="503"):
            get(f"{proxy.admin_url}/readyz")
        wrong = wrong_responses(proxy.port, [body_of([[9.5, 3.1]])])
        code = proxy.terminate()

    assert [] == wrong
    assert code == 0


def test_no_name_of_a_model_forges_a_log_line(model: EchoModel, reference: Path) -> None:
    """A line break in a model's name is an escape in the log."""
    flags = ("--upstream-url", model.url, "--reference", reference, *FAST, "--log-level=debug")
    with Driftgauge("proxy", *flags) as proxy:
        ask(proxy.port, b"[1]", "/v1/models/x%0A2026-03-01%20ERROR%20forged:predict")
        proxy.wait_for(lambda s: payloads(s, outcome="rejected", kind="request") == 1, "the request")
        lines = [line for line in proxy.stderr.split("\n") if "forged" in line]

    assert lines
    assert all(r"x\n2026-03-01 ERROR forged" in line for line in lines)
