"""The sizes and times that both sides of the proxy share, each with its reason."""

MAX_LINE_BYTES = 64 * 1024
"""Longest request target or status line."""

MAX_FIELD_BYTES = 128 * 1024
"""Longest header line: tokens and cookies are long, and aiohttp's own 8,190 would answer 400."""

MAX_FIELDS = 512
"""Most header lines of one message; aiohttp's own 128 is fewer than a chain of gateways may add."""

READ_BYTES = 64 * 1024
"""How much of a body is read ahead of the other side; twice as much stops the reading."""

KEEPALIVE_SECONDS = 120.0
"""How long an idle client connection is kept: longer than the 90 s of Go's pools in front of us, so that they close
first and never send a request on a connection that is closing."""

LINGER_SECONDS = 10.0
"""How long the rest of an upload is read away after an early answer, so that a reset does not destroy the answer."""

MAX_PAGE_BYTES = 4 * 1024 * 1024
"""Longest page of metrics that is taken from the model server, unpacked: some 40,000 series."""

PAGE_SECONDS = 5.0
"""How long the model server may take for it: half of Prometheus' own limit of 10 s for a scrape."""
