"""Recognises inferences, the model in their path, and their id.

Source: V1, https://kserve.github.io/website/docs/concepts/architecture/data-plane/v1-protocol; Open Inference Protocol,
https://github.com/kserve/open-inference-protocol/blob/main/specification/protocol/inference_rest.md;
OpenAI-compatible, KServe 0.20, `kserve/protocol/rest/openai/endpoints.py`.
"""

import os
import re
from functools import lru_cache
from itertools import count
from typing import Final
from urllib.parse import unquote_to_bytes

from driftgauge.http1.grammar import HeaderMap
from driftgauge.inference.payload import MAX_NAME_CHARS, OVERFLOW
from driftgauge.inference.request_ids import MAX_TRACEPARENT_BYTES, given_id

_PATH = re.compile(
    rb"""
    (?: /v1/models/ (?P<v1> [^/?\#]+? ) (?: /(?:versions|labels)/[^/?\#:]+ )? (?: : | %3[Aa] ) (?: predict | explain )
      | /v2/models/ (?P<v2> [^/?\#]+ ) (?: /versions/[^/?\#]+ )? /infer )
    (?: [?\#] .* )?
    """,
    re.VERBOSE | re.DOTALL,
)

_OPENAI_PATH = re.compile(rb"(?:/openai)?/v1/(?:chat/completions|completions|embeddings|rerank)(?:[?\#].*)?", re.DOTALL)
"""KServe's servers have the prefix `/openai`, vLLM alone has none."""

_NEXT_ID: Final = count(int.from_bytes(os.urandom(8)) << 64)
"""An id of our own is random bytes of this process and a number: unique, at a fraction of the cost of new random bytes.

Who sees one knows the others, but only the log shows them. Who does not see any has to guess 64 bits, and can then only
label a response whose client gave it no id.
"""

_MAX_KNOWN = 256
_MAX_KNOWN_BYTES = 256
"""Most targets, and longest, whose model is cached: a model server has few, and no client can fill the memory."""

_MAX_LENGTH_DIGITS = 18
"""Digits of a length that fits 64 bits."""


def inference_model(method: bytes, target: bytes, fields: HeaderMap) -> str | None:
    """Name of the model that a request asks for an inference, percent-decoded; `None` for all other requests.

    Probes of Kubernetes and Knative are not inferences, whatever their path. A name of more than 253 characters is
    replaced by the name of the models without series of their own.
    """
    if method != b"POST" or _is_probe(fields):
        return None
    return _known_model_of(target) if len(target) <= _MAX_KNOWN_BYTES else _model_of(target)


def is_openai_inference(method: bytes, target: bytes, fields: HeaderMap) -> bool:
    """Whether a request asks for an inference on an OpenAI-compatible path, whose body names the model."""
    return method == b"POST" and _OPENAI_PATH.fullmatch(target) is not None and not _is_probe(fields)


def _model_of(target: bytes) -> str | None:
    if (found := _PATH.fullmatch(target)) is None:
        return None
    quoted: bytes = found["v1"] or found["v2"]
    name = unquote_to_bytes(quoted).decode("utf-8", "replace")
    return name if len(name) <= MAX_NAME_CHARS else OVERFLOW.model_name


_known_model_of = lru_cache(_MAX_KNOWN)(_model_of)


def payload_id(fields: HeaderMap) -> tuple[str, bool]:
    """The id of an inference, at most 256 characters, and whether it is made here.

    It is the client's `Ce-Id`, else its `X-Request-Id`, else a new one of 32 hexadecimal digits.
    """
    given = given_id(fields)
    return (given, False) if given else ("%032x" % next(_NEXT_ID), True)  # noqa: UP031 - half the cost of an f-string


def traceparent(fields: HeaderMap) -> bytes:
    """The header `traceparent`, unchecked; empty if there is none, or one that is too long to be valid."""
    given = fields.get(b"traceparent", b"")
    return given if len(given) <= MAX_TRACEPARENT_BYTES else b""


def json_length(fields: HeaderMap) -> int | None:
    """Length in bytes of the JSON part of a V2 binary body, if the headers state it."""
    length = fields.get(b"inference-header-content-length")
    return int(length) if length and length.isdigit() and len(length) <= _MAX_LENGTH_DIGITS else None


def _is_probe(fields: HeaderMap) -> bool:
    agent = fields.get(b"user-agent", b"")
    return agent.startswith(b"kube-probe/") or bool(fields.get(b"k-network-probe"))
