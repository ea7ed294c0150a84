"""The response to a scrape. Rendering it takes tens of milliseconds, so the admin server does it in a thread."""

import gzip
from typing import NamedTuple
from urllib.parse import parse_qs

from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder


class Scrape(NamedTuple):
    """The response to a scrape.

    Args:
        headers: The header fields.
        body: All families in text, compressed if the scraper accepts gzip.
    """

    headers: dict[str, str]
    body: bytes


def render_scrape(registry: CollectorRegistry, accept: str, accept_encoding: str, query: str) -> Scrape:
    """Render the families of a registry; may be called from any thread.

    Args:
        registry: What is scraped.
        accept: The header `Accept`, which chooses the format; empty without one.
        accept_encoding: The header `Accept-Encoding`; empty without one.
        query: The query, which may select sample names by `name[]`.
    """
    encode, content_type = choose_encoder(accept)
    names = parse_qs(query).get("name[]")
    body = encode(registry if names is None else registry.restricted_registry(names))
    headers = {"Content-Type": content_type}
    if any(coding.split(";")[0].strip().lower() == "gzip" for coding in accept_encoding.split(",")):
        body, headers["Content-Encoding"] = gzip.compress(body), "gzip"
    return Scrape(headers, body)
