"""The ports of the demo."""

import os
import socket
from argparse import ArgumentTypeError
from collections.abc import Iterator

import pytest

from examples.demo.__main__ import page_port
from examples.demo.errors import DemoError
from examples.demo.ports import COUNT, Ports, holder, require_free
from tests.support.ports import free_ports_in_a_row


@pytest.fixture
def ports() -> Ports:
    """Ports that are free."""
    return Ports(free_ports_in_a_row(5))


@pytest.fixture
def taken(ports: Ports) -> Iterator[int]:
    """The port of the model server, while this process listens there."""
    with socket.create_server(("127.0.0.1", ports.model)):
        yield ports.model


def test_programs_listen_on_the_ports_after_the_page() -> None:
    """The data port, the model server, Redis and the port of labels follow the page's port."""
    ports = Ports(9464)

    assert (9465, 9466, 9467, 9468) == (ports.data, ports.model, ports.redis, ports.labels)


def test_free_ports_are_no_error(ports: Ports) -> None:
    """Nothing is raised while nothing listens."""
    require_free(ports.page, COUNT, "demo")


def test_taken_port_is_named_with_its_process_and_a_remedy(ports: Ports, taken: int) -> None:
    """The error has the port, the process that listens there, and a command with free ports."""
    with pytest.raises(DemoError, match=r"`make demo PORT=\d+`\.$") as error:
        require_free(ports.page, COUNT, "demo")

    assert str(error.value).startswith(f"Port {taken} is taken by process {os.getpid()} (")


def test_unknown_holder_is_guessed(ports: Ports) -> None:
    """Without a visible process, the guess is a demo that still runs."""
    assert "another program, possibly a demo that still runs" == holder(ports.page)


@pytest.mark.parametrize("text", ["1", "9464", "65531"])
def test_page_port_is_a_number(text: str) -> None:
    """Every port after which three more fit is taken."""
    assert int(text) == page_port(text)


@pytest.mark.parametrize("text", ["", "0", "-1", "65532", "nine", "1.5"])
def test_wrong_page_port_is_refused(text: str) -> None:
    """The error names the value and the range."""
    with pytest.raises(ArgumentTypeError, match=f"{text!r} is no number from 1 to 65531"):
        page_port(text)
