"""The parts that send events on changes of verdicts, which a process has only if it has a receiver for them."""

import ssl
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Final, final

from driftgauge.config.event_overrides import read_overrides
from driftgauge.config.options import Config
from driftgauge.errors import ConfigError
from driftgauge.events.event_message import Links
from driftgauge.events.event_sender import EventSender
from driftgauge.events.event_target import EventTarget
from driftgauge.events.model_changes import EVENT_TYPES, ChangeLimits
from driftgauge.events.outbox import Outbox, OutboxRules
from driftgauge.events.verdicts import verdicts_of
from driftgauge.metrics.forward_counts import shown_targets
from driftgauge.metrics.registry import Metrics
from driftgauge.results.latest import LatestEvaluations
from driftgauge.results.latest_outcomes import LatestOutcomes
from driftgauge.server.reloaded_files import Reloadable, ReloadedFiles, read_file
from driftgauge.storage.stream_states import StateStore

_SETTLE_INTERVALS: Final = 10
"""Evaluations for which a model must be without a verdict, or have one again, until that is a change."""

_REFRESHES: Final = 4
"""How often what is known of a model is saved in the time after which it would expire."""


@final
class EventParts:
    """Finds changes of verdicts, and sends their events.

    Args:
        config: The options.
        url: The receiver.
        states: Where events are saved.
        metrics: Where they are counted.
        latest: The newest evaluations.
        outcomes: The newest results on labelled predictions; `None` in a process that takes no labels.
        clock: Returns the time of the store in seconds since the epoch.

    Raises:
        ConfigError: A file of the options cannot be used.
    """

    def __init__(  # noqa: PLR0913 - the composition root names each
        self,
        config: Config,
        url: str,
        states: StateStore,
        *,
        metrics: Metrics,
        latest: LatestEvaluations,
        outcomes: LatestOutcomes | None,
        clock: Callable[[], float],
    ) -> None:
        self._is_kept = config.redis_url is not None
        limits = ChangeLimits(config.event_cooldown_seconds, _SETTLE_INTERVALS * config.evaluation_interval_seconds)
        links = Links(config.event_report_url.rstrip("/"), config.event_board_url, config.allow_capture)
        counts = metrics.watch_events(EVENT_TYPES)
        self.outbox = Outbox(
            states,
            partial(verdicts_of, latest=latest, outcomes=outcomes),
            OutboxRules(limits, config.ring_ttl_seconds / _REFRESHES, links),
            clock=clock,
            count=counts.count,
            on_replaced=metrics.count_replaced_key,
        )
        counts.show_pending(self.outbox.pending)
        token = _token_of(config.event_token_file)
        self.files: tuple[Reloadable, ...] = () if token is None else (token,)
        target = EventTarget(url, lambda: None if token is None else token.value, trusted_context(config))
        self.sender = EventSender(
            self.outbox,
            target,
            shown=shown_targets([url])[0],
            extensions=read_overrides(config.event_overrides),
            clock=clock,
        )

    async def close(self) -> None:
        """Send what is due, and forget the rest; the task of the sender must have ended."""
        await self.sender.close()
        self.outbox.close(is_kept=self._is_kept)


def trusted_context(config: Config) -> ssl.SSLContext | None:
    """Which certificates are trusted; `None` for those of the system.

    Raises:
        ConfigError: They cannot be used.
    """
    if config.event_ca_file is None and not config.event_ca:
        return None
    name = "event_ca" if config.event_ca_file is None else "event_ca_file"
    try:
        text = config.event_ca if config.event_ca_file is None else read_file(config.event_ca_file).decode("ascii")
        return ssl.create_default_context(cadata=text)
    except (ValueError, ssl.SSLError) as error:
        sentence = str(error) if type(error) is ValueError else "holds no certificates in PEM form"
        raise ConfigError([f"{name}: {sentence}"]) from None


def _token_of(path: Path | None) -> ReloadedFiles[str] | None:
    """The token of a file, which is read again when it changes.

    Raises:
        ConfigError: The file cannot be used.
    """
    if path is None:
        return None

    def make() -> str:
        """The token; raises `ValueError` if there is none."""
        words = read_file(path).decode("ascii", "replace").split()
        if len(words) != 1 or not words[0].isprintable() or not words[0].isascii():
            raise ValueError(f"{path} must hold one token, of printable ASCII characters")
        return words[0]

    return ReloadedFiles("event_token_file", [path], make)
