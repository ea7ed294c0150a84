"""One request or response of one model, as both modes pass it to the pipeline."""

from collections.abc import Callable
from enum import StrEnum
from typing import Final, NamedTuple, final

PREDICTOR: Final = "predictor"
"""The component of an InferenceService that holds the model: the default where a component is missing."""

COMPONENTS: Final = (PREDICTOR, "transformer", "explainer")
"""The components of an InferenceService."""

MAX_NAME_CHARS: Final = 253
"""Longest name of an object in Kubernetes: a DNS subdomain (RFC 1123, section 2.1)."""


def printable(text: str) -> str:
    r"""The text with each lone surrogate replaced by its escape, `\udc80`, so that it can be encoded as UTF-8.

    Headers and tensors may contain bytes that are not UTF-8; decoded with `surrogateescape` or `surrogatepass`, they
    become lone surrogates, which labels, keys and JSON cannot contain.
    """
    return text.encode("utf-8", "backslashreplace").decode()


class Kind(StrEnum):
    """What a stream has rows of. A payload is the request or the response of an inference."""

    REQUEST = "request"
    RESPONSE = "response"
    OUTCOME = "outcome"
    """Predictions with the labels that came later; no payload is of this kind."""


PAYLOAD_KINDS: Final = (Kind.REQUEST, Kind.RESPONSE)
"""The kinds of payloads, each of which has a stream that is tested against the reference."""


class Outcome(StrEnum):
    """What became of a payload: exactly one of these."""

    ACCEPTED = "accepted"
    SAMPLED_OUT = "sampled_out"
    DROPPED = "dropped"
    REJECTED = "rejected"


class ModelKey(NamedTuple):
    """One model of one component of one InferenceService: the unit that has metrics and verdicts.

    Args:
        namespace: Of the InferenceService.
        inference_service: Its name.
        component: Its component.
        model_name: The model's own name.
        revision: Which revision of the component it is, such as `stable` or a canary's name; empty where unknown.
            References belong to all revisions of a model.

    Notes:
        A tuple, since every request needs several lookups by it, and tuples are hashed in C.
    """

    namespace: str
    inference_service: str
    component: str
    model_name: str
    revision: str = ""

    def __str__(self) -> str:
        """The four names, joined by slashes as in a Redis key, and the revision if it is known."""
        names = f"{self.namespace}/{self.inference_service}/{self.component}/{self.model_name}"
        return f"{names} revision {self.revision}" if self.revision else names


@final
class Payload:
    """The body of one request or response, with its metadata. Not changed once it is made.

    Args:
        kind: Request or response.
        id: Shared by a request and its response; untrusted, any text.
        model: The model that received or sent it.
        body: The bytes as on the wire, possibly compressed.
        json_length: Length in bytes of the JSON part of a V2 binary body, if the header of that name was present.
        status: HTTP status code of the response; `None` if it is unknown, since KServe's agent does not send it.
        time: When the payload passed, in seconds since the epoch.
        failed: Whether the model is known to have made no prediction from it: its rows are counted, and not kept.
        traceparent: The header of that name of the request, for the log; empty if there was none. Untrusted.
        is_id_made: Whether the proxy made the id, since the client gave none in a header: no one else knows it.

    Notes:
        A plain class, since every inference makes two: a frozen dataclass takes four times as long to make, and a tuple
        with names five times as long where this is compiled.
    """

    __slots__ = (
        "body",
        "failed",
        "id",
        "is_id_made",
        "json_length",
        "kind",
        "model",
        "status",
        "time",
        "traceparent",
    )

    def __init__(  # noqa: PLR0913, PLR0917 - all that is known of a body; positional, since that is cheaper
        self,
        kind: Kind,
        id: str,  # noqa: A002 - the name of the attribute
        model: ModelKey,
        body: bytes,
        json_length: int | None,
        status: int | None,
        time: float,
        failed: bool = False,  # noqa: FBT001, FBT002
        traceparent: bytes = b"",
        is_id_made: bool = False,  # noqa: FBT001, FBT002
    ) -> None:
        self.kind = kind
        self.id = id
        self.model = model
        self.body = body
        self.json_length = json_length
        self.status = status
        self.time = time
        self.failed = failed
        self.traceparent = traceparent
        self.is_id_made = is_id_made


@final
class PairObservation:
    """One half of an inference, as the receiver passes it to the pairing. Not changed once it is made.

    Args:
        model: The model whose metrics count it.
        id: The id of the event; untrusted, any text.
        kind: Request or response.
        event_time: The time of the event, in seconds since the epoch, or `None` if it has none.
        true_time: Whether that is when the payload passed, and not when the event was sent.
    """

    __slots__ = ("event_time", "id", "kind", "model", "true_time")

    def __init__(
        self,
        model: ModelKey,
        id: str,  # noqa: A002 - the name of the attribute
        kind: Kind,
        event_time: float | None,
        true_time: bool,  # noqa: FBT001 - positional, since that is cheaper
    ) -> None:
        self.model = model
        self.id = id
        self.kind = kind
        self.event_time = event_time
        self.true_time = true_time


Offer = Callable[[Payload], None]
"""Passes a payload to the pipeline. Never blocks, never raises; a payload beyond the limits is dropped and counted."""


_OVERFLOW = "(other)"
"""No name in Kubernetes has parentheses, so this is no InferenceService and no configured model."""


def overflow_key(model: ModelKey) -> ModelKey:
    """The key for all models of the same InferenceService that have no series of their own."""
    return model._replace(model_name=_OVERFLOW)


def overflow_revision(model: ModelKey) -> ModelKey:
    """The key for all revisions of a model that have no series of their own."""
    return model._replace(revision=_OVERFLOW)


OVERFLOW = ModelKey(_OVERFLOW, _OVERFLOW, _OVERFLOW, _OVERFLOW)
"""The key for all models that have no series of their own, whatever their InferenceService."""


def is_overflow(model: ModelKey) -> bool:
    """Whether a key stands for many models or revisions, so that its rows cannot be used together."""
    return _OVERFLOW in (model.model_name, model.revision)


def is_of_many_models(model: ModelKey) -> bool:
    """Whether a key stands for many models, so that it never loses its series."""
    return model.model_name == _OVERFLOW
