"""Pauses."""

from driftgauge.drift.checkpoint import Checkpoint, no_checkpoint


def test_nobody_waits() -> None:
    """Without a caller who has others waiting, a pause does nothing."""
    pause: Checkpoint = no_checkpoint

    assert pause() is None
