"""How long a client is waited for, in each of its states."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Patience:
    """Limits of time, in seconds.

    Args:
        head: For a head, from its first byte on; as nginx.
        body: How often a client that sends a body is looked at. It must have sent `body_bytes` since, unless we held it
            back or it is being answered already.
        body_bytes: 240 bytes a second, as Kestrel asks.
        stall: For reading some of an answer that is waiting.
        keepalive: For the next request: longer than the 90 s of Go's pools in front of us, so that they close first and
            never send a request on a connection that is closing.
        linger: For the rest of an upload after an early answer, which is read away, so that a reset does not destroy
            the answer.
    """

    head: float = 60.0
    body: float = 30.0
    body_bytes: int = 30 * 240
    stall: float = 120.0
    keepalive: float = 120.0
    linger: float = 10.0
