"""When an event is sent again: which responses ask for it, and how long to wait.

Source: RFC 9110 sections 10.2.3 (Retry-After) and 15.5.9 (408), RFC 6585 section 4 (429); full jitter:
https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
"""

import random
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Final, NamedTuple

_RETRIED: Final = frozenset({HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS})
_MAX_DOUBLINGS: Final = 16
_MAX_DIGITS: Final = 9


class Backoff(NamedTuple):
    """How long to wait before another attempt: a random time, whose limit doubles with each attempt.

    Args:
        first_seconds: The limit before the second attempt.
        longest_seconds: The limit of the limit.
        uniform: Returns a random number between two others.
    """

    first_seconds: float = 0.2
    longest_seconds: float = 5.0
    uniform: Callable[[float, float], float] = random.uniform

    def seconds(self, failures: int) -> float:
        """The time to wait after so many failed attempts; 0 before the first."""
        if failures == 0:
            return 0.0
        doubled = self.first_seconds * 2.0 ** min(failures - 1, _MAX_DOUBLINGS)
        return self.uniform(0, min(doubled, self.longest_seconds))


def asks_for_retry(status: int) -> bool:
    """Whether a response with this status code asks for another attempt."""
    return status in _RETRIED or status >= HTTPStatus.INTERNAL_SERVER_ERROR


def retry_after_seconds(value: str | None, now: datetime) -> float:
    """How long a response asks to wait.

    Args:
        value: The header `Retry-After`: seconds, or a date; `None` if the response has none.
        now: The time, with its zone.

    Returns:
        Seconds; 0 if the header is missing, is past, or cannot be read.
    """
    text = (value or "").strip()
    if text.isascii() and text.isdigit():
        return float(text[:_MAX_DIGITS])
    try:
        date = parsedate_to_datetime(text)
    except ValueError:
        return 0.0
    aware = date if date.tzinfo is not None else date.replace(tzinfo=UTC)
    return max(0.0, (aware - now).total_seconds())
