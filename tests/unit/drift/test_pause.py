"""Pauses."""

from sidecar.drift.pause import Pause, no_pause


def test_nobody_waits() -> None:
    """Without a caller who has others waiting, a pause does nothing."""
    pause: Pause = no_pause

    assert pause() is None
