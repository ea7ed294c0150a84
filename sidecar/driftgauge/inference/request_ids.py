"""The ids of a request that its log lines have, made only when a line is written."""

import re
from collections.abc import Mapping
from hashlib import blake2b
from typing import Final

_TRACEPARENT: Final = re.compile(
    rb"(?!ff)([0-9a-f]{2})-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(-.*)?", re.DOTALL
)

MAX_TRACEPARENT_BYTES: Final = 128
"""A longer one is not kept; version 00 has 55."""

MAX_ID_CHARS: Final = 256
"""Most characters of the id of an inference that are kept: ids are untrusted, and are kept while payloads wait."""


def id_digest(id_: str) -> int:
    """The first 64 bits of the BLAKE2b digest of an id, which decides whether an inference belongs to the sample.

    Args:
        id_: Any text.
    """
    return int.from_bytes(blake2b(id_.encode("utf-8", "surrogatepass"), digest_size=8).digest())


def trace_id(traceparent: bytes) -> str | None:
    """The trace id of the header `traceparent`: 32 hexadecimal digits; `None` if the header is not valid.

    Source:
        W3C Trace Context, section 3.2 (https://www.w3.org/TR/trace-context/). A version after 00 may have more parts.
    """
    found = _TRACEPARENT.fullmatch(traceparent)
    if found is None or (found[1] == b"00" and found[3] is not None):
        return None
    return str(found[2], "ascii")


def request_fields(request_id: str, traceparent: bytes) -> dict[str, object]:
    """The fields of a log line that concerns a request.

    Args:
        request_id: Untrusted, any text; empty if there is none.
        traceparent: The header; empty if there is none.
    """
    trace = trace_id(traceparent)
    fields: dict[str, object] = {} if trace is None else {"trace_id": trace}
    return {"request_id": request_id[:MAX_ID_CHARS]} | fields if request_id else fields


def given_id(headers: Mapping[bytes, bytes]) -> str:
    """The client's id of a request: `Ce-Id`, else `X-Request-Id`, else empty; at most `MAX_ID_CHARS`. Untrusted."""
    given = headers.get(b"ce-id") or headers.get(b"x-request-id") or b""
    return given.decode("utf-8", "replace")[:MAX_ID_CHARS]


def header_fields(headers: Mapping[bytes, bytes]) -> dict[str, object]:
    """The fields of a log line, from the header fields of the request, whose names are in lower case."""
    return request_fields(given_id(headers), headers.get(b"traceparent", b""))
