"""What every door hands in: one request or response of one model, as frozen values.

This room is pure: values only.
"""

from collections.abc import Callable
from enum import StrEnum
from typing import NamedTuple


class Kind(StrEnum):
    """Which half of an inference a payload is."""

    REQUEST = "request"
    RESPONSE = "response"


class Outcome(StrEnum):
    """How a payload ended; every payload has exactly one end."""

    ACCEPTED = "accepted"
    SAMPLED_OUT = "sampled_out"
    DROPPED = "dropped"
    REJECTED = "rejected"


class ModelKey(NamedTuple):
    """Names one model of one component of one InferenceService: the unit that is counted and tested.

    Notes:
        A tuple, since it is the key of every look-up on a request's way, and tuples are hashed in C.
    """

    namespace: str
    inference_service: str
    component: str
    model_name: str

    def __str__(self) -> str:
        """The four names with slashes between, as they stand in a Redis key."""
        return f"{self.namespace}/{self.inference_service}/{self.component}/{self.model_name}"


class Payload(NamedTuple):
    """One request or response body with what is known about it.

    Args:
        kind: Request or response.
        id: Joins a request with its response; untrusted, any text.
        model: The model that it went to or came from.
        body: The bytes as they were on the wire, perhaps compressed.
        json_length: Length in bytes of the JSON part of a V2 binary body, if its header was seen.
        status: HTTP status of the response, `None` where the sender tells none (KServe's logger).
        time: When the payload passed, in seconds since the epoch.

    Notes:
        A tuple, since two are made of every inference, and a frozen dataclass takes four times as long.
    """

    kind: Kind
    id: str
    model: ModelKey
    body: bytes
    json_length: int | None
    status: int | None
    time: float


class PairObservation(NamedTuple):
    """One half of an inference as a door saw it, for the pairing alone.

    Args:
        model: Whose series it counts in.
        id: The event's id; untrusted, any text.
        kind: Which half.
        event_time: What the sender calls its time, in seconds since the epoch, or `None`.
        true_time: Whether that is when it happened, not when it was sent.
    """

    model: ModelKey
    id: str
    kind: Kind
    event_time: float | None
    true_time: bool


Offer = Callable[[Payload], None]
"""Hands a payload to the pipeline. Never blocks and never raises; what does not fit is dropped and counted."""
