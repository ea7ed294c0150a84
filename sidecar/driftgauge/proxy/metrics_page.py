"""`/metrics` on the data port, if the operator enables it: the model server's page and ours in one scrape."""

import asyncio
import logging
import re
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import final

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4

from driftgauge.concurrency.worker import Worker
from driftgauge.errors import PayloadError
from driftgauge.http1.grammar import BadResponseError, HeaderList, HeaderMap
from driftgauge.http1.heads import RequestHead, ResponseHead
from driftgauge.http1.writing import connection_line, error_response, own_head
from driftgauge.inference.request_ids import header_fields
from driftgauge.protocol.compression import unpack
from driftgauge.proxy.failures import ExchangeError
from driftgauge.proxy.interfaces import ClientWriter
from driftgauge.proxy.metrics_merge import NotClassicTextError, Rest, joined, names_of
from driftgauge.proxy.upstream_connection import UpstreamConnection
from driftgauge.proxy.upstream_pool import UpstreamPool

_log = logging.getLogger("driftgauge.proxy")

MAX_PAGE_BYTES = 4 * 1024 * 1024
"""Longest page of metrics that is accepted from the model server, unpacked: about 40,000 series."""

PAGE_SECONDS = 5.0
"""How long the model server may take for it: half of Prometheus' default limit of 10 s for a scrape."""

_TARGET = b"/metrics"
_DECIMAL = re.compile(rb"\d{1,9}(\.\d{1,9})?")
_ACCEPT_LINES = (b"Accept: text/plain;version=0.0.4", b"Accept-Encoding: identity")


class NoPageError(Exception):
    """The model server has no page that can be merged; the sentence says why."""


@final
class MetricsPage:
    """Responds to GET and HEAD of exactly `/metrics`, in the classic text format alone.

    Notes:
        qpext and Prometheus refuse or misread a mixture of formats, so OpenMetrics is neither requested nor returned,
        whatever the scraper accepts. A page of the model server that is not classic text would break the scrape of our
        families too: it is left out, and a comment line reports that.

    Args:
        pool: Connections to the model server.
        registry: Our families.
        pseudonym: What the `Via` line of the request to the model server calls this proxy.
    """

    def __init__(self, pool: UpstreamPool, registry: CollectorRegistry, pseudonym: bytes) -> None:
        self._pool = pool
        self._via_line = b"Via: 1.1 " + pseudonym
        self._registry = registry
        self._thread_lock = asyncio.Lock()
        self._worker = Worker("metrics page")
        self._tasks: set[asyncio.Task[bytes]] = set()

    @staticmethod
    def is_requested_by(head: RequestHead) -> bool:
        """Whether a request is for this page; one with a query is not."""
        return head.target == _TARGET and head.method in {b"GET", b"HEAD"}

    def handle(self, head: RequestHead, client: ClientWriter) -> "PageRequest":
        """Return the handler of a request for it."""
        return PageRequest(head, client, self._begin_page)

    async def close(self) -> None:
        """Wait for pages that are still being made."""
        if self._tasks:
            await asyncio.wait(self._tasks)
        self._worker.close()

    def _begin_page(self, fields: HeaderMap) -> asyncio.Task[bytes]:
        task = asyncio.get_running_loop().create_task(self._make_page(fields))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _make_page(self, fields: HeaderMap) -> bytes:
        theirs, taken, remarks = b"", frozenset[str](), list[str]()
        try:
            theirs, taken = await self._load_theirs(fields)
        except NoPageError as error:
            remarks = [f"the model server's metrics are left out: {error}"]
        async with self._thread_lock:
            return await self._worker.run(self._merge, theirs, taken, remarks)

    def _merge(self, theirs: bytes, taken: frozenset[str], remarks: list[str]) -> bytes:
        """Render one page; called in a thread, since it takes long."""
        rest = Rest(self._registry.collect(), taken)
        if rest.left_out:
            remarks = [f"left to the model server: {' '.join(rest.left_out)}"]
        return joined(theirs, generate_latest(rest), remarks)

    async def _load_theirs(self, fields: HeaderMap) -> tuple[bytes, frozenset[str]]:
        """Return the model server's page, and the names in it."""
        try:
            async with asyncio.timeout(_timeout_seconds(fields)):
                page = unpack(await self._fetch(fields), MAX_PAGE_BYTES)
                # In a thread, so that no inference waits for a long page; one at a time, so not for several.
                async with self._thread_lock:
                    return page, await self._worker.run(names_of, page)
        except ExchangeError as error:
            raise NoPageError(error.sentence) from error
        except TimeoutError as error:
            raise NoPageError(f"The model server at {self._pool.authority} did not respond in time.") from error
        except (OSError, BadResponseError) as error:
            raise NoPageError(
                f"The model server at {self._pool.authority} closed the connection before its response was complete."
            ) from error
        except (PayloadError, NotClassicTextError) as error:
            raise NoPageError(str(error)) from error

    async def _fetch(self, fields: HeaderMap) -> bytes:
        """Request the page; once more if a connection from the pool turns out to be closed."""
        connection = self._pool.take()
        if connection is not None:
            try:
                return await self._exchange(connection, fields)
            except ConnectionError:
                pass
        return await self._exchange(await self._pool.connect(), fields)

    async def _exchange(self, connection: UpstreamConnection, fields: HeaderMap) -> bytes:
        page = _PageResponse()
        lines = [b"Host: " + self._pool.authority.encode(), *_ACCEPT_LINES]
        if b"authorization" in fields:
            lines.append(b"Authorization: " + fields[b"authorization"])
        lines.append(self._via_line)
        connection.begin(b"GET", page)
        connection.write(b"GET %b HTTP/1.1\r\n%b\r\n\r\n" % (_TARGET, b"\r\n".join(lines)))
        try:
            found = await page.body
        except BaseException:
            connection.abort()
            raise
        self._pool.release(connection)
        return found


@final
class _PageResponse:
    """Collects a response that is a page, which may be compressed; see `ResponseHandler`."""

    def __init__(self) -> None:
        self.body: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self._found = bytearray()

    def on_response_head(self, head: ResponseHead) -> None:
        """Refuse a response that is not a page."""
        if not head.is_final:
            return
        if head.status != HTTPStatus.OK:
            self.on_upstream_error(NoPageError(f"it responded with {head.status}."))
        elif head.fields.get(b"content-type", b"").startswith(b"application/openmetrics-text"):
            self.on_upstream_error(NoPageError("it responded in OpenMetrics, though classic text was requested."))

    def on_response_body(self, data: bytes) -> None:
        """Collect the body, within the limit."""
        if self.body.done():
            return
        self._found += data
        if len(self._found) > MAX_PAGE_BYTES:
            self.on_upstream_error(NoPageError(f"it is longer than {MAX_PAGE_BYTES} bytes."))

    def flush_response(self) -> None:
        """Wait for more."""

    def on_response_end(self, trailers: HeaderList) -> None:  # noqa: ARG002 - trailers are not part of a page
        """Return the page."""
        if not self.body.done():
            self.body.set_result(bytes(self._found))

    def on_upstream_error(self, error: Exception) -> None:
        """Report that there is no page."""
        if not self.body.done():
            self.body.set_exception(error)

    def on_upstream_full(self, *, full: bool) -> None:
        """Ignore it: the request is a few lines."""

    @property
    def log_fields(self) -> Mapping[str, object]:
        """None: the request is our own."""
        return {}

    def on_internal_error(self) -> None:
        """Report that there is no page."""
        self.on_upstream_error(NoPageError("the proxy met an error."))


@final
class PageRequest:
    """One request for the page on a client's connection; see `RequestHandler`.

    Args:
        head: Head of the request.
        client: Connection of the client.
        begin_page: Begins to make the page for a request with these header fields.
    """

    def __init__(
        self,
        head: RequestHead,
        client: ClientWriter,
        begin_page: Callable[[HeaderMap], asyncio.Task[bytes]],
    ) -> None:
        self.response_started = False
        self.response_sent = False
        self._head = head
        self._client = client
        self._begin_page = begin_page
        self._task: asyncio.Task[bytes] | None = None

    def on_body(self, data: bytes) -> None:
        """Ignore the body."""

    def on_request_end(self, trailers: HeaderList) -> None:  # noqa: ARG002 - ignored as the body
        """Begin to make the page."""
        self._task = self._begin_page(self._head.fields)
        self._task.add_done_callback(self._on_page)

    def flush(self) -> None:
        """Forward nothing."""

    def on_framing_error(self) -> None:
        """Refuse a request whose end cannot be found."""
        self._respond(
            *error_response(HTTPStatus.BAD_REQUEST, "The framing of the request body is malformed.", keep_alive=False)
        )

    def on_timeout(self) -> None:
        """Refuse a request whose body comes too slowly."""
        self._respond(
            *error_response(HTTPStatus.REQUEST_TIMEOUT, "The request body did not come in time.", keep_alive=False)
        )

    def on_client_full(self, *, full: bool) -> None:
        """Ignore it: the page is in memory anyway."""

    def on_client_lost(self) -> None:
        """Stop making the page."""
        self.response_sent = True
        if self._task is not None:
            self._task.cancel()

    def on_shutdown(self) -> None:
        """Stop making the page."""
        self.on_client_lost()

    @property
    def log_fields(self) -> Mapping[str, object]:
        """The ids of the request, for a line of the log."""
        return header_fields(self._head.fields)

    def on_internal_error(self) -> None:
        """Respond after an exception in our code."""
        self._respond(*error_response(HTTPStatus.INTERNAL_SERVER_ERROR, "The proxy met an error.", keep_alive=False))

    def _on_page(self, task: asyncio.Task[bytes]) -> None:
        if task.cancelled() or self.response_sent:
            return
        if (error := task.exception()) is not None:
            text, fields = "the page of metrics failed because of a bug in driftgauge", self.log_fields
            _log.error(text, exc_info=error, extra={"fields": fields})
            self.on_internal_error()
            return
        body = task.result()
        keep_alive = self._head.keep_alive and not self._client.draining
        line = connection_line(keep_alive=keep_alive, http11=self._head.http11)
        self._respond(
            own_head(HTTPStatus.OK, CONTENT_TYPE_PLAIN_0_0_4.encode(), len(body), line), body, keep_alive=keep_alive
        )

    def _respond(self, head: bytes, body: bytes, *, keep_alive: bool = False) -> None:
        self.response_started = self.response_sent = True
        self._client.write(head if self._head.method == b"HEAD" else head + body)
        self._client.finish(keep_alive=keep_alive)


def _timeout_seconds(fields: HeaderMap) -> float:
    """How long the model server may take: half of what the scraper allows, so that our page arrives without theirs.

    Source: `X-Prometheus-Scrape-Timeout-Seconds`, which Prometheus sends with every scrape.
    """
    limit = fields.get(b"x-prometheus-scrape-timeout-seconds", b"")
    return min(PAGE_SECONDS, float(limit) / 2) if _DECIMAL.fullmatch(limit) else PAGE_SECONDS
