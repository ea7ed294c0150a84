"""Who may use the ports: tokens and certificates, from the options."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import final

from pydantic import SecretStr

from driftgauge.config.options import Config, LoggerConfig
from driftgauge.http1.heads import RequestHead
from driftgauge.metrics.loss_log import LossLog
from driftgauge.metrics.registry import Metrics
from driftgauge.server.reloaded_files import Reloadable, ReloadedFiles
from driftgauge.server.tls import Contexts, HandshakeFailure, Tls, make_contexts
from driftgauge.server.tokens import Tokens

DATA, ADMIN, LABELS = "data", "admin", "labels"
"""The values of the label `port`."""


@final
class Guard:
    """Decides whether a request presents a valid token, and counts and logs those that do not.

    Args:
        port: The value of the label.
        tokens: The valid tokens.
        metrics: Where refused requests are counted, from 0.
        losses: Where they are logged.
    """

    def __init__(self, port: str, tokens: Tokens, metrics: Metrics, losses: LossLog) -> None:
        self._port = port
        self._tokens = tokens
        self._losses = losses
        self._refused = metrics.unauthorized_requests.labels(port)

    def admits(self, fields: Mapping[bytes, bytes], target: bytes = b"") -> bool:
        """Whether a request presents a valid token: in its header, or in the query of its target."""
        is_admitted = self._tokens.admits(fields, target)
        if not is_admitted:
            self._refused.inc()
            what = (
                "a token that is not valid" if b"authorization" in fields or b"access_token" in target else "no token"
            )
            self._losses.add(f"a request to the {self._port} port was refused with 401", f"it presents {what}")
        return is_admitted

    def admits_head(self, head: RequestHead) -> bool:
        """Whether the request of a head presents a valid token."""
        return self.admits(head.fields, head.target)

    def admits_authorization(self, authorization: str | None) -> bool:
        """Whether the value of an `Authorization` header has a valid token."""
        if authorization is None:
            return self.admits({})
        return self.admits({b"authorization": authorization.encode("utf-8", "surrogateescape")})


@dataclass(frozen=True, slots=True)
class Trust:
    """What protects the ports; `None` where the options ask for nothing.

    Args:
        data_guard: Asks senders of events for tokens.
        admin_guard: Asks clients of the admin port for tokens.
        labels_guard: Asks those who post labels for tokens.
        data_tls: TLS of the data port.
        admin_tls: TLS of the admin port.
        labels_tls: TLS of the labels port.
        files: What to read again when it changes.
    """

    data_guard: Guard | None
    admin_guard: Guard | None
    labels_guard: Guard | None
    data_tls: Tls | None
    admin_tls: Tls | None
    labels_tls: Tls | None
    files: tuple[Reloadable, ...]


def make_trust(config: Config, metrics: Metrics) -> Trust:
    """Read the files of the options.

    Raises:
        ConfigError: One of them cannot be used.
    """
    _start_series(metrics, (DATA, ADMIN, LABELS) if config.labels_port else (DATA, ADMIN))
    tokens = None
    if isinstance(config, LoggerConfig):
        tokens = _make_tokens("token", config.token_file, config.token)
    admin_tokens = _make_tokens("admin_token", config.admin_token_file, config.admin_token)
    labels_tokens = _make_tokens("labels_token", config.labels_token_file, config.labels_token)
    contexts = _make_contexts(config)
    losses = LossLog()

    def guard(port: str, own: Tokens | None) -> Guard | None:
        return None if own is None else Guard(port, own, metrics, losses)

    def tls(port: str) -> Tls | None:
        return None if contexts is None else _make_tls(metrics, port, contexts)

    files: list[Reloadable] = [one for one in (tokens, admin_tokens, labels_tokens, contexts) if one is not None]
    return Trust(
        guard(DATA, tokens),
        guard(ADMIN, admin_tokens),
        guard(LABELS, labels_tokens),
        tls(DATA),
        tls(ADMIN),
        tls(LABELS),
        tuple(files),
    )


def _make_tokens(option: str, path: Path | None, own: SecretStr | None) -> Tokens | None:
    if path is None and own is None:
        return None
    name = f"{option}_file" if path is not None else option
    return Tokens(name, path, None if own is None else own.get_secret_value())


def _make_contexts(config: Config) -> ReloadedFiles[Contexts] | None:
    cert, key, client_ca = config.tls_cert_file, config.tls_key_file, config.tls_client_ca_file
    if cert is None or key is None:
        return None
    paths = [cert, key] if client_ca is None else [cert, key, client_ca]
    return ReloadedFiles("tls_cert_file, tls_key_file", paths, lambda: make_contexts(cert, key, client_ca))


def _make_tls(metrics: Metrics, port: str, contexts: ReloadedFiles[Contexts]) -> Tls:
    return Tls(
        lambda: contexts.value.data if port == DATA else contexts.value.admin,
        lambda failure: metrics.failed_handshakes.labels(port, failure).inc(),
    )


def _start_series(metrics: Metrics, ports: Sequence[str]) -> None:
    """Start all series at 0, so that `rate` sees the first refusal."""
    for port in ports:
        metrics.unauthorized_requests.labels(port)
        for failure in HandshakeFailure:
            metrics.failed_handshakes.labels(port, failure)
