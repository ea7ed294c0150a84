"""What `/status` says of the process: its version, how it was configured, and who scraped it last."""

import time
from collections.abc import Callable, Mapping
from typing import Final, final

import orjson

from driftgauge import __version__
from driftgauge.build_kind import build_kind
from driftgauge.inference.payload import printable

OWN_AGENT: Final = "driftgauge-doctor"
"""The `User-Agent` of `driftgauge doctor`, which reads `/metrics` too and is no scraper."""

_MAX_CHARS: Final = 200

StatusFacts = Callable[[], Mapping[str, object]]
"""Returns what the composition root knows of the process, as values of JSON. It holds no secret."""


@final
class LastScrape:
    """Remembers the newest scrape: one, whoever sent it.

    Args:
        clock: Returns the time in seconds since the epoch.
    """

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._newest: dict[str, object] | None = None

    def record(self, address: str | None, user_agent: str) -> None:
        """Remember a scrape.

        Args:
            address: Of the client.
            user_agent: As sent; untrusted, any text.
        """
        if not user_agent.startswith(OWN_AGENT):
            agent = printable(user_agent[:_MAX_CHARS])
            self._newest = {"time": self._clock(), "address": address or "", "user_agent": agent}

    @property
    def newest(self) -> Mapping[str, object] | None:
        """Time, address and user agent of the newest scrape; `None` before the first."""
        return self._newest


def status_as_json(reason: str | None, scrape: LastScrape, facts: Mapping[str, object]) -> bytes:
    """The response of `/status`.

    Args:
        reason: Why the process is not ready; `None` if it is.
        scrape: The newest scrape.
        facts: What the composition root adds.
    """
    known = {"version": __version__, "build": build_kind(), "not_ready": reason, "last_scrape": scrape.newest}
    return orjson.dumps(known | dict(facts), option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
