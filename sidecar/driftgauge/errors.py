"""The errors of driftgauge, by who has to act on them.

    DriftgaugeError
      ConfigError            the user: an option is wrong or unknown
      ReferenceDataError     the user: a dataset cannot be used as reference, or as window of `check`
      PayloadError           the sender: a body cannot be decoded; its `reason` is a metric label
      EmptySampleError       the caller: a statistic needs at least one row
      StorageError           the environment: the store of the ring is away or slow
      LeaseLostError         no one: another replica evaluates the model now

They have no HTTP status codes: the receiver, the proxy and the admin port each choose their own.
"""

from collections.abc import Sequence
from enum import StrEnum
from typing import Final


class Reason(StrEnum):
    """Why a payload was dropped or rejected. A closed set, since it is the value of a metric label."""

    # dropped: the payload may be valid, but driftgauge could not use it
    QUEUE_FULL = "queue_full"
    QUEUE_TIMEOUT = "queue_timeout"
    NO_REFERENCE = "no_reference"
    OTHER_MODEL = "other_model"
    STORAGE = "storage"
    SHUTDOWN = "shutdown"
    INTERNAL = "internal"
    # rejected: the payload itself cannot be used
    TOO_LARGE = "too_large"
    TOO_COMPLEX = "too_complex"
    MALFORMED = "malformed"
    UNSUPPORTED = "unsupported"
    WRONG_WIDTH = "wrong_width"
    WRONG_TYPE = "wrong_type"
    INFINITE = "infinite"
    EMPTY = "empty"
    DUPLICATE = "duplicate"
    INCOMPLETE = "incomplete"
    FAILED = "failed"

    @property
    def dropped(self) -> bool:
        """Whether driftgauge is the cause, so that the payload counts as dropped; else it counts as rejected."""
        return self in _DROPPED


_DROPPED: Final = frozenset(
    {
        Reason.QUEUE_FULL,
        Reason.QUEUE_TIMEOUT,
        Reason.NO_REFERENCE,
        Reason.OTHER_MODEL,
        Reason.STORAGE,
        Reason.SHUTDOWN,
        Reason.INTERNAL,
    },
)


class DriftgaugeError(Exception):
    """Base class of all errors of driftgauge."""


class ConfigError(DriftgaugeError):
    """The configuration has errors.

    Args:
        faults: One sentence for each error, with the option and the rule that it breaks.
    """

    def __init__(self, faults: Sequence[str]) -> None:
        super().__init__("\n".join(faults))
        self.faults = tuple(faults)


class ReferenceDataError(DriftgaugeError):
    """A dataset cannot be used. The message names the file, the column or row, and the rule."""


class PayloadError(DriftgaugeError):
    """A payload cannot be decoded or does not fit the reference.

    Args:
        reason: The value of the metric label.
        message: One sentence for people.
    """

    def __init__(self, reason: Reason, message: str) -> None:
        super().__init__(message)
        self.reason = reason

    def __reduce__(self) -> tuple[type["PayloadError"], tuple[Reason, str]]:
        """How it is pickled: with both arguments."""
        return PayloadError, (self.reason, str(self))


class EmptySampleError(DriftgaugeError):
    """A statistic needs at least one row, and the sample has none."""


class StorageError(DriftgaugeError):
    """The store did not reply, or replied with an error.

    Args:
        message: One sentence for people.
        may_be_done: Whether the store may have done what it was asked, or may do it later.
    """

    def __init__(self, message: str = "", *, may_be_done: bool = True) -> None:
        super().__init__(message)
        self.may_be_done = may_be_done


class LeaseLostError(DriftgaugeError):
    """The store refused to save: the lease of the model has ended, or another replica holds it."""
