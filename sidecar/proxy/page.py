"""`/metrics` on the data port, where the operator asks for it: the model server's page and ours in one scrape."""

import asyncio
import re
from collections.abc import Callable

from aiohttp import web
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4

from sidecar.errors import PayloadError
from sidecar.protocol.compression import unpack
from sidecar.proxy.client import Client, ClientConnection, ClientLeftError, Written
from sidecar.proxy.heads import Framing, Headers, answer_head, first, request_head
from sidecar.proxy.limits import MAX_PAGE_BYTES, PAGE_SECONDS
from sidecar.proxy.merge import NotClassicTextError, Rest, joined, names_of
from sidecar.proxy.upstream import TROUBLE, Answer, ExchangeError, Link, Upstream

_TARGET = "/metrics"
_OK = 200
_PASSED_ON = frozenset({b"authorization"})
_DECIMAL = re.compile(rb"\d{1,9}(\.\d{1,9})?")
_ASKED = ((b"Accept", b"text/plain;version=0.0.4"), (b"Accept-Encoding", b"identity"))


class NoPageError(Exception):
    """The model server has no page that can be shown; the sentence says why."""


class MetricsPage:
    """Answers GET and HEAD of exactly `/metrics`, in the classic text format alone.

    Notes:
        qpext and Prometheus refuse or misread a mixture of formats, so OpenMetrics is neither asked for nor answered,
        whatever the scraper accepts. A page of the model server that is not classic text would spoil the scrape of our
        families too: it is left out, and a comment line says so.

    Args:
        upstream: The model server.
        registry: Our families.
        draining: Whether clients are asked not to use their connections again.
    """

    def __init__(self, upstream: Upstream, registry: CollectorRegistry, draining: Callable[[], bool]) -> None:
        self._upstream = upstream
        self._registry = registry
        self._draining = draining
        self._reading = asyncio.Lock()

    @staticmethod
    def is_asked_by(request: web.BaseRequest) -> bool:
        """Whether a request is one for this page; one with a query is not."""
        return request.raw_path == _TARGET and request.method in {"GET", "HEAD"}

    async def answer(self, request: web.BaseRequest, connection: ClientConnection) -> web.StreamResponse:
        """Gives the page to the client."""
        body = await self._page(request.raw_headers)
        client = Client(request, connection)
        stays = not self._draining() and connection.can_stay(request)
        length = b"%d" % len(body)
        headers = [(b"Content-Type", CONTENT_TYPE_PLAIN_0_0_4.encode()), (b"Content-Length", length)]
        head = answer_head(_OK, b"OK", headers, Framing.LENGTH, client.connection_line(stays=stays))
        try:
            client.say(head if request.method == "HEAD" else head + body)
            await client.drain()
        except ClientLeftError:
            stays = False
        return Written(_OK, stays=stays)

    async def _page(self, asked: Headers) -> bytes:
        theirs, taken, remarks = b"", frozenset[str](), list[str]()
        try:
            theirs, taken = await self._theirs(asked)
        except NoPageError as error:
            remarks = [f"the model server's metrics are left out: {error}"]
        rest = Rest(self._registry.collect(), taken)
        if rest.left_out:
            remarks = [f"left to the model server: {' '.join(rest.left_out)}"]
        return joined(theirs, generate_latest(rest), remarks)

    async def _theirs(self, asked: Headers) -> tuple[bytes, frozenset[str]]:
        """The model server's page, and its names."""
        try:
            async with asyncio.timeout(_patience_seconds(asked)):
                page = unpack(await self._fetch(asked), MAX_PAGE_BYTES)
                # In a thread, so that no inference waits for a long page; one at a time, so that none waits for many.
                async with self._reading:
                    return page, await asyncio.to_thread(names_of, page)
        except (ExchangeError, *TROUBLE) as error:
            raise NoPageError(self._upstream.trouble(error).sentence) from error
        except (PayloadError, NotClassicTextError) as error:
            raise NoPageError(str(error)) from error

    async def _fetch(self, asked: Headers) -> bytes:
        """What the model server answers; asked once more if a connection from the pool turns out to be closed."""
        while True:
            link = await self._upstream.link()
            try:
                return await self._exchange(link, asked)
            except TROUBLE:
                if not link.reused:
                    raise

    async def _exchange(self, link: Link, asked: Headers) -> bytes:
        passed_on = [line for line in asked if line[0].lower() in _PASSED_ON]
        head = request_head("GET", _TARGET.encode(), [*_ASKED, *passed_on], self._upstream.authority.encode())
        try:
            link.begin("GET")
            link.write(head)
            page = await _read(await link.answer(lambda: None))
        except BaseException:
            link.abort()
            raise
        self._upstream.release(link)
        return page


async def _read(answer: Answer) -> bytes:
    """The body of an answer that is a page, perhaps compressed.

    Raises:
        NoPageError: It is none, or too long.
    """
    if answer.head.code != _OK:
        raise NoPageError(f"it answered {answer.head.code}.")
    if (first(answer.head.raw_headers, b"content-type") or b"").startswith(b"application/openmetrics-text"):
        raise NoPageError("it answered in OpenMetrics, though asked for classic text.")
    page = bytearray()
    while not answer.body.at_eof():
        page += await answer.body.readany()
        if len(page) > MAX_PAGE_BYTES:
            raise NoPageError(f"it is longer than {MAX_PAGE_BYTES} bytes.")
    if (error := answer.body.exception()) is not None:
        raise error
    return bytes(page)


def _patience_seconds(asked: Headers) -> float:
    """How long the model server may take: half of what the scraper allows, so that ours arrive without theirs.

    Source: `X-Prometheus-Scrape-Timeout-Seconds`, which Prometheus sends with every scrape.
    """
    told = first(asked, b"x-prometheus-scrape-timeout-seconds") or b""
    return min(PAGE_SECONDS, float(told) / 2) if _DECIMAL.fullmatch(told) else PAGE_SECONDS
