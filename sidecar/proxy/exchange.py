"""One request on its way to the model server, and its answer on the way back."""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, field

from aiohttp import web

from sidecar.proxy.client import BrokenBodyError, Client, ClientConnection, ClientLeftError, Written, error_answer
from sidecar.proxy.heads import BadHeadError, Framing, answer_framing, answer_head, request_head
from sidecar.proxy.tally import Tally
from sidecar.proxy.upstream import TROUBLE, Answer, ExchangeError, Link, Upstream

_log = logging.getLogger("sidecar.proxy")

_SILENCE_SECONDS = 10.0
"""Least time between two log lines about the model server."""

_CLIENT_LEFT = 499
_CUT_OFF = 503
_BAD_REQUEST = 400
_BAD_GATEWAY = 502
_FAULT = 500
_FIRST_SERVER_ERROR = 500
"""From here on the connection is not used again: uvicorn closes it after an error of its model, without saying so."""

_REPEATABLE = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
"""Safe methods: sent once more if a connection from the pool turns out to be closed (RFC 9110 section 9.2.2)."""


@dataclass(slots=True)
class TroubleLog:
    """Tells of trouble with the model server: one line, then silence for a while.

    Args:
        timer: Seconds of a clock that never goes back.
    """

    timer: Callable[[], float]
    _next: float = field(default=float("-inf"), init=False)
    _untold: int = field(default=0, init=False)

    def tell(self, error: ExchangeError) -> None:
        """Log the error, or only count it."""
        now = self.timer()
        if now < self._next:
            self._untold += 1
            return
        _log.warning("%s (%d errors since the last line)", error.sentence, self._untold)
        self._next, self._untold = now + _SILENCE_SECONDS, 0


@dataclass(slots=True)
class Closing:
    """How far the proxy is on its way out.

    Args:
        draining: Clients are asked not to use their connections again.
        cut: Exchanges that have not ended are being ended.
    """

    draining: bool = False
    cut: bool = False


class Exchange:
    """Passes one request and its answer.

    Args:
        request: The request, whose body may still be coming.
        connection: Where it came from.
        upstream: Where it goes.
        tally: What is counted of it.
        closing: How far the proxy is on its way out.
        trouble: Where trouble is told.
    """

    def __init__(
        self,
        request: web.BaseRequest,
        connection: ClientConnection,
        upstream: Upstream,
        tally: Tally,
        closing: Closing,
        trouble: TroubleLog,
    ) -> None:
        self._request = request
        self._connection = connection
        self._upstream = upstream
        self._tally = tally
        self._closing = closing
        self._trouble = trouble
        self._client = Client(request, connection)
        self._link: Link | None = None
        self._upload: asyncio.Task[None] | None = None
        self._out = Framing.CHUNKED if "Transfer-Encoding" in request.headers else Framing.LENGTH
        self._in = Framing.NONE
        self._link_stays = False

    async def run(self) -> web.StreamResponse:
        """Do it all; every end is counted once."""
        status, stays = _FAULT, False
        try:
            status, stays = await self._relay()
        except ClientLeftError:
            status = _CLIENT_LEFT
        except asyncio.CancelledError:
            status = _CUT_OFF if self._closing.cut else _CLIENT_LEFT
            raise
        finally:
            await self._let_go()
            self._tally.finish(status)
        return Written(status, stays=stays)

    async def _relay(self) -> tuple[int, bool]:
        try:
            return await self._reply(await self._ask())
        except ExchangeError as error:
            return self._fail(error)
        except TROUBLE as error:
            return self._fail(self._upstream.trouble(error))

    async def _ask(self) -> Answer:
        """Send the request and wait for the answer's head; the body may follow meanwhile."""
        while True:
            link = self._link = await self._upstream.link()
            link.begin(self._request.method)
            try:
                self._send(link)
                return await link.answer(self._continue)
            except TROUBLE as error:
                if isinstance(error, TimeoutError) or not (link.reused and self._is_repeatable):
                    raise
                link.abort()

    def _send(self, link: Link) -> None:
        request, content = self._request, self._request.content
        target = request.raw_path.encode("utf-8", "surrogateescape")
        head = request_head(request.method, target, request.raw_headers, self._upstream.authority.encode())
        if content.is_eof():
            piece = content.read_nowait()
            self._tally.request_piece(piece)
            self._tally.request_complete()
            link.write(head + self._out.frame(piece) + self._out.end)
            link.limit_silence(self._upstream.timeout_seconds)
        else:
            link.write(head)
            if self._client.expects_continue:
                link.limit_silence(self._upstream.timeout_seconds)
            self._upload = asyncio.create_task(self._send_body(link))
        self._tally.forwarded()

    async def _send_body(self, link: Link) -> None:
        """Pass the request's body on. What goes wrong is told to the reader of the answer, which decides."""
        content, silence_seconds = self._request.content, self._upstream.timeout_seconds
        try:
            while piece := await content.readany():
                link.limit_silence(None)
                self._tally.request_piece(piece)
                await link.hear()
                link.write(self._out.frame(piece))
                await link.drain(silence_seconds)
            self._tally.request_complete()
            link.write(self._out.end)
            link.limit_silence(silence_seconds)
        except BrokenBodyError:
            link.fail(ExchangeError(_BAD_REQUEST, "The framing of the request body is malformed."))
        except TimeoutError as error:
            link.fail(error)
        except ConnectionError:
            return  # whichever side is gone, the reader hears of it: by its link, or by being cancelled

    def _continue(self) -> None:
        if self._link is not None and self._is_uploading:
            self._link.limit_silence(None)
            self._client.say_continue()

    async def _reply(self, answer: Answer) -> tuple[int, bool]:
        head, headers = answer.head, answer.head.raw_headers
        self._tally.answer_begins(head.code, headers)
        http11 = self._client.understands_chunks
        self._in = answer_framing(self._request.method, head.code, headers, chunked=head.chunked, http11=http11)
        stays = self._in is not Framing.CLOSE and self._may_stay
        reason = head.reason.encode("utf-8", "surrogateescape")
        try:
            data = answer_head(head.code, reason, headers, self._in, self._client.connection_line(stays=stays))
        except BadHeadError as error:
            raise ExchangeError(_BAD_GATEWAY, f"The answer of {self._upstream.authority} is malformed.") from error
        await self._stream(data, answer)
        return head.code, stays

    async def _stream(self, data: bytes, answer: Answer) -> None:
        """Pass the answer on, each piece when it comes; what has come already goes out with the head."""
        body = answer.body
        data += self._piece(body.read_nowait())
        while not body.at_eof():
            self._client.say(data)
            await self._client.drain()
            data = self._piece(await body.readany())
        if (error := body.exception()) is not None:
            raise error
        self._link_stays = answer.head.code < _FIRST_SERVER_ERROR
        self._tally.answer_complete()
        self._client.say(data + self._in.end)
        self._tally.handed()
        await self._client.drain()

    def _piece(self, data: bytes) -> bytes:
        self._tally.answer_piece(data)
        return self._in.frame(data)

    def _fail(self, error: ExchangeError) -> tuple[int, bool]:
        if error.status != _BAD_REQUEST:
            self._trouble.tell(error)
        if self._client.spoken_to:
            self._client.break_off(self._in)
            return error.status, False
        stays = self._may_stay
        head_only = self._request.method == "HEAD"
        head, body = error_answer(error.status, error.sentence, stays=stays, head_only=head_only)
        self._tally.replaced(body)
        self._client.say(head + body)
        self._tally.handed()
        return error.status, stays

    async def _let_go(self) -> None:
        """Keep the connection to the model server if both bodies are through, else close it at once."""
        link, upload = self._link, self._upload
        if link is not None:
            if self._link_stays and not self._is_uploading:
                self._upstream.release(link)
            else:
                link.abort()
        if upload is not None and not upload.done():
            upload.cancel()
            await asyncio.wait({upload})

    @property
    def _is_uploading(self) -> bool:
        return self._upload is not None and not self._upload.done()

    @property
    def _is_repeatable(self) -> bool:
        return self._request.method in _REPEATABLE and self._upload is None and not self._request.body_exists

    @property
    def _may_stay(self) -> bool:
        return not self._closing.draining and self._connection.can_stay(self._request)
