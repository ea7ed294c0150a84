"""A clock that a test sets by hand."""


class ManualClock:
    """Returns the time that it was set to.

    Args:
        now: The time at the start, in seconds.
    """

    def __init__(self, now: float = 1_000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        """The time, in seconds."""
        return self.now
