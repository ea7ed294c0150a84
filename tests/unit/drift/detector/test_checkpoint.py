"""Checkpoints."""

from driftgauge.drift.detector.verdict import Checkpoint, no_checkpoint


def test_the_default_checkpoint_does_nothing() -> None:
    """It returns nothing, and has no effect."""
    checkpoint: Checkpoint = no_checkpoint

    assert checkpoint() is None
