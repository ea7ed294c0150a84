"""Every error that driftgauge raises on purpose, and whose fault it is.

    DriftgaugeError
      ConfigError            the operator's: an option that is wrong or unknown
      ReferenceDataError     the operator's: a dataset that cannot serve as reference (or as window of `check`)
      PayloadError           the sender's: a body that cannot be decoded; its `reason` is a metric label
      EmptySampleError       the caller's: a test was asked of no rows
      StorageError           the world's: the ring's store is away or slow

No HTTP status stands here: each door has its own answer to each error.
"""

from collections.abc import Sequence
from enum import StrEnum


class Reason(StrEnum):
    """Why a payload was dropped or rejected: a closed set, since it is the value of a metric label."""

    # dropped: the payload may have been good, we had no room or no use for it
    QUEUE_FULL = "queue_full"
    NO_REFERENCE = "no_reference"
    OTHER_MODEL = "other_model"
    STORAGE = "storage"
    SHUTDOWN = "shutdown"
    INTERNAL = "internal"
    # rejected: this payload is not one that can be read
    TOO_LARGE = "too_large"
    MALFORMED = "malformed"
    UNSUPPORTED = "unsupported"
    WRONG_WIDTH = "wrong_width"
    WRONG_TYPE = "wrong_type"
    INFINITE = "infinite"
    EMPTY = "empty"
    DUPLICATE = "duplicate"
    INCOMPLETE = "incomplete"

    @property
    def dropped(self) -> bool:
        """Whether the payload was lost on our side of the fence; otherwise it was rejected for what it is."""
        return self in _DROPPED


_DROPPED = frozenset(
    {Reason.QUEUE_FULL, Reason.NO_REFERENCE, Reason.OTHER_MODEL, Reason.STORAGE, Reason.SHUTDOWN, Reason.INTERNAL},
)


class DriftgaugeError(Exception):
    """The root of all errors that are raised on purpose."""


class ConfigError(DriftgaugeError):
    """The configuration has faults, all of which are listed.

    Args:
        faults: One sentence for each fault, naming the option and the rule.
    """

    def __init__(self, faults: Sequence[str]) -> None:
        super().__init__("\n".join(faults))
        self.faults = tuple(faults)


class ReferenceDataError(DriftgaugeError):
    """A dataset cannot be used; the sentence names the file, the column or row, and the rule."""


class PayloadError(DriftgaugeError):
    """A payload cannot be decoded or does not fit the reference.

    Args:
        reason: The closed cause, used as a metric label.
        message: One sentence for a person.
    """

    def __init__(self, reason: Reason, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class EmptySampleError(DriftgaugeError):
    """A statistic was asked of a sample without rows."""


class StorageError(DriftgaugeError):
    """The ring's store did not answer, or answered with a failure."""
