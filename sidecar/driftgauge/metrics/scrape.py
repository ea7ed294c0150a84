"""The page of metrics as a scraper asks for it. Making it takes tens of milliseconds: not on the event loop."""

from collections.abc import Callable
from typing import NamedTuple

from prometheus_client import CollectorRegistry, make_wsgi_app


class Scrape(NamedTuple):
    """A page.

    Args:
        status: Of the answer.
        headers: Its lines, the content type among them.
        body: The page, perhaps compressed.
    """

    status: int
    headers: dict[str, str]
    body: bytes


def scraper(registry: CollectorRegistry) -> Callable[[str, str, str], Scrape]:
    """What makes the page of a registry; may be called from any thread.

    Args:
        registry: What is scraped.

    Returns:
        A function of the headers `Accept` and `Accept-Encoding`, and of the query, which may pick families by
        `name[]`: the formats and choices of the client library.
    """
    app = make_wsgi_app(registry)

    def scrape(accept: str, accept_encoding: str, query: str) -> Scrape:
        reported: list[tuple[str, list[tuple[str, str]]]] = []
        environ = {
            "REQUEST_METHOD": "GET",
            "PATH_INFO": "/metrics",
            "QUERY_STRING": query,
            "HTTP_ACCEPT": accept,
            "HTTP_ACCEPT_ENCODING": accept_encoding,
        }
        body = b"".join(app(environ, lambda status, headers: reported.append((status, headers))))
        ((status, headers),) = reported
        return Scrape(int(status.split()[0]), dict(headers), body)

    return scrape
