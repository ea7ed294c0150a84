"""The bearer tokens that clients may present.

Source: RFC 6750, sections 2.1 (Authorization header), 2.3 (query) and 3 (WWW-Authenticate),
https://www.rfc-editor.org/rfc/rfc6750.
"""

import hashlib
import hmac
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final, final
from urllib.parse import parse_qs

from driftgauge.server.reloaded_files import ReloadedFiles, read_file

CHALLENGE: Final = 'Bearer realm="driftgauge"'
"""The value of `WWW-Authenticate`."""

QUERY_PARAMETER: Final = "access_token"
"""The parameter of the query, for clients that cannot send a header, such as KServe's agent."""

_TOKEN: Final = re.compile(rb"[A-Za-z0-9\-._~+/]+=*")
"""The form of a token: `b64token` of RFC 6750, section 2.1."""

_SCHEME: Final = re.compile(rb"bearer +([^ ]+) *", re.IGNORECASE)


@final
class Tokens:
    """The tokens of an option, and of a file that is read again when it changes.

    Args:
        option: The name of the option of the file, for errors.
        path: A file with a token in each line, several of them while they are exchanged; `None` for no file.
        own: A token that does not change; `None` for none.

    Raises:
        ConfigError: The file cannot be used, or a token has another form.
    """

    def __init__(self, option: str, path: Path | None, own: str | None) -> None:
        mine = [] if own is None else [own.encode()]

        def make() -> frozenset[bytes]:
            """Read the tokens; a process has their digests only."""
            return _digests(mine + ([] if path is None else _tokens_of(path)))

        self._files = ReloadedFiles(option, [] if path is None else [path], make)

    def reload(self) -> None:
        """Read the file again if it has changed."""
        self._files.reload()

    def accepts(self, token: bytes | None) -> bool:
        """Whether a token is one of those; takes as long for each that is wrong."""
        digest = hashlib.sha256(token or b"").digest()
        # a list: `any` of a generator would end at the first that is equal
        return any([hmac.compare_digest(digest, one) for one in self._files.value])  # noqa: C419

    def admits(self, fields: Mapping[bytes, bytes], target: bytes = b"") -> bool:
        """Whether a request presents a token.

        Args:
            fields: The headers of the request, with names in lower case.
            target: Its target, whose query may have the token instead; empty where only the header counts.
        """
        if b"authorization" in fields:
            return self.accepts(bearer_token(fields[b"authorization"]))
        return self.accepts(_query_token(target))


def bearer_token(authorization: bytes) -> bytes | None:
    """The token in the value of an `Authorization` header; `None` if it has another scheme."""
    found = _SCHEME.fullmatch(authorization)
    return None if found is None else found[1]


def _query_token(target: bytes) -> bytes | None:
    query = target.partition(b"?")[2].decode("ascii", "replace")
    if QUERY_PARAMETER not in query:
        return None
    try:
        found = parse_qs(query, max_num_fields=100).get(QUERY_PARAMETER, [])
    except ValueError:  # too many parameters
        return None
    return found[0].encode() if len(found) == 1 else None


def _tokens_of(path: Path) -> list[bytes]:
    tokens = [line.strip() for line in read_file(path).splitlines() if line.strip()]
    if not tokens:
        raise ValueError(f"{path} has no token")
    return tokens


def _digests(tokens: list[bytes]) -> frozenset[bytes]:
    """The digests of the tokens: of equal length, as a comparison in constant time needs.

    Raises:
        ValueError: One has not the form of a bearer token. The sentence does not quote it.
    """
    if any(_TOKEN.fullmatch(token) is None for token in tokens):
        raise ValueError("a token may have letters, digits and -._~+/ alone, and = at its end; one token a line")
    return frozenset(hashlib.sha256(token).digest() for token in tokens)
