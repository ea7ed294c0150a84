"""Pages as responses: compressed where the client takes that, once for all readers of one page."""

import gzip

from aiohttp import web

from driftgauge.concurrency.worker import Worker
from driftgauge.http1.accept_encoding import takes_gzip

_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "frame-ancestors 'none'",
    "Content-Type": "text/html; charset=utf-8",
    "Referrer-Policy": "no-referrer",
    "Vary": "Accept-Encoding",
    "X-Content-Type-Options": "nosniff",
}
"""The rest of the policy is in the page itself, for pages in files; only a header can forbid frames."""

_LEVEL = 6
"""gzip's own default: a page of 2 MB takes some 50 ms and becomes a tenth."""


class HtmlResponses:
    """Makes responses of pages in the thread of the admin server, which has a low priority.

    Args:
        worker: The thread.
    """

    def __init__(self, worker: Worker) -> None:
        self._worker = worker
        self._newest = ("", b"")  # a page that many readers have open is compressed once

    async def make(self, text: str, request: web.Request, status: int = 200) -> web.Response:
        """Make the response of a page.

        Args:
            text: The page.
            request: What is responded to; its `Accept-Encoding` decides (RFC 9110, section 12.5.3).
            status: The status code.
        """
        if not takes_gzip(request.headers.get("Accept-Encoding", "")):
            return web.Response(status=status, body=await self._worker.run(text.encode), headers=_HEADERS)
        body = await self._worker.run(self._compress, text)
        return web.Response(status=status, body=body, headers=_HEADERS | {"Content-Encoding": "gzip"})

    def _compress(self, text: str) -> bytes:
        if self._newest[0] != text:
            self._newest = text, gzip.compress(text.encode(), _LEVEL, mtime=0)
        return self._newest[1]
