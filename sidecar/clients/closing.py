"""Whether clients are asked to leave, as all that answer them see it. This file does no I/O."""

from dataclasses import dataclass


@dataclass(slots=True)
class Closing:
    """How far the proxy is on its way out.

    Args:
        draining: Clients are asked not to use their connections again.
    """

    draining: bool = False
