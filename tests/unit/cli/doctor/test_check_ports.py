"""The ports: free, used by driftgauge, or used by another program."""

import socket
from collections.abc import Iterator

import pytest

from driftgauge.cli.doctor.check_ports import check_ports
from driftgauge.cli.doctor.finding import fail, ok
from driftgauge.cli.doctor.running_process import RunningProcess
from driftgauge.config.load import load
from driftgauge.config.options import Config
from tests.support.ports import free_port


@pytest.fixture
def used() -> Iterator[int]:
    """A port that something listens on."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def config(port: int, admin_port: int, host: str = "127.0.0.1") -> Config:
    """Options with these ports."""
    return load("logger", {"port": str(port), "admin_port": str(admin_port), "host": host})


def process(**ports: int) -> RunningProcess:
    """A process that says that it listens on ports."""
    return RunningProcess("http://127.0.0.1:1", {"version": "0", "ports": ports})


def test_free_and_used_by_another_program(used: int) -> None:
    """The sentence names the option to change."""
    free = free_port()

    assert [
        fail("port", f"{used} is used by another program: set port, or move the other program"),
        ok("admin_port", f"{free} is free"),
    ] == check_ports(config(used, free), None)


def test_used_by_the_running_process(used: int) -> None:
    """Its own port is no fault; one that it should hold and does not is."""
    free = free_port()

    assert [
        ok("port", f"{used} is used by the running driftgauge"),
        fail("admin_port", f"the running process should listen on {free}, but the port is free: restart it"),
    ] == check_ports(config(used, free), process(port=used, admin_port=free))


def test_another_port_than_the_running_process_has(used: int) -> None:
    """A process with other ports does not hold this one."""
    found = check_ports(config(used, free_port()), process(port=1, admin_port=2))

    assert f"{used} is used by another program: set port, or move the other program" == found[0].sentence


def test_an_address_of_another_machine() -> None:
    """The sentence has the system's reason."""
    found = check_ports(config(free_port(), free_port(), "192.0.2.1"), None)

    assert "cannot be listened on (Cannot assign requested address): set host and port" in found[0].sentence
