"""What one request to the labels port holds: whose labels, in which body, and what can be read of it."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Final, NamedTuple

from driftgauge.cloudevents.event import RefusedEvent
from driftgauge.concurrency.gil_yield import GilYield
from driftgauge.errors import PayloadError, Reason
from driftgauge.inference.label_target import LabelTarget
from driftgauge.inference.payload import MAX_NAME_CHARS, PREDICTOR, ModelKey
from driftgauge.labels.expected_outputs import ExpectedOutputs
from driftgauge.labels.waiting_label import WaitingLabel, waiting_labels
from driftgauge.protocol.compression import unpack
from driftgauge.protocol.label_bodies import read_labels
from driftgauge.protocol.label_collector import MAX_LABELS, SENTENCES, LabelCollector

_NAMES: Final = ("namespace", "inference_service", "component", "model_name", "revision")
_GZIP: Final = b"\x1f\x8b"
_CODINGS: Final = frozenset({"", "identity", "gzip", "x-gzip", "deflate"})

_RUN_SECONDS: Final = 0.0001
"""How long a body is read without a pause. Bodies come all day long, and the evaluations' 0.5 ms would be felt."""

_STATUSES: Final = {
    Reason.UNSUPPORTED: HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    Reason.TOO_LARGE: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    Reason.TOO_COMPLEX: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
}


class RefusedRequestError(Exception):
    """A request of which nothing is taken.

    Args:
        status: The status code of the response.
        sentence: What is wrong.
    """

    def __init__(self, status: HTTPStatus, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status

    @classmethod
    def of(cls, error: PayloadError | RefusedEvent) -> "RefusedRequestError":
        """The refusal of a body or an event."""
        sentence = error.sentence if isinstance(error, RefusedEvent) else str(error)
        return cls(_STATUSES.get(error.reason, HTTPStatus.BAD_REQUEST), sentence)


class LabelPart(NamedTuple):
    """The labels of one event, or of a request that is none, with the models that they may be of.

    Args:
        models: At least one.
        body: The body of labels.
        media_type: Its type.
        default_id: The id of labels that have none; empty if there is none.
        outputs: The outputs that they may be of.
        target: The names by which the models were found.
    """

    models: tuple[ModelKey, ...]
    body: bytes
    media_type: str
    default_id: str
    outputs: ExpectedOutputs = ExpectedOutputs()
    target: LabelTarget | None = None


class FoundParts(NamedTuple):
    """The events of a request, by whether they can be used.

    Args:
        parts: Those of known models.
        refused: Those that are malformed, or have no labels.
        unknown: The targets of those without a known model.
        counted_for: The model that `refused` and `unknown` are counted for; `None` if there are none.
    """

    parts: list[LabelPart]
    refused: list[RefusedEvent]
    unknown: list[LabelTarget]
    counted_for: ModelKey | None

    @property
    def is_one(self) -> bool:
        """Whether the request has one body of labels alone."""
        return len(self.parts) + len(self.refused) + len(self.unknown) == 1


class ReadLabels(NamedTuple):
    """What was read of the parts of a request.

    Args:
        groups: The labels; those of a group may be of the same models.
        malformed: How many were malformed, by the first model that they may be of.
        sentences: What is wrong with the first few of these.
        refusal: What is wrong with the first part of which nothing could be read; `None` if there is none.
    """

    groups: list[list[WaitingLabel]]
    malformed: Mapping[ModelKey, int]
    sentences: list[str]
    refusal: PayloadError | None

    @property
    def accepted(self) -> int:
        """How many labels there are."""
        return sum(map(len, self.groups))


def read_target(query: Mapping[str, str]) -> LabelTarget:
    """The names in a query.

    Raises:
        RefusedRequestError: A parameter is unknown, or longer than a name.
    """
    unknown = next((name for name in query if name not in _NAMES), None)
    if unknown is not None:
        sentence = f"The query has the unknown parameter {unknown!r:.80}; there may be {', '.join(_NAMES)}."
        raise RefusedRequestError(HTTPStatus.BAD_REQUEST, sentence)
    long = next((name for name in query if len(query[name]) > MAX_NAME_CHARS), None)
    if long is not None:
        sentence = f"The query's {long} has more than {MAX_NAME_CHARS} characters."
        raise RefusedRequestError(HTTPStatus.BAD_REQUEST, sentence)
    return LabelTarget(
        query.get("namespace", ""),
        query.get("inference_service", ""),
        query.get("component") or PREDICTOR,
        query.get("model_name") or None,
        query.get("revision"),
    )


def unpack_body(body: bytes, coding: str, limit_bytes: int) -> bytes:
    """The plain bytes of a body; takes up to 20 ms without the interpreter's lock.

    Args:
        body: As on the wire.
        coding: The header `Content-Encoding`; gzip is recognised without it.
        limit_bytes: Most plain bytes.

    Raises:
        RefusedRequestError: The coding is unknown, or the body is damaged or too large.
    """
    if coding.strip().lower() not in _CODINGS:
        sentence = f"The content coding {coding!r:.80} is unknown; a body may be compressed by gzip or deflate."
        raise RefusedRequestError(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, sentence)
    if not coding and not body.startswith(_GZIP):
        return body
    try:
        return unpack(body, limit_bytes)
    except PayloadError as error:
        raise RefusedRequestError.of(error) from None


def read_parts(parts: Sequence[LabelPart], now: float) -> ReadLabels:
    """Read the labels of a request; runs in a thread, and lets others run after each tenth of a millisecond.

    Args:
        parts: The bodies.
        now: When they came; monotonic, in seconds.

    Raises:
        PayloadError: `TOO_COMPLEX` if all parts together have too many labels, `UNSUPPORTED` if the only one is of an
            unknown type.
    """
    groups: list[list[WaitingLabel]] = []
    malformed: dict[ModelKey, int] = {}
    sentences: list[str] = []
    refusal: PayloadError | None = None
    pause, left = GilYield(_RUN_SECONDS), MAX_LABELS
    for part in parts:
        into = LabelCollector(part.default_id, pause, left)
        try:
            read_labels(part.body, part.media_type, into)
        except PayloadError as error:
            if error.reason is Reason.TOO_COMPLEX or (error.reason is Reason.UNSUPPORTED and len(parts) == 1):
                raise
            refusal = refusal or error
            into.reject("the body", str(error))
        left -= len(into.labels) + into.malformed
        labels, unnamed = part.outputs.sort_out(into.labels)
        groups.append(waiting_labels(labels, part.models, now, part.target, pause))
        wrong = into.malformed + len(into.labels) - len(labels)
        if wrong:
            malformed[part.models[0]] = malformed.get(part.models[0], 0) + wrong
        sentences += [*unnamed, *into.sentences]
    return ReadLabels(groups, malformed, sentences[:SENTENCES], refusal)
