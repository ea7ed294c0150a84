"""A client's connection keeps its limits of time in every state."""

from collections.abc import Iterator

import pytest

from driftgauge.http1.states import ClientState
from tests.support.data_plane import DataPlane


@pytest.fixture
def plane() -> Iterator[DataPlane]:
    """A data plane with one client, closed at the end."""
    plane = DataPlane()
    yield plane
    plane.close()


def test_a_client_that_sends_but_does_not_read_is_reset(plane: DataPlane) -> None:
    """A client that does not read is reset in time, even if it continues to send."""
    plane.begin_request("get")
    plane.send(1000)
    plane.fill_client(full=True)
    plane.begin_request("get")
    plane.send(1)
    plane.advance(121)

    assert plane.transport.was_reset


def test_an_empty_line_does_not_begin_a_request(plane: DataPlane) -> None:
    """The time of the next request counts from its own first byte."""
    plane.begin_request("empty line")
    plane.send(2)

    assert (ClientState.IDLE, None) == (plane.client.state, plane.client.begun)

    plane.advance(5)
    plane.send(1)

    assert (ClientState.READING_HEAD, plane.loop.now) == (plane.client.state, plane.client.begun)


def test_a_head_after_an_empty_line_has_a_time_limit(plane: DataPlane) -> None:
    """A head that does not end after an empty line is refused with 408 instead of treated as idle."""
    plane.begin_request("empty line")
    plane.send(2)
    plane.send(1)
    plane.advance(61)

    assert plane.transport.written.startswith(b"HTTP/1.1 408 Request Timeout\r\n")
    assert ClientState.LEAVING is plane.client.state
