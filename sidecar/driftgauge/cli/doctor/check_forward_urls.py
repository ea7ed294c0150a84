"""Whether `forward_url` and `event_url` can be reached: by a connection alone, since an event would be one too many."""

import asyncio
import os
import socket
import ssl
from typing import Final
from urllib.parse import urlsplit

from driftgauge.app.event_parts import trusted_context
from driftgauge.cli.doctor.finding import Finding, fail, ok
from driftgauge.config.options import Config, LoggerConfig, split_urls
from driftgauge.errors import ConfigError
from driftgauge.metrics.forward_counts import shown_targets

_FORWARD, _EVENT = "forward_url", "event_url"
_SECONDS: Final = 5.0
"""Time for one connection, its handshake included."""

_PORTS: Final = {"http": 80, "https": 443}


async def check_forward_urls(config: LoggerConfig) -> list[Finding]:
    """Connect to each target, with TLS where its URL has https, and send nothing."""
    urls = split_urls(config.forward_url)
    shown = shown_targets(urls)
    return list(await asyncio.gather(*(_check(_FORWARD, url, name) for url, name in zip(urls, shown, strict=True))))


async def check_event_url(config: Config) -> list[Finding]:
    """Connect to the receiver of events, with TLS where its URL has https, and send nothing."""
    if config.event_url is None:
        return []
    url = config.event_url.get_secret_value()
    try:
        trusted = trusted_context(config)
    except ConfigError as error:
        return [fail(_EVENT, str(error))]
    return [await _check(_EVENT, url, shown_targets([url])[0], trusted)]


async def _check(option: str, url: str, shown: str, trusted: ssl.SSLContext | None = None) -> Finding:
    """Connect to one target.

    Args:
        option: The option that names it.
        url: Its URL.
        shown: The URL without what may be a secret.
        trusted: The certificates that are trusted; `None` for those of the system.
    """
    parts = urlsplit(url)
    port = parts.port or _PORTS[parts.scheme]
    has_tls = parts.scheme == "https"
    try:
        async with asyncio.timeout(_SECONDS):
            context = (trusted or ssl.create_default_context()) if has_tls else None
            _, writer = await asyncio.open_connection(parts.hostname, port, ssl=context)
            writer.close()
    except (OSError, ValueError) as error:  # of a TimeoutError and of TLS too; ValueError of a host that is no name
        return fail(option, f"{shown} {_fault(error, port)}")
    protocol = "TLS" if has_tls else "TCP"
    return ok(option, f"{shown} can be reached by {protocol}; no event was sent, so whether it takes them is not known")


def _fault(error: Exception, port: int) -> str:
    """What is wrong, and what to do, as it reads after the URL."""
    match error:
        case TimeoutError():
            return f"gave no connection to port {port} within {_SECONDS:g} s: check networkPolicy.egress of the chart"
        case ssl.SSLCertVerificationError():
            return f"has a certificate that is not accepted ({error.verify_message}): use one of a known authority"
        case ssl.SSLError():
            return f"does not speak TLS at port {port} ({error.reason}): write http, or another port"
        case socket.gaierror() | UnicodeError():
            return "has a host name that cannot be resolved: check it, and that DNS is reachable"
        case OSError() if error.errno:
            return (
                f"gives no connection to port {port} ({os.strerror(error.errno)}): check host, port and NetworkPolicy"
            )
    return f"gives no connection to port {port} ({error}): check host, port and NetworkPolicy"
