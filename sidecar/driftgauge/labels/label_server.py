"""The server of the labels port: `POST /labels`. Its own port, since labels decide alarms and scrapers must not."""

import asyncio
import json
from collections.abc import Callable, Collection
from http import HTTPStatus
from typing import Final, final

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from driftgauge.cloudevents.event import RefusedEvent
from driftgauge.concurrency.worker import Worker
from driftgauge.errors import PayloadError, StorageError
from driftgauge.inference.label_target import LabelTarget
from driftgauge.inference.payload import ModelKey, printable
from driftgauge.labels.label_models import LabelModels
from driftgauge.labels.label_request import (
    FoundParts,
    LabelPart,
    ReadLabels,
    RefusedRequestError,
    read_parts,
    read_target,
    unpack_body,
)
from driftgauge.labels.matcher import Matcher
from driftgauge.labels.model_hints import unknown_model
from driftgauge.metrics.loss_log import LossLog
from driftgauge.protocol.label_collector import SENTENCES
from driftgauge.server.body_copy import MemoryBudget
from driftgauge.server.control_port import ControlPort
from driftgauge.server.tls import Tls

RETRY_SECONDS: Final = 5
"""`Retry-After` of a response with status code 503."""

_BODIES: Final = 4
"""How many bodies of the longest length may be read and waiting at once, or more that are shorter."""

_EVENTS_A_TURN: Final = 32
"""Events of a batch after which other requests have a turn: some 0.1 ms."""


@final
class LabelServer:
    """Takes labels.

    Args:
        matcher: Takes the labels that could be read.
        models: Finds the models that they may be of.
        max_body_bytes: Longest body, and longest decompressed body.
        authorize: Returns whether the value of an `Authorization` header has a valid token; `None` if anybody may post.
        namespaces: Namespaces of which a reply may name models beside that of the request; `None` for all.
    """

    def __init__(
        self,
        matcher: Matcher,
        models: LabelModels,
        max_body_bytes: int,
        authorize: Callable[[str | None], bool] | None = None,
        namespaces: Collection[str] | None = None,
    ) -> None:
        self._matcher = matcher
        self._models = models
        self._namespaces = namespaces
        self._max_body_bytes = max_body_bytes
        self._budget = MemoryBudget(_BODIES * max_body_bytes)
        self._reading = asyncio.Lock()  # one body at a time is plain: the budget counts bytes as on the wire
        self._worker = Worker("labels")
        self._losses = LossLog()
        self._draining = False
        routes = [web.post("/labels", self._post), web.route("*", "/{path:.*}", _refuse_path)]
        self._port = ControlPort(routes, authorize, _refuse_token)

    async def start(self, host: str, port: int, tls: Tls | None = None) -> int:
        """Listen, with TLS if it is given; returns the port, which the system chooses if `port` is 0."""
        return await self._port.start(host, port, tls)

    def begin_drain(self) -> None:
        """Take no more labels: requests get 503, so that their labels are posted again to another process."""
        self._draining = True

    async def close(self) -> None:
        """Stop listening, and let requests end."""
        await self._port.close()
        self._worker.close()

    async def _post(self, request: web.Request) -> web.Response:
        taken = [0]  # bytes of the budget
        try:
            self._check_draining()
            target = read_target(request.query)
            if target.inference_service:
                await self._find(target)  # before the body is read
            body = await self._read_body(request, taken)
            async with self._reading:
                return await self._read_labels(request, target, body)
        except RefusedRequestError as error:
            return self._refuse(error, request)
        except PayloadError as error:
            return self._refuse(RefusedRequestError.of(error), request)
        finally:
            self._budget.free_bytes += taken[0]

    async def _read_labels(self, request: web.Request, target: LabelTarget, body: bytes) -> web.Response:
        """Unpack a body, read its labels, queue them and respond.

        Raises:
            RefusedRequestError: Nothing of the body is taken.
            PayloadError: Nothing of the body could be read.
        """
        coding = request.headers.get("Content-Encoding", "")
        plain = await self._worker.run(unpack_body, body, coding, self._max_body_bytes)
        found = await self._find_parts(request, target, plain)
        read = await self._worker.run(read_parts, found.parts, self._matcher.now())
        return self._take(read, found)

    def _check_draining(self) -> None:
        """Refuse a request if the process ends.

        Raises:
            RefusedRequestError: It does.
        """
        if self._draining:
            sentence = "The process ends: nothing of the body was taken."
            raise RefusedRequestError(HTTPStatus.SERVICE_UNAVAILABLE, sentence)

    def _refuse(self, error: RefusedRequestError, request: web.Request) -> web.Response:
        """Respond with what is wrong, and log that without what the sentence may quote of headers."""
        service = f"{request.query.get('namespace', '')}/{request.query.get('inference_service', '')}"
        cause = f"labels were refused with {error.status.value} ({error.status.phrase})"
        self._losses.add(cause, f"for {printable(service):.120}")
        return _error(error.status, str(error))

    async def _find(self, target: LabelTarget) -> tuple[ModelKey, ...]:
        """The models of a target.

        Raises:
            RefusedRequestError: There are none, or they cannot be looked up now.
        """
        try:
            found = await self._models.find(target)
        except StorageError:
            sentence = f"Whether there is a model of {target} cannot be looked up now: the store does not reply."
            raise RefusedRequestError(HTTPStatus.SERVICE_UNAVAILABLE, sentence) from None
        if not found:
            raise self._unknown(target)
        return found

    def _unknown(self, target: LabelTarget) -> RefusedRequestError:
        return unknown_model(target, self._models.namesakes(target), self._namespaces)

    async def _find_any(self, target: LabelTarget, *, required: bool) -> tuple[ModelKey, ...]:
        """The models of a target; empty if there are none and none is required.

        Raises:
            RefusedRequestError: As `_find`.
        """
        try:
            return await self._find(target)
        except RefusedRequestError as error:
            if required or error.status is not HTTPStatus.NOT_FOUND:
                raise
            return ()

    async def _read_body(self, request: web.Request, taken: list[int]) -> bytes:
        """The body as on the wire.

        Args:
            request: The request.
            taken: Receives the bytes that the caller must give back to the budget.

        Raises:
            RefusedRequestError: It is too large or not complete, or too many are being read.
        """
        limit = self._max_body_bytes
        pieces: list[bytes] = []
        too_large = f"The body is larger than {limit} bytes: send the labels in several."
        if (request.content_length or 0) > limit:
            raise RefusedRequestError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, too_large)
        try:
            async for piece in request.content.iter_any():
                if taken[0] + len(piece) > limit:
                    raise RefusedRequestError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, too_large)
                if len(piece) > self._budget.free_bytes:
                    sentence = "Too many bodies of labels are being read."
                    raise RefusedRequestError(HTTPStatus.SERVICE_UNAVAILABLE, sentence)
                self._budget.free_bytes -= len(piece)
                taken[0] += len(piece)
                pieces.append(piece)
        except (web.RequestPayloadError, HttpProcessingError, ConnectionError):
            raise RefusedRequestError(HTTPStatus.BAD_REQUEST, "The body is not complete.") from None
        return b"".join(pieces)

    async def _find_parts(self, request: web.Request, target: LabelTarget, body: bytes) -> FoundParts:
        """The events of a request with the models of each, and those that cannot be used.

        Raises:
            RefusedRequestError: There is one event alone, and it cannot be used; or no event has a known model, and
                the process knows none.
        """
        # The SDK takes 3 MB of memory, which a process without labels saves.
        from driftgauge.cloudevents.label_events import read_label_events  # noqa: PLC0415 - see above

        headers = list(request.headers.items())
        events = await self._worker.run(read_label_events, headers, body, target)
        found = FoundParts([], [], [], None)
        known: dict[LabelTarget, tuple[ModelKey, ...]] = {}
        for number, event in enumerate(events, 1):
            if number % _EVENTS_A_TURN == 0:
                await asyncio.sleep(0)
            if isinstance(event, RefusedEvent):
                found.refused.append(event)
                continue
            if not event.target.inference_service:
                raise RefusedRequestError(HTTPStatus.BAD_REQUEST, "The query names no inference_service.")
            if event.target not in known:
                known[event.target] = await self._find_any(event.target, required=len(events) == 1)
            models = known[event.target]
            if not models:
                found.unknown.append(event.target)
            else:
                outputs = await self._matcher.outputs(models)
                part = LabelPart(models, event.body, event.media_type, event.default_id, outputs, event.target)
                found.parts.append(part)
        return await self._add_place(target, found) if found.refused or found.unknown else found

    async def _add_place(self, target: LabelTarget, found: FoundParts) -> FoundParts:
        """Add the model that events without a known one are counted for: that of the query, of another event, or any.

        Raises:
            RefusedRequestError: There is one event alone; or the process knows no model.
        """
        if found.is_one:
            raise RefusedRequestError.of(found.refused[0])
        models = await self._find_any(target, required=False) if target.inference_service else ()
        place = next((part.models[0] for part in found.parts), self._models.fallback)
        place = models[0] if models else place
        if place is not None:
            return found._replace(counted_for=place)
        if found.unknown:
            raise self._unknown(found.unknown[0])
        raise RefusedRequestError.of(found.refused[0])

    def _take(self, read: ReadLabels, found: FoundParts) -> web.Response:
        """Queue the labels that could be read, count those that could not, and respond.

        Raises:
            RefusedRequestError: The queue is full, or the process ends. Nothing of the body is taken or counted.
            PayloadError: Nothing of the only body could be read. Nothing is counted.
        """
        self._check_draining()
        if read.refusal is not None and found.is_one:
            raise read.refusal
        if not self._matcher.offer(read.groups):
            queued, more, most = self._matcher.waiting, read.accepted, self._matcher.most
            sentence = (
                f"Too many labels wait: {queued:,} are queued, and with the {more:,} of the body they would be more "
                f"than {most:,}. Nothing of the body was taken."
            )
            raise RefusedRequestError(HTTPStatus.SERVICE_UNAVAILABLE, sentence)
        unknown, refused = len(found.unknown), len(found.refused)
        for model, number in read.malformed.items():
            self._matcher.count_rejected(model, malformed=number)
        if found.counted_for is not None:
            self._matcher.count_rejected(found.counted_for, malformed=refused, unknown=unknown)
        sentences = [*read.sentences, *(event.sentence for event in found.refused)]
        if sentences:
            self._losses.add("labels were malformed", (read.sentences or ["an event has none that can be read."])[0])
        malformed = sum(read.malformed.values()) + refused
        rejected = {"malformed": malformed} | ({"unknown_model": unknown} if unknown else {})
        reply: dict[str, object] = {"accepted": read.accepted, "rejected": rejected}
        if sentences:
            reply["sentences"] = sentences[:SENTENCES]
        useless = not read.accepted and malformed + unknown > 0
        return _json(HTTPStatus.BAD_REQUEST if useless else HTTPStatus.ACCEPTED, reply)


def _refuse_token() -> web.Response:
    return _error(HTTPStatus.UNAUTHORIZED, "labels need a valid token")


async def _refuse_path(request: web.Request) -> web.Response:
    """Respond to any other path or method."""
    if request.path != "/labels":
        return _error(HTTPStatus.NOT_FOUND, "Labels are posted to /labels.")
    response = _error(HTTPStatus.METHOD_NOT_ALLOWED, "Labels are posted: the method is POST.")
    response.headers["Allow"] = "POST"
    return response


def _error(status: HTTPStatus, sentence: str) -> web.Response:
    response = _json(status, {"error": sentence})
    if status is HTTPStatus.SERVICE_UNAVAILABLE:
        response.headers["Retry-After"] = str(RETRY_SECONDS)
    return response


def _json(status: HTTPStatus, content: object) -> web.Response:
    return web.Response(status=status, text=json.dumps(content) + "\n", content_type="application/json")
