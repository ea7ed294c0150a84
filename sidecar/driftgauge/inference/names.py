"""Names from the network that become metric labels and Redis keys."""

from typing import Final

PREDICTOR: Final = "predictor"
"""The component of an InferenceService that holds the model: the default where a component is missing."""

COMPONENTS: Final = (PREDICTOR, "transformer", "explainer")
"""The components of an InferenceService."""

MAX_NAME_CHARS: Final = 253
"""Longest name of an object in Kubernetes: a DNS subdomain (RFC 1123, section 2.1)."""


def printable(text: str) -> str:
    r"""The text with each lone surrogate replaced by its escape, `\udc80`, so that it can be encoded as UTF-8.

    Headers and tensors may contain bytes that are not UTF-8; decoded with `surrogateescape` or `surrogatepass`, they
    become lone surrogates, which labels, keys and JSON cannot contain.
    """
    return text.encode("utf-8", "backslashreplace").decode()
