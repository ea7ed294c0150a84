"""The ports that tests give to programs."""

import socket
from collections.abc import Callable

import pytest

from tests.support.ports import free_port, free_port_of_cluster, free_ports_in_a_row


@pytest.mark.parametrize("give", [free_port, free_port_of_cluster, lambda: free_ports_in_a_row(3) + 2])
def test_a_port_given_out_stays_free_until_a_server_listens_on_it(give: Callable[[], int]) -> None:
    """Neither another program nor a connection of the system takes it, and what connects to it is refused."""
    port = give()

    with socket.socket() as other, pytest.raises(OSError, match="in use"):
        other.bind(("127.0.0.1", port))
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), timeout=5)
    with socket.create_server(("127.0.0.1", port)), socket.create_connection(("127.0.0.1", port), timeout=5) as client:
        assert client.getpeername() == ("127.0.0.1", port)
