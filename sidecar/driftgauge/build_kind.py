"""Whether this process runs the compiled data plane: mypyc compiles it where a wheel was built so (ADR 0048)."""

from enum import StrEnum
from importlib.util import find_spec
from typing import Final

_COMPILED_MODULE: Final = "driftgauge.http1.requests"
"""One of those that are compiled together."""


class BuildKind(StrEnum):
    """How the modules that handle every request were built."""

    COMPILED = "compiled"
    PURE = "pure"


def build_kind() -> BuildKind:
    """How they were built, from the file from which Python imports one of them."""
    module = find_spec(_COMPILED_MODULE)
    is_pure = module is None or module.origin is None or module.origin.endswith(".py")
    return BuildKind.PURE if is_pure else BuildKind.COMPILED
