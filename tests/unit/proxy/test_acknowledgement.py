"""The system says which bytes of a connection were acknowledged."""

import socket

from driftgauge.proxy.acknowledgement import acknowledged_bytes


def _connection() -> tuple[socket.socket, socket.socket]:
    """The two ends of a TCP connection."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        ours = socket.create_connection(server.getsockname())
        theirs, _ = server.accept()
    return ours, theirs


def test_nothing_is_acknowledged_on_a_new_connection() -> None:
    """What opened the connection does not count."""
    ours, theirs = _connection()
    with ours, theirs:
        assert 0 == acknowledged_bytes(ours)


def test_a_response_acknowledges_the_request() -> None:
    """After a response the number is that of the bytes of the request."""
    ours, theirs = _connection()
    with ours, theirs:
        ours.sendall(b"request")
        theirs.recv(7)
        theirs.sendall(b"response")
        ours.recv(8)

        assert 7 == acknowledged_bytes(ours)


def test_a_process_that_dies_has_acknowledged_what_it_read() -> None:
    """The end of the connection acknowledges what came before it."""
    ours, theirs = _connection()
    with ours:
        with theirs:
            ours.sendall(b"request")
            theirs.recv(7)
        ours.recv(1)

        assert 7 == acknowledged_bytes(ours)


def test_a_closed_connection_acknowledges_nothing_that_comes_later() -> None:
    """What is sent on a connection that the other side has closed is not acknowledged."""
    ours, theirs = _connection()
    with ours:
        theirs.close()
        ours.send(b"request")
        ours.recv(1)

        assert 0 == acknowledged_bytes(ours)


def test_other_sockets_have_no_acknowledgements() -> None:
    """The number is 0 where the system does not say it."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        assert 0 == acknowledged_bytes(ours)
