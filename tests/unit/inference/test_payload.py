"""The values that all packages share."""

from driftgauge.errors import Reason
from tests.support.models import WINE


def test_a_model_is_written_with_slashes() -> None:
    """The text form is the one that stands in keys and logs."""
    assert str(WINE) == "cellar/wine/predictor/wine"


def test_a_known_revision_is_written_in_words() -> None:
    """After the names, so that it is not taken for one of them."""
    assert str(WINE._replace(revision="v2")) == "cellar/wine/predictor/wine revision v2"


def test_each_reason_is_either_ours_or_the_senders() -> None:
    """Dropped are the payloads that may have been good; all others are rejected."""
    dropped = {reason for reason in Reason if reason.dropped}

    assert dropped == {
        Reason.QUEUE_FULL,
        Reason.QUEUE_TIMEOUT,
        Reason.NO_REFERENCE,
        Reason.OTHER_MODEL,
        Reason.STORAGE,
        Reason.SHUTDOWN,
        Reason.INTERNAL,
    }
