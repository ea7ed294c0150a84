"""The proxy as a whole process while Redis refuses: responses stay, losses are counted, and the log says why."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from redis import Redis

from driftgauge.storage.redis_rights import rules
from tests.support.echo_model import EchoModel
from tests.support.ports import free_port_of_cluster
from tests.support.processes import Driftgauge
from tests.support.redis_server import RedisServer
from tests.support.scrape import Samples
from tests.support.traffic import body_of, wrong_responses

MOST_LINES = 20
PASSWORD = "long-enough"  # noqa: S105 - of servers that these tests start
ROWS = [[round(9 + 0.1 * n, 3), round(3 + 0.01 * n, 3)] for n in range(50)]
FAST = (
    *("--inference-service=wine", "--evaluation-interval-seconds=1", "--flush-interval-seconds=0.02"),
    *("--redis-timeout-seconds=1", "--min-rows=20", "--decision=p-value", "--drain-delay-seconds=0"),
)


class Refusal(NamedTuple):
    """A fault of Redis.

    Args:
        begin: Commands that begin it.
        words: What the log says.
        end: Commands that end it; none if it does not end.
    """

    begin: tuple[str, ...]
    words: str
    end: tuple[str, ...]


REFUSALS = {
    "wrong password": Refusal(
        (f"ACL SETUSER driftgauge resetpass >{PASSWORD}2", "CLIENT KILL USER driftgauge"),
        "check redis_username, and DRIFTGAUGE_REDIS_PASSWORD",
        (f"ACL SETUSER driftgauge >{PASSWORD}",),
    ),
    "missing right": Refusal(("ACL SETUSER driftgauge -xadd",), "rights", ("ACL SETUSER driftgauge +xadd",)),
    "out of memory": Refusal(
        ("CONFIG SET maxmemory-policy noeviction", "CONFIG SET maxmemory 1"),
        "raise maxmemory",
        ("CONFIG SET maxmemory 0",),
    ),
    "read-only": Refusal(("REPLICAOF 127.0.0.1 1",), "this is a replica", ("REPLICAOF NO ONE",)),
}


@pytest.fixture(name="model")
def _model() -> Iterator[EchoModel]:
    """The model server."""
    with EchoModel() as model:
        yield model


@pytest.fixture(name="reference")
def _reference(tmp_path: Path) -> Path:
    """The rows that are sent."""
    path = tmp_path / "wine.csv"
    path.write_text("alcohol,ph\n" + "".join(f"{a},{p}\n" for a, p in ROWS))
    return path


def ended(number: int, **labels: str) -> Callable[[Samples], bool]:
    """Whether that many payloads of requests have ended in a way."""
    return lambda samples: samples.total("driftgauge_payloads_total", kind="request", **labels) == number


@pytest.mark.parametrize("refusal", REFUSALS.values(), ids=REFUSALS)
def test_a_refusal_is_counted_named_and_healed(model: EchoModel, reference: Path, refusal: Refusal) -> None:
    """One series says that appends fail, one line says why and one that they work again."""
    flags = ("--upstream-url", model.url, "--reference", reference, "--redis-username=driftgauge", *FAST)
    bodies = [body_of([row]) for row in ROWS]
    with RedisServer() as server, Redis.from_url(server.url) as admin:
        admin.execute_command("ACL", "SETUSER", "driftgauge", "on", f">{PASSWORD}", *rules().split())
        env = {"DRIFTGAUGE_REDIS_PASSWORD": PASSWORD}
        with Driftgauge("proxy", *flags, "--redis-url", server.url, env=env) as proxy:
            wrong = wrong_responses(proxy.port, bodies)
            proxy.wait_for(ended(50, outcome="accepted"), "50 accepted requests")
            for command in refusal.begin:
                admin.execute_command(*command.split())
            wrong += wrong_responses(proxy.port, bodies)
            down = proxy.wait_for(ended(50, outcome="dropped", reason="storage"), "50 requests that were dropped")
            for command in refusal.end:
                admin.execute_command(*command.split())
            wrong += wrong_responses(proxy.port, bodies)
            proxy.wait_for(ended(150), "150 requests to end")
            up = proxy.wait_for(lambda s: min(one.value for one in s.matching("driftgauge_redis_up")) == 1, "all calls")
            log = proxy.stderr

    assert [] == wrong
    assert down.total("driftgauge_redis_up", call="append") == 0
    assert up.total("driftgauge_payloads_total", kind="request") == 150
    assert log.count(refusal.words) == 1
    assert log.count("Redis works again") == 1
    assert "Traceback" not in log
    assert len(log.splitlines()) <= MOST_LINES


def test_a_node_of_a_cluster_is_named(model: EchoModel, reference: Path) -> None:
    """A node without slots replies CLUSTERDOWN, one with others MOVED: both need another URL, and few lines."""
    flags = ("--upstream-url", model.url, "--reference", reference, *FAST)
    options = ("--cluster-enabled", "yes", "--cluster-require-full-coverage", "no")
    with (
        RedisServer(*options, port=free_port_of_cluster()) as server,
        Driftgauge("proxy", *flags, "--redis-url", server.url) as proxy,
    ):
        wrong = wrong_responses(proxy.port, [body_of([row]) for row in ROWS])
        proxy.wait_for(ended(50, outcome="dropped", reason="storage"), "50 requests that were dropped")
        log = proxy.stderr

    assert [] == wrong
    assert "CLUSTERDOWN" in log
    assert "Traceback" not in log
    assert len(log.splitlines()) <= MOST_LINES
