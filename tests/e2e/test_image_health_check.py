"""The script that the image runs as its health check, outside the image: Debian has all that it needs."""

import os
import socket
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from threading import Thread

import pytest

from tests.support.ports import free_port
from tests.support.processes import Driftgauge

SCRIPT = Path(__file__).parents[2] / "sidecar/healthcheck.sh"
TIMED_OUT = 124
"""The exit code of `timeout` for a command that it has ended."""


def check(**env: str) -> subprocess.CompletedProcess[str]:
    """Run the script as the Dockerfile does, with these variables as the only ones of driftgauge."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("DRIFTGAUGE_")}
    argv = ["timeout", "2", "bash", str(SCRIPT)]
    return subprocess.run(argv, capture_output=True, text=True, check=False, timeout=60, env={**inherited, **env})


@contextmanager
def server(response: bytes, host: str = "127.0.0.1") -> Iterator[int]:
    """A server that sends these bytes on its first connection and closes it; yields its port."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.create_server((host, 0), family=family) as listener:

        def respond() -> None:
            connection, _ = listener.accept()
            with connection, connection.makefile("rb") as request:
                while request.readline().strip():
                    pass
                connection.sendall(response)

        Thread(target=respond, daemon=True).start()
        yield listener.getsockname()[1]


@contextmanager
def stuck_server(*, full: bool) -> Iterator[int]:
    """A server whose process is stuck: the kernel accepts connections until its queue is full; yields the port."""
    with ExitStack() as stack:
        listener = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0 if full else 10))
        if full:
            stack.enter_context(socket.create_connection(listener.getsockname()))
        yield listener.getsockname()[1]


def test_a_process_that_lives_is_healthy_until_it_ends() -> None:
    """Exit code 0 and nothing printed for a real logger; 1 when it has ended."""
    with Driftgauge("logger") as logger:
        alive = check(DRIFTGAUGE_ADMIN_PORT=str(logger.admin_port))
    gone = check(DRIFTGAUGE_ADMIN_PORT=str(logger.admin_port))

    assert (0, "", "") == (alive.returncode, alive.stdout, alive.stderr)
    assert (1, "") == (gone.returncode, gone.stderr)
    assert f"not healthy on admin port {logger.admin_port}: no connection." in gone.stdout


def test_a_server_that_listens_on_ipv6_alone_is_found() -> None:
    """With `host: "::"`, nothing listens on 127.0.0.1."""
    with server(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", host="::1") as port:
        assert 0 == check(DRIFTGAUGE_ADMIN_PORT=str(port)).returncode


@pytest.mark.parametrize(
    ("response", "reason"),
    [
        (b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n", "status code 503"),
        (b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", "status code 404"),
        (b"", "no response"),
    ],
)
def test_any_other_response_is_not_healthy(response: bytes, reason: str) -> None:
    """Exit code 1, and the reason is what `docker inspect` shows."""
    with server(response) as port:
        done = check(DRIFTGAUGE_ADMIN_PORT=str(port))

    assert (1, "") == (done.returncode, done.stderr)
    assert reason in done.stdout


@pytest.mark.parametrize("full", [False, True], ids=["accepts", "full"])
def test_a_process_that_is_stuck_is_not_healthy(full: bool) -> None:  # noqa: FBT001
    """`timeout` ends the check, before Docker's own limit of three seconds does."""
    with stuck_server(full=full) as port:
        assert TIMED_OUT == check(DRIFTGAUGE_ADMIN_PORT=str(port)).returncode


def test_the_message_says_which_port_is_checked() -> None:
    """A port that a flag sets is not known to the check, so the message names the variable."""
    done = check(DRIFTGAUGE_ADMIN_PORT=str(free_port()))

    assert (
        "The port is that of DRIFTGAUGE_ADMIN_PORT; a flag or a file with another port is not read here." in done.stdout
    )
