r"""The states of the data plane: of a client's connection, of an exchange, and of a connection to the model server.

Theory of operation. Four small machines say what may happen next. Each has a table: for every event, the states in
which it may occur and the state that follows. The owner of a machine applies the table at each event:

    self.state = CLIENT_TRANSITIONS[ClientEvent.HEAD][self.state]

An event that the table does not list for a state raises `IllegalTransitionError`. That is always a bug in driftgauge,
never an error of a peer: what a peer may do at any moment (send, stop reading, leave) is either listed or checked
before. Such an error ends one exchange with status 500, like any other exception in it.

Why four machines and not one: a request can be complete while its response streams, a response can be complete while
the request still comes, and each connection outlives its exchanges. Their product has some hundred states, of which
the tables need not speak; where two machines depend on each other, the code compares two states, as in "the request is
COMPLETE and the response is SENT, so the connection may carry another exchange".

Flow control is not in the tables: whether a peer is being read from or reads is a flag beside the state, since it can
change in every state and decides nothing about what may follow.

    one client connection          one exchange: the request                and its response

    IDLE <------------+            EXPECTING   waits for 100 Continue       NEW
     | first byte     |               |                                      |  \
    READING_HEAD      | finished    RECEIVING  its body comes                |  CONNECTING <-+ sent again
     | head           |               |                                      |  /            |
    IN_EXCHANGE ------+             COMPLETE                                 AWAITING -------+
     | ^ body                                                                | first bytes
    RECEIVING_BODY                 one connection to the model server       STREAMING
                                                                             | end
    LEAVING: FIN sent              NEW -> AWAITING -> RESPONDING -> IDLE    SENT: not read by the client yet
    CLOSED                                  ^------------------------|      OVER
                                   CLOSED

The states are integers in the order of an exchange, so that `state >= ResponseState.SENT` means "the end was written".
"""

from collections.abc import Mapping
from enum import IntEnum
from typing import Final, TypeVar

State = TypeVar("State", bound=IntEnum)


class IllegalTransitionError(RuntimeError):
    """An event occurred in a state that the table does not list for it: a bug in driftgauge."""


class Transition(dict[State, State]):
    """One row of a table: the states in which an event may occur, and the state after it."""

    __slots__ = ()

    def __missing__(self, state: State) -> State:
        """Raise, since the event must not occur in this state."""
        raise IllegalTransitionError(f"an event for {', '.join(one.name for one in self)} occurred in {state.name}")


class ClientState(IntEnum):
    """Of a client's connection."""

    IDLE = 0
    """No request, not even the beginning of one."""
    READING_HEAD = 1
    IN_EXCHANGE = 2
    """A handler has the request; no more of the request is awaited."""
    RECEIVING_BODY = 3
    """A handler has the request; more of its body is awaited, within a time limit."""
    LEAVING = 4
    """We have ended our side; what the client still sends is discarded, so that no reset destroys the response."""
    CLOSED = 5


class ClientEvent(IntEnum):
    """What happens on a client's connection."""

    BYTES = 0
    """The first bytes of a request, or what waited behind the request before."""
    EMPTY_LINE = 1
    """They were nothing but the empty line that some clients send after a body."""
    HEAD = 2
    BODY_AWAITED = 3
    """The bytes that came have been read, and the body is not complete."""
    BODY_COMPLETE = 4
    FINISHED = 5
    """The exchange is over, and the connection is kept."""
    LEAVE = 6
    CLOSE = 7
    """The connection is lost, or ended by us at once."""


_C: Final = ClientState
CLIENT_TRANSITIONS: Mapping[ClientEvent, Mapping[ClientState, ClientState]] = {
    ClientEvent.BYTES: Transition({_C.IDLE: _C.READING_HEAD}),
    ClientEvent.EMPTY_LINE: Transition({_C.READING_HEAD: _C.IDLE}),
    ClientEvent.HEAD: Transition({_C.READING_HEAD: _C.IN_EXCHANGE}),
    ClientEvent.BODY_AWAITED: Transition({_C.IN_EXCHANGE: _C.RECEIVING_BODY}),
    ClientEvent.BODY_COMPLETE: Transition({_C.RECEIVING_BODY: _C.IN_EXCHANGE}),
    ClientEvent.FINISHED: Transition({_C.IN_EXCHANGE: _C.IDLE, _C.RECEIVING_BODY: _C.IDLE}),
    ClientEvent.LEAVE: Transition(
        {_C.READING_HEAD: _C.LEAVING, _C.IN_EXCHANGE: _C.LEAVING, _C.RECEIVING_BODY: _C.LEAVING}
    ),
    ClientEvent.CLOSE: Transition(dict.fromkeys(_C, _C.CLOSED)),
}


class RequestState(IntEnum):
    """Of the request of an exchange: what its client still has to send."""

    EXPECTING = 0
    """The client waits for 100 Continue before it sends the body."""
    RECEIVING = 1
    COMPLETE = 2


class RequestEvent(IntEnum):
    """What happens to the request of an exchange."""

    BODY = 0
    """A piece of the body has come, or the model server has asked for it."""
    END = 1


_R: Final = RequestState
REQUEST_TRANSITIONS: Mapping[RequestEvent, Mapping[RequestState, RequestState]] = {
    RequestEvent.BODY: Transition({_R.EXPECTING: _R.RECEIVING, _R.RECEIVING: _R.RECEIVING}),
    RequestEvent.END: Transition({_R.EXPECTING: _R.COMPLETE, _R.RECEIVING: _R.COMPLETE}),
}


class ResponseState(IntEnum):
    """Of the response of an exchange, and so of the exchange as a whole."""

    NEW = 0
    """There is no connection to the model server, and none was requested."""
    CONNECTING = 1
    """A connection is being opened."""
    AWAITING = 2
    """The exchange has a connection, and no byte of the final response was given to the client."""
    STREAMING = 3
    """Some of the final response was given to the client, from now on it cannot be replaced by an error."""
    SENT = 4
    """All of the response was given to the client's socket; the client has not read enough of it."""
    OVER = 5


class ResponseEvent(IntEnum):
    """What happens to the response of an exchange."""

    CONNECT = 0
    """A connection is requested; for a request that is sent again, another one."""
    CONNECTED = 1
    WRITE = 2
    """Some of the final response is given to the client's socket, and more is to come."""
    END = 3
    """The end of the response, which may be an error that driftgauge makes, is given to the client's socket."""
    FINISH = 4
    """The exchange is counted and leaves both connections."""


_S: Final = ResponseState
RESPONSE_TRANSITIONS: Mapping[ResponseEvent, Mapping[ResponseState, ResponseState]] = {
    ResponseEvent.CONNECT: Transition({_S.NEW: _S.CONNECTING, _S.AWAITING: _S.CONNECTING}),
    ResponseEvent.CONNECTED: Transition({_S.NEW: _S.AWAITING, _S.CONNECTING: _S.AWAITING}),
    ResponseEvent.WRITE: Transition({_S.AWAITING: _S.STREAMING, _S.STREAMING: _S.STREAMING}),
    ResponseEvent.END: Transition(
        {_S.NEW: _S.SENT, _S.CONNECTING: _S.SENT, _S.AWAITING: _S.SENT, _S.STREAMING: _S.SENT}
    ),
    ResponseEvent.FINISH: Transition({state: _S.OVER for state in _S if state is not _S.OVER}),
}


class UpstreamState(IntEnum):
    """Of a connection to the model server."""

    NEW = 0
    AWAITING = 1
    """It carries an exchange, and no byte has come since the exchange began."""
    RESPONDING = 2
    IDLE = 3
    """It has carried an exchange and may carry another."""
    CLOSED = 4


class UpstreamEvent(IntEnum):
    """What happens on a connection to the model server."""

    BEGIN = 0
    BYTES = 1
    RELEASE = 2
    CLOSE = 3


_U: Final = UpstreamState
UPSTREAM_TRANSITIONS: Mapping[UpstreamEvent, Mapping[UpstreamState, UpstreamState]] = {
    UpstreamEvent.BEGIN: Transition({_U.NEW: _U.AWAITING, _U.IDLE: _U.AWAITING}),
    UpstreamEvent.BYTES: Transition({_U.AWAITING: _U.RESPONDING, _U.RESPONDING: _U.RESPONDING}),
    UpstreamEvent.RELEASE: Transition({_U.RESPONDING: _U.IDLE}),
    UpstreamEvent.CLOSE: Transition(dict.fromkeys(_U, _U.CLOSED)),
}
