"""A process of driftgauge that a command talks to: its address, its token, and whom to trust as its authority."""

import argparse
import os
import ssl
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlencode, urlsplit

from driftgauge.errors import ConfigError
from driftgauge.server.reloaded_files import read_file


def model_address(known: argparse.Namespace, option: str, path_of: Callable[[str], str], **more: str) -> str:
    """The address of a port, with the names of a model as its query.

    Args:
        known: The parsed command line: the option with the URL of the port, and the names.
        option: The name of that option.
        path_of: Makes the path of the address from that of the URL, which has no slash at its end.
        more: Further parameters of the query. Those that are empty are left out.

    Raises:
        ConfigError: It is no URL of HTTP.
    """
    parts = urlsplit(getattr(known, option))
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.fragment:
        raise ConfigError([f"{option}: must be http://host:port or https://host:port, without a query"])
    names = {
        "namespace": known.namespace,
        "inference_service": known.inference_service,
        "component": known.component,
        "model_name": known.model,
        "revision": known.revision,
        **more,
    }
    query = urlencode({name: value for name, value in names.items() if value})
    return str(parts._replace(path=path_of(str(parts.path).rstrip("/")), query=query).geturl())


def read_token(path: Path | None, variable: str) -> str | None:
    """The bearer token: the first of a file, else that of the environment.

    Args:
        path: The file, if any.
        variable: The variable of the environment.

    Raises:
        ConfigError: The file has none.
    """
    if path is None:
        return os.environ.get(variable) or None
    try:
        tokens = read_file(path).decode("ascii").split()
    except ValueError as error:
        raise ConfigError([f"token_file: {error}"]) from None
    if not tokens:
        raise ConfigError([f"token_file: {path} has no token"])
    return tokens[0]


def trusting(path: Path | None) -> ssl.SSLContext | None:
    """Trust the authorities of a file; `None` for those of the system.

    Raises:
        ConfigError: The file cannot be used.
    """
    if path is None:
        return None
    try:
        return ssl.create_default_context(cafile=str(path))
    except OSError as error:  # of which an error of TLS is one
        raise ConfigError([f"ca_file: {path} cannot be used ({error.strerror or error})"]) from None
