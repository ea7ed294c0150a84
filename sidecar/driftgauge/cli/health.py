"""Asks the admin port of the same container whether the process lives."""

import ssl
from collections.abc import Sequence
from http import HTTPStatus
from http.client import HTTPException
from urllib.error import URLError
from urllib.request import urlopen

_HOSTS = ("127.0.0.1", "[::1]")
"""The option host may be either, and `::` alone does not listen on 127.0.0.1."""

_SECONDS = 3


def find_faults(port: int) -> Sequence[str]:
    """Why no process on a port is healthy, by address; empty if one is.

    With and without TLS, since flags and files of the process, which may ask for it, are not read here.
    """
    faults = []
    for host in _HOSTS:
        fault = _fault(f"http://{host}:{port}/healthz")
        if fault.startswith("no HTTP"):
            fault = _fault(f"https://{host}:{port}/healthz")
        if not fault:
            return []
        faults.append(f"{host}: {fault}")
    return faults


def _fault(url: str) -> str:
    """Why a URL does not say that the process is healthy; empty if it does."""
    try:
        with urlopen(url, timeout=_SECONDS, context=_any_certificate()) as response:  # noqa: S310 - the scheme is ours
            return "" if response.status == HTTPStatus.OK else f"status {response.status}"
    except URLError as error:
        is_reset = isinstance(error.reason, ConnectionResetError)
        return f"no HTTP response ({error})" if is_reset else str(error)
    except (HTTPException, ConnectionError) as error:
        return f"no HTTP response ({type(error).__name__})"
    except OSError as error:
        return str(error)


def _any_certificate() -> ssl.SSLContext:
    """A context for the loopback address, where no certificate has the name and nothing secret is sent."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
