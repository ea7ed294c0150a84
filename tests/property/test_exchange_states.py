"""Whatever peers do and in whatever order, only listed transitions occur, and each exchange ends exactly once."""

import logging
from collections.abc import Callable, Mapping
from enum import IntEnum
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from driftgauge.http1.states import (
    CLIENT_TRANSITIONS,
    REQUEST_TRANSITIONS,
    RESPONSE_TRANSITIONS,
    UPSTREAM_TRANSITIONS,
    ClientEvent,
    ClientState,
    IllegalTransitionError,
    RequestEvent,
    RequestState,
    ResponseEvent,
    ResponseState,
    UpstreamEvent,
    UpstreamState,
)
from tests.support.data_plane import REQUESTS, RESPONSES, DataPlane, full_name

Step = Callable[[DataPlane], None]

SIZES = st.sampled_from([1, 20, 40, 51, 1000, 1000])
KINDS = st.sampled_from(sorted(REQUESTS))
RESPONSE_KINDS = st.sampled_from(sorted(RESPONSES))


def _together(*steps: Step) -> Step:
    def run_all(plane: DataPlane) -> None:
        """Run the steps."""
        for step in steps:
            step(plane)

    return run_all


def _ask(kind: str, size: int) -> Step:
    return _together(lambda plane: plane.begin_request(kind), lambda plane: plane.send(size))


def _respond(kind: str, size: int) -> Step:
    return _together(DataPlane.open_upstream, lambda plane: plane.respond(kind, size))


USUAL = st.one_of(
    st.builds(_ask, KINDS, SIZES),
    st.builds(_respond, RESPONSE_KINDS, SIZES),
    SIZES.map(lambda size: lambda plane: plane.send(size)),
    st.builds(_together, st.builds(_ask, KINDS, SIZES), st.builds(_respond, RESPONSE_KINDS, SIZES)),
)
UNUSUAL = st.one_of(
    st.booleans().map(lambda full: lambda plane: plane.fill_client(full=full)),
    st.booleans().map(lambda full: lambda plane: plane.fill_upstream(full=full)),
    st.booleans().map(lambda error: lambda plane: plane.lose_upstream(error=error)),
    st.sampled_from([1.0, 8.0, 31.0, 130.0]).map(lambda seconds: lambda plane: plane.advance(seconds)),
    st.sampled_from([DataPlane.refuse_upstream, DataPlane.half_close, DataPlane.lose_client, DataPlane.begin_drain]),
)
STEPS: st.SearchStrategy[Step] = st.one_of(USUAL, USUAL, st.just(DataPlane.reconnect), UNUSUAL)


class ErrorList(logging.Handler):
    """Keeps the exceptions that the data plane has caught and logged as its own."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.errors: list[Any] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep it."""
        self.errors.append(record.exc_info)


def run(steps: list[Step]) -> DataPlane:
    """A data plane after these events and the end of the process, with what must always hold."""
    caught = ErrorList()
    logger = logging.getLogger("driftgauge")
    logger.addHandler(caught)
    plane = DataPlane()
    try:
        for step in steps:
            step(plane)

            assert b"" == plane.transport.after_close
    finally:
        plane.close()
        logger.removeHandler(caught)

    assert [] == caught.errors
    assert b"" == plane.transport.after_close
    for exchange, recorder in plane.exchanges:
        assert 1 == len(recorder.codes)
        assert 0 == recorder.late_events
        assert ResponseState.OVER is exchange.response.state
    return plane


@settings(max_examples=300, deadline=None)
@given(steps=st.lists(STEPS, min_size=5, max_size=40))
def test_every_order_of_events_ends_each_exchange_once(steps: list[Step]) -> None:
    """No event is illegal, each exchange is counted once, and nothing is written after the end of a connection."""
    run(steps)


def _request(kind: str, size: int = 1000) -> list[Step]:
    return [lambda plane: plane.begin_request(kind), lambda plane: plane.send(size)]


def _response(kind: str, size: int = 1000) -> list[Step]:
    return [lambda plane: plane.respond(kind, size)]


SCENARIOS: dict[str, list[Step]] = {
    "whole": [*_request("get"), DataPlane.open_upstream, *_response("length"), *_request("get"), *_response("length")],
    "in parts": [
        *_request("post", 10),
        lambda plane: plane.send(41),
        DataPlane.open_upstream,
        lambda plane: plane.send(1000),
        *_response("length", 40),
        lambda plane: plane.fill_client(full=True),
        *_response("length"),
    ],
    "early response": [*_request("post", 51), DataPlane.open_upstream, *_response("length")],
    "sent again": [
        *_request("get"),
        DataPlane.open_upstream,
        *_response("length"),
        *_request("get"),
        lambda plane: plane.lose_upstream(error=True),
        DataPlane.open_upstream,
        *_response("length"),
    ],
    "expecting nothing": [*_request("expecting nothing"), DataPlane.open_upstream, *_response("length")],
    "expecting": [*_request("expecting", 71), DataPlane.open_upstream, *_response("interim", 25)],
}


def test_every_state_is_reached() -> None:
    """A few usual exchanges pass through all states of all machines."""
    seen = set[str]()
    for steps in SCENARIOS.values():
        seen |= run(steps).seen
    machines: list[type[IntEnum]] = [ClientState, RequestState, ResponseState, UpstreamState]

    assert {full_name(state) for machine in machines for state in machine} == seen


TABLES: dict[str, tuple[Mapping[Any, Mapping[Any, Any]], type[IntEnum], type[IntEnum]]] = {
    "client": (CLIENT_TRANSITIONS, ClientEvent, ClientState),
    "request": (REQUEST_TRANSITIONS, RequestEvent, RequestState),
    "response": (RESPONSE_TRANSITIONS, ResponseEvent, ResponseState),
    "upstream": (UPSTREAM_TRANSITIONS, UpstreamEvent, UpstreamState),
}


@pytest.mark.parametrize(("table", "events", "states"), TABLES.values(), ids=TABLES)
def test_tables_list_every_event_and_lead_to_every_state(
    table: Mapping[Any, Mapping[Any, Any]], events: type[IntEnum], states: type[IntEnum]
) -> None:
    """Each event has a row, and from the start (a request may start in two states) each state can be reached."""
    reached = {states(0), RequestState.RECEIVING} if states is RequestState else {states(0)}
    for _ in states:
        reached |= {after for row in table.values() for before, after in row.items() if before in reached}

    assert set(events) == set(table)
    assert set(states) == reached


@pytest.mark.parametrize(("table", "events", "states"), TABLES.values(), ids=TABLES)
def test_events_that_are_not_listed_raise(
    table: Mapping[Any, Mapping[Any, Any]], events: type[IntEnum], states: type[IntEnum]
) -> None:
    """An illegal transition cannot pass unnoticed."""
    for event in events:
        for state in set(states) - set(table[event]):
            with pytest.raises(IllegalTransitionError):
                table[event][state]
