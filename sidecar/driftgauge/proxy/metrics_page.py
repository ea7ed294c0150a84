"""`/metrics` on the data port, where the operator asks for it: the model server's page and ours in one scrape."""

import asyncio
import logging
import re
from collections.abc import Callable

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4

from driftgauge.concurrency.worker import Worker
from driftgauge.errors import PayloadError
from driftgauge.http1.framing import HeaderList, HeaderMap
from driftgauge.http1.heads import RequestHead, ResponseHead
from driftgauge.http1.http_errors import BAD_REQUEST, FAULT, TIMED_OUT, BadResponseError, ExchangeError
from driftgauge.http1.writing import connection_line, error_response, own_head
from driftgauge.protocol.decode import unpack
from driftgauge.proxy.interfaces import ClientWriter
from driftgauge.proxy.metrics_merge import NotClassicTextError, Rest, joined, names_of
from driftgauge.proxy.upstream_connection import UpstreamConnection
from driftgauge.proxy.upstream_pool import Upstream
from driftgauge.server.listener import DrainState

_log = logging.getLogger("driftgauge.proxy")

MAX_PAGE_BYTES = 4 * 1024 * 1024
"""Longest page of metrics that is taken from the model server, unpacked: some 40,000 series."""

PAGE_SECONDS = 5.0
"""How long the model server may take for it: half of Prometheus' own limit of 10 s for a scrape."""

_TARGET = b"/metrics"
_OK = 200
_DECIMAL = re.compile(rb"\d{1,9}(\.\d{1,9})?")
_ASKED = (b"Accept: text/plain;version=0.0.4", b"Accept-Encoding: identity")


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
    """

    def __init__(self, upstream: Upstream, registry: CollectorRegistry) -> None:
        self._upstream = upstream
        self._registry = registry
        self._reading = asyncio.Lock()
        self._worker = Worker("metrics page")
        self._tasks: set[asyncio.Task[bytes]] = set()

    @staticmethod
    def is_asked_by(head: RequestHead) -> bool:
        """Whether a request is one for this page; one with a query is not."""
        return head.target == _TARGET and head.method in {b"GET", b"HEAD"}

    def talk(self, head: RequestHead, client: ClientWriter, closing: DrainState) -> "PageTalk":
        """See to a request for it."""
        return PageTalk(head, client, closing, self._begin)

    async def close(self) -> None:
        """Wait for what was asked and is not wanted any longer."""
        if self._tasks:
            await asyncio.wait(self._tasks)
        self._worker.close()

    def _begin(self, asked: HeaderMap) -> asyncio.Task[bytes]:
        task = asyncio.get_running_loop().create_task(self._page(asked))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _page(self, asked: HeaderMap) -> bytes:
        theirs, taken, remarks = b"", frozenset[str](), list[str]()
        try:
            theirs, taken = await self._theirs(asked)
        except NoPageError as error:
            remarks = [f"the model server's metrics are left out: {error}"]
        async with self._reading:
            return await self._worker.run(self._merged, theirs, taken, remarks)

    def _merged(self, theirs: bytes, taken: frozenset[str], remarks: list[str]) -> bytes:
        """One page; in a thread, since it takes long."""
        rest = Rest(self._registry.collect(), taken)
        if rest.left_out:
            remarks = [f"left to the model server: {' '.join(rest.left_out)}"]
        return joined(theirs, generate_latest(rest), remarks)

    async def _theirs(self, asked: HeaderMap) -> tuple[bytes, frozenset[str]]:
        """The model server's page, and its names."""
        try:
            async with asyncio.timeout(_timeout_seconds(asked)):
                page = unpack(await self._fetch(asked), MAX_PAGE_BYTES)
                # In a thread, so that no inference waits for a long page; one at a time, so that none waits for many.
                async with self._reading:
                    return page, await self._worker.run(names_of, page)
        except ExchangeError as error:
            raise NoPageError(error.sentence) from error
        except TimeoutError as error:
            raise NoPageError(f"The model server at {self._upstream.authority} did not answer in time.") from error
        except (OSError, BadResponseError) as error:
            raise NoPageError(f"The model server at {self._upstream.authority} broke off.") from error
        except (PayloadError, NotClassicTextError) as error:
            raise NoPageError(str(error)) from error

    async def _fetch(self, asked: HeaderMap) -> bytes:
        """What the model server answers; asked once more if a connection from the pool turns out to be closed."""
        link = self._upstream.take()
        if link is not None:
            try:
                return await self._exchange(link, asked)
            except ConnectionError:
                pass
        return await self._exchange(await self._upstream.connect(), asked)

    async def _exchange(self, link: UpstreamConnection, asked: HeaderMap) -> bytes:
        page = _Page()
        lines = [b"Host: " + self._upstream.authority.encode(), *_ASKED]
        if b"authorization" in asked:
            lines.append(b"Authorization: " + asked[b"authorization"])
        link.begin(b"GET", page)
        link.write(b"GET %b HTTP/1.1\r\n%b\r\n\r\n" % (_TARGET, b"\r\n".join(lines)))
        try:
            found = await page.whole
        except BaseException:
            link.abort()
            raise
        self._upstream.release(link)
        return found


class _Page:
    """Waits for an answer that is a page, perhaps compressed; see `ResponseHandler`."""

    def __init__(self) -> None:
        self.whole: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self._found = bytearray()

    def response_head(self, head: ResponseHead) -> None:
        """It must be one of a page."""
        if not head.is_final:
            return
        if head.status != _OK:
            self.failed(NoPageError(f"it answered {head.status}."))
        elif head.fields.get(b"content-type", b"").startswith(b"application/openmetrics-text"):
            self.failed(NoPageError("it answered in OpenMetrics, though asked for classic text."))

    def response_piece(self, data: bytes) -> None:
        """It must not be too long."""
        if self.whole.done():
            return
        self._found += data
        if len(self._found) > MAX_PAGE_BYTES:
            self.failed(NoPageError(f"it is longer than {MAX_PAGE_BYTES} bytes."))

    def response_flush(self) -> None:
        """More is to come."""

    def response_end(self, trailers: HeaderList) -> None:  # noqa: ARG002 - a page has no use for them
        """It is whole."""
        if not self.whole.done():
            self.whole.set_result(bytes(self._found))

    def failed(self, error: Exception) -> None:
        """There is no page."""
        if not self.whole.done():
            self.whole.set_exception(error)

    def link_full(self, *, full: bool) -> None:
        """A few lines always fit."""

    def fault(self) -> None:
        """There is no page."""
        self.failed(NoPageError("the proxy met an error."))


class PageTalk:
    """One request for the page on a client's connection; see `RequestHandler`.

    Args:
        head: The request's.
        client: Who asked.
        closing: How far the proxy is on its way out.
        begin: Begins to make the page.
    """

    def __init__(
        self,
        head: RequestHead,
        client: ClientWriter,
        closing: DrainState,
        begin: Callable[[HeaderMap], asyncio.Task[bytes]],
    ) -> None:
        self.response_started = False
        self.has_responded = False
        self._head = head
        self._client = client
        self._closing = closing
        self._begin = begin
        self._task: asyncio.Task[bytes] | None = None

    def request_piece(self, data: bytes) -> None:
        """A body means nothing here."""

    def request_end(self, trailers: HeaderList) -> None:  # noqa: ARG002 - as the body
        """Make the page."""
        self._task = self._begin(self._head.fields)
        self._task.add_done_callback(self._response)

    def flush(self) -> None:
        """Nothing is passed on."""

    def request_broken(self) -> None:
        """The body means nothing, but where it ends does."""
        self._say(*error_response(BAD_REQUEST, "The framing of the request body is malformed.", stays=False))

    def request_late(self) -> None:
        """The client is too slow with its body."""
        self._say(*error_response(TIMED_OUT, "The request body did not come in time.", stays=False))

    def client_full(self, *, full: bool) -> None:
        """The page is in memory anyway."""

    def client_left(self) -> None:
        """Nobody waits for it."""
        self.has_responded = True
        if self._task is not None:
            self._task.cancel()

    def cut(self) -> None:
        """The proxy closes."""
        self.client_left()

    def fault(self) -> None:
        """The proxy itself met an error."""
        self._say(*error_response(FAULT, "The proxy met an error.", stays=False))

    def _response(self, task: asyncio.Task[bytes]) -> None:
        if task.cancelled() or self.has_responded:
            return
        if (error := task.exception()) is not None:
            _log.error("the page of metrics met a fault of the proxy", exc_info=error)
            self.fault()
            return
        body = task.result()
        stays = self._head.keeps and not self._closing.draining
        line = connection_line(stays=stays, http11=self._head.http11)
        self._say(own_head(_OK, CONTENT_TYPE_PLAIN_0_0_4.encode(), len(body), line), body, stays=stays)

    def _say(self, head: bytes, body: bytes, *, stays: bool = False) -> None:
        self.response_started = self.has_responded = True
        self._client.say(head if self._head.method == b"HEAD" else head + body)
        self._client.over(stays=stays)


def _timeout_seconds(asked: HeaderMap) -> float:
    """How long the model server may take: half of what the scraper allows, so that ours arrive without theirs.

    Source: `X-Prometheus-Scrape-Timeout-Seconds`, which Prometheus sends with every scrape.
    """
    reported = asked.get(b"x-prometheus-scrape-timeout-seconds", b"")
    return min(PAGE_SECONDS, float(reported) / 2) if _DECIMAL.fullmatch(reported) else PAGE_SECONDS
