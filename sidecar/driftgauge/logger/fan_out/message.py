"""A message with events as it is sent on: the headers that belong to the events, and the bytes of the body."""

from functools import lru_cache
from typing import Final, final

from multidict import CIMultiDict, istr

from driftgauge.http1.heads import RequestHead
from driftgauge.metrics.forward_counts import ForwardLoss

_OWN_VIA: Final = "1.1 driftgauge-logger"
_MAX_HOPS: Final = 4
"""Most loggers of driftgauge in a chain. Beyond them a loop is more likely, which would never end."""

_HEADERS: Final = frozenset(
    {
        b"content-encoding",
        b"content-language",
        b"content-type",
        b"traceparent",
        b"tracestate",
        b"via",
    }
)
"""The headers that are sent on in addition to `ce-*`. A list of what belongs to an event, and not of what does not:
credentials and cookies of a sender are not for others.
"""

_CLOUDEVENT_TYPES: Final = (b"application/cloudevents+json", b"application/cloudevents-batch+json")

_SHARED_BYTES: Final = 128
"""Longest name or value of a header that is kept once for all events."""

_OBJECT_BYTES: Final = 1_280
"""Memory of the objects of one message in addition to its bytes, with as many headers as KServe's events have."""

_USUAL_HEADERS: Final = 16
_HEADER_BYTES: Final = 224
"""Memory of the objects of each further header: a sender may send hundreds of short ones."""


class UnsendableError(Exception):
    """A message cannot be sent on.

    Args:
        loss: Why, as the value of a label.
        sentence: Why, for people.
    """

    def __init__(self, loss: ForwardLoss, sentence: str) -> None:
        super().__init__(sentence)
        self.loss = loss


@final
class Message:
    """One request of a sender, which has one event, or several in a batch.

    Args:
        headers: What is sent on of its headers, in their order and spelling.
        body: As received.
        events: Number of its events, at least 1.
        deadline: Until when it may be sent, in seconds of the clock of the targets.

    Attributes:
        size_bytes: The memory that it takes.
    """

    __slots__ = ("body", "deadline", "events", "headers", "size_bytes")

    def __init__(self, headers: CIMultiDict[str], body: bytes, events: int, deadline: float) -> None:
        self.headers = headers
        self.body = body
        self.events = events
        self.deadline = deadline
        objects = _OBJECT_BYTES + _HEADER_BYTES * max(0, len(headers) - _USUAL_HEADERS)
        self.size_bytes = len(body) + sum(len(name) + len(value) for name, value in headers.items()) + objects


def _name(data: bytes) -> str:
    """Decode the name of a header; an `istr` keeps its lower case, which else each event would have for itself."""
    return _shared_name(data) if len(data) <= _SHARED_BYTES else data.decode()


@lru_cache(1_024)
def _shared_name(data: bytes) -> istr:
    return istr(data.decode())


def _text(data: bytes) -> str:
    """Decode UTF-8; texts that most events share are kept once, however many events wait."""
    return _shared_text(data) if len(data) <= _SHARED_BYTES else data.decode()


@lru_cache(1_024)
def _shared_text(data: bytes) -> str:
    return data.decode()


def is_cloudevent(head: RequestHead) -> bool:
    """Whether a request has the form of a CloudEvent, valid or not: any `ce-` header, or the content type of one."""
    if any(name.startswith(b"ce-") for name in head.fields):
        return True
    media_type = head.fields.get(b"content-type", b"").partition(b";")[0].strip().lower()
    return media_type in _CLOUDEVENT_TYPES


def headers_to_send(head: RequestHead) -> CIMultiDict[str]:
    """The headers of a message, with a `Via` of this logger.

    Raises:
        UnsendableError: A header is not UTF-8, since aiohttp writes text only; or too many loggers sent it on already.
    """
    headers: CIMultiDict[str] = CIMultiDict()
    try:
        for name, value in head.lines:
            low = name.lower()
            if low.startswith(b"ce-") or low in _HEADERS:
                headers.add(_name(name), _text(value))
    except UnicodeDecodeError:
        raise UnsendableError(ForwardLoss.HEADERS, "a header is not UTF-8") from None
    if sum(via.count(_OWN_VIA) for via in headers.getall("Via", ())) >= _MAX_HOPS:
        raise UnsendableError(ForwardLoss.LOOP, f"{_MAX_HOPS} loggers have sent it on already")
    headers.add("Via", _OWN_VIA)
    return headers
