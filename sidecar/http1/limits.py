"""The sizes that messages may have, each with its reason."""

MAX_LINE_BYTES = 64 * 1024
"""Longest request target or status line."""

MAX_FIELD_BYTES = 128 * 1024
"""Longest header line: tokens and cookies are long."""

MAX_HEAD_BYTES = 256 * 1024
"""Longest head: two such lines."""

MAX_FIELDS = 512
"""Most header lines of one message: more than a chain of gateways adds."""

READ_BYTES = 64 * 1024
"""How much of a body is read ahead of the other side; twice as much stops the reading."""

MAX_CHUNK_LINE_BYTES = 1024
"""Longest first line of a chunk: the size, and extensions that nobody reads."""

MAX_EXTENSIONS_BYTES = 16 * 1024
"""Most bytes of extensions in one body; a sender of more of them than of content means harm."""

MAX_TRAILER_BYTES = 64 * 1024
"""Longest trailers of one body."""
