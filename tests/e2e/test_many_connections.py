"""Ten thousand silent clients do not keep others from being served."""

import resource
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tests.support.echo_model import EchoModel
from tests.support.processes import Driftgauge
from tests.support.traffic import ask, body_of

IDLE = 10_000
REFERENCE = Path(__file__).parents[2] / "examples" / "wine" / "red.csv"
ROW = [7.4, 0.7, 0.0, 1.9, 0.076, 11.0, 34.0, 0.9978, 3.51, 0.56, 9.4]
GROWTH_MEGABYTES = 60
"""6 kB for each connection: a transport, a reader of requests, a deadline."""


@contextmanager
def _many_files() -> Iterator[None]:
    """Raise the limit of open files for this process and its children to the hard limit."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_idle_connections() -> None:
    """Ten thousand idle connections use at most 6 kB each, and do not keep others from being served."""
    with _many_files(), EchoModel() as model, ExitStack() as stack:
        proxy = stack.enter_context(Driftgauge("proxy", "--upstream-url", model.url, "--reference", REFERENCE))
        before = proxy.metrics().total("process_resident_memory_bytes")
        idle = [stack.enter_context(socket.create_connection(("127.0.0.1", proxy.port))) for _ in range(IDLE)]
        ask(proxy.port, body_of([ROW]))
        grown = proxy.metrics().total("process_resident_memory_bytes") - before
        for one in (idle[0], idle[-1]):
            one.sendall(b"GET / HTTP/1.1\r\nHost: m\r\n\r\n")
            assert one.recv(12).startswith(b"HTTP/1.1 ")

    assert GROWTH_MEGABYTES > grown / 2**20


def test_metrics_are_served_while_the_data_port_is_full() -> None:
    """Connections beyond `max_connections` get 503 and are counted, and the admin port serves `/metrics` meanwhile."""
    with EchoModel() as model, ExitStack() as stack:
        options = ("--upstream-url", model.url, "--reference", REFERENCE, "--max-connections", "3")
        proxy = stack.enter_context(Driftgauge("proxy", *options))
        opened = [stack.enter_context(socket.create_connection(("127.0.0.1", proxy.port))) for _ in range(6)]

        assert [opened[3].recv(13), opened[5].recv(13)] == [b"HTTP/1.1 503 "] * 2

        scrape = proxy.wait_for(lambda s: s.total("driftgauge_refused_connections_total") >= 3, "refused connections")

        assert scrape.total("driftgauge_refused_connections_total") == 3
        opened[0].sendall(b"GET / HTTP/1.1\r\nHost: m\r\n\r\n")
        assert opened[0].recv(12).startswith(b"HTTP/1.1 ")
