"""The `Via` line of forwarded requests, by which this process recognises a request that it has forwarded itself.

Source: RFC 9110 section 7.6.3, https://www.rfc-editor.org/rfc/rfc9110.
"""

import secrets
from typing import Final

from driftgauge.http1.heads import RequestHead

_PSEUDONYM_BYTES: Final = 8


def make_pseudonym() -> bytes:
    """A name of this process that no client can guess, so that none can have its requests refused as a loop."""
    return b"driftgauge-" + secrets.token_hex(_PSEUDONYM_BYTES).encode()


def is_named_in(head: RequestHead, pseudonym: bytes) -> bool:
    """Whether a `Via` line of the head has the pseudonym: this process has forwarded the request before."""
    return any(pseudonym in value for name, value in head.lines if name.lower() == b"via")
