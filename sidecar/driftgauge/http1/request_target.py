"""Reads request targets: the origin-form is kept byte for byte, the absolute-form becomes the origin-form and a `Host`.

Source: RFC 9112 section 3.2, https://www.rfc-editor.org/rfc/rfc9112.
"""

import re
from typing import Final, NamedTuple

from driftgauge.http1.grammar import RefusedError

# absolute-form = "http://" uri-host [ ":" port ] path-abempty [ "?" query ]; the userinfo that RFC 9110 section 4.2.4
# asks to treat as an error does not match, nor does an empty host
_ABSOLUTE: Final = re.compile(
    rb"[Hh][Tt][Tt][Pp]://((?:\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9\-._~%!$&'()*+;=]+)(?::[0-9]*)?)((?:[/?].*)?)"
)


class RequestTarget(NamedTuple):
    """The target of a request.

    Args:
        path: In origin-form, or `*`.
        authority: The host that an absolute-form named; `None` for the other forms.
    """

    path: bytes
    authority: bytes | None


def read_target(method: bytes, target: bytes) -> RequestTarget:
    """Read a target.

    Args:
        method: Of the request.
        target: Printable ASCII.

    Raises:
        RefusedError: It has a form that this server does not serve, userinfo or a fragment.
    """
    if b"#" in target:
        raise RefusedError("The target of the request has a fragment.")
    if target.startswith(b"/"):
        return RequestTarget(target, None)
    if target == b"*":
        if method != b"OPTIONS":
            raise RefusedError("The target * is only valid for OPTIONS.")
        return RequestTarget(target, None)
    found = _ABSOLUTE.fullmatch(target)
    if found is None:
        raise RefusedError("The target of the request is neither a path nor a URL of http without userinfo.")
    authority, path = found.groups()
    if not path and method == b"OPTIONS":  # RFC 9112 section 3.2.4
        return RequestTarget(b"*", authority)
    return RequestTarget(path if path.startswith(b"/") else b"/" + path, authority)
