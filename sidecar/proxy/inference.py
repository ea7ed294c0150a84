"""Which requests are inferences, of which model, and under which id. This file does no I/O.

Source: V1, https://kserve.github.io/website/docs/concepts/architecture/data-plane/v1-protocol; Open Inference Protocol,
https://github.com/kserve/open-inference-protocol/blob/main/specification/protocol/inference_rest.md.
"""

import re
import uuid
from urllib.parse import unquote_to_bytes

from sidecar.models import OTHER
from sidecar.proxy.heads import Headers, first

_PATH = re.compile(
    rb"""
    (?: https?://[^/?\#]* )?
    (?: /v1/models/ (?P<v1> [^/?\#]+? ) (?: /(?:versions|labels)/[^/?\#:]+ )? (?: : | %3[Aa] ) (?: predict | explain )
      | /v2/models/ (?P<v2> [^/?\#]+ ) (?: /versions/[^/?\#]+ )? /infer )
    (?: [?\#] .* )?
    """,
    re.VERBOSE | re.DOTALL,
)

_MAX_ID_CHARS = 256

_MAX_NAME_CHARS = 253
"""Of a name in Kubernetes, which is a DNS subdomain (RFC 1123, section 2.1). Names become labels and keys."""

_MAX_LENGTH_DIGITS = 18
"""Digits of a length that fits 64 bits."""


def inference_model(method: str, target: bytes, headers: Headers) -> str | None:
    """Name of the model that a request asks for an inference, percent-decoded; `None` if it asks for something else.

    Probes of Kubernetes and Knative are something else, wherever they go. In place of a name of more than 253
    characters stands that of all models without series of their own.
    """
    if method != "POST" or (found := _PATH.fullmatch(target)) is None or _is_probe(headers):
        return None
    quoted: bytes = found["v1"] or found["v2"]
    name = unquote_to_bytes(quoted).decode("utf-8", "replace")
    return name if len(name) <= _MAX_NAME_CHARS else OTHER.model_name


def payload_id(headers: Headers) -> str:
    """The client's id of an inference: `Ce-Id`, else `X-Request-Id`, else a fresh one; at most 256 characters."""
    given = first(headers, b"ce-id") or first(headers, b"x-request-id")
    return given.decode("utf-8", "replace")[:_MAX_ID_CHARS] if given else uuid.uuid4().hex


def json_length(headers: Headers) -> int | None:
    """Length in bytes of the JSON part of a V2 binary body, if the headers tell a sane one."""
    told = first(headers, b"inference-header-content-length")
    return int(told) if told and told.isdigit() and len(told) <= _MAX_LENGTH_DIGITS else None


def _is_probe(headers: Headers) -> bool:
    agent = first(headers, b"user-agent") or b""
    return agent.startswith(b"kube-probe/") or bool(first(headers, b"k-network-probe"))
