"""OpenAI-compatible bodies are recognised by their form, with the model that they name; V1 and V2 are not."""

import gzip
import json

import pytest

from driftgauge.inference.payload import Kind
from driftgauge.protocol.openai import MAX_READ_BYTES, OpenAIBody, openai_model, read_openai

CHUNK = b'data: {"id":"c","object":"chat.completion.chunk","model":"llama","choices":[{"delta":{"content":"Hi"}}]}\n\n'

REQUESTS = {
    "chat": {"model": "llama", "messages": [{"role": "user", "content": "Hi"}], "stream": True},
    "completion": {"prompt": "Hi", "model": "llama"},
    "embeddings": {"input": ["a", "b"], "model": "llama"},
    "rerank": {"query": "a", "documents": ["b"], "model": "llama"},
}
RESPONSES = {
    "chat": b'{"id":"c","object":"chat.completion","model":"llama","choices":[],"usage":{}}',
    "embeddings": b'{"object":"list","data":[{"embedding":[0.1]}],"model":"llama"}',
    "rerank": b'{"id":"r","model":"llama","usage":{},"results":[]}',
    "stream": CHUNK * 3 + b"data: [DONE]\n\n",
    "stream with CR LF": CHUNK.replace(b"\n", b"\r\n"),
    "stream with comments": b": ping\n\n" + CHUNK,
    "stream without spaces": CHUNK.replace(b"data: ", b"data:"),
    "long stream": CHUNK * 1000,
}
OTHERS = [
    (Kind.REQUEST, b'{"instances":[[1,2]]}'),
    (Kind.REQUEST, b'{"instances":[{"model":"Golf","prompt":"x"}],"model":"x","input":1}'),
    (Kind.REQUEST, b'{"inputs":{"model":[1]},"model":"x","prompt":"x"}'),
    (Kind.REQUEST, b'{"inputs":[{"name":"model","shape":[1],"datatype":"FP32","data":[1]}]}'),
    (Kind.REQUEST, b'{"model":"x"}'),
    (Kind.REQUEST, b'{"messages":[]}'),
    (Kind.REQUEST, b'[{"model":"x","messages":[]}]'),
    (Kind.REQUEST, b'{"model":"x","messages":['),
    (Kind.REQUEST, b'data: {"model":"x","messages":[]}\n\n'),
    (Kind.REQUEST, b"\x00\xff"),
    (Kind.REQUEST, b'{"model":"x","messages":[' + b"[]," * 5_000 + b"[]]}"),
    (Kind.REQUEST, b'{"instances":[' + b"[1,2]," * 20_000 + b'[1,2]],"model":"x","messages":[]}'),
    (Kind.REQUEST, b'{"model":"x","instances":[' + b"[1,2]," * 20_000 + b"[1,2]]}"),
    (Kind.RESPONSE, b'{"predictions":[{"model":"x","choices":1}]}'),
    (Kind.RESPONSE, b'{"model_name":"x","outputs":[]}'),
    (Kind.RESPONSE, b'{"model":"x","choices":[],"predictions":[1]}'),
    (Kind.RESPONSE, b'{"object":"list","data":[]}'),
    (Kind.RESPONSE, b'data: {"text_output":"x","model_name":"y"}\n\n'),
    (Kind.RESPONSE, b"data: [DONE]\n\n"),
    (Kind.RESPONSE, b'{"predictions":[' + b"1," * 40_000 + b'1],"object":"list"}'),
]


@pytest.mark.parametrize("body", REQUESTS.values(), ids=REQUESTS)
def test_requests(body: dict[str, object]) -> None:
    """Each kind of request is recognised in any order of its members."""
    text = json.dumps(body).encode()
    turned = json.dumps(dict(reversed(body.items()))).encode()

    assert OpenAIBody("llama") == read_openai(Kind.REQUEST, text) == read_openai(Kind.REQUEST, turned)
    assert "llama" == openai_model(text)


@pytest.mark.parametrize("body", RESPONSES.values(), ids=RESPONSES)
def test_responses(body: bytes) -> None:
    """Each kind of response is recognised, a stream by its first event."""
    assert OpenAIBody("llama") == read_openai(Kind.RESPONSE, body)


@pytest.mark.parametrize(("kind", "body"), OTHERS)
def test_other_bodies(kind: Kind, body: bytes) -> None:
    """Whatever V1 or V2 may read, and whatever is no JSON object, is not OpenAI-compatible."""
    assert read_openai(kind, body) is None


def test_long_bodies_are_not_parsed() -> None:
    """A body of more than 64 kB is recognised by its beginning, and names no model."""
    text = "x" * MAX_READ_BYTES
    request = json.dumps({"messages": [{"content": text}], "model": "llama"}).encode()
    response = json.dumps({"object": "list", "model": "llama", "data": [{"embedding": text}]}).encode()

    assert OpenAIBody(None) == read_openai(Kind.REQUEST, request)
    assert OpenAIBody(None) == read_openai(Kind.RESPONSE, response)
    assert openai_model(request) is None


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[1]",
        b'{"model":1}',
        b'{"model":""}',
        b'{"model":null}',
        b'{"mode":"x"}',
        b'{"model":"x"',
        b'{"model":"' + b"n" * 254 + b'"}',
        gzip.compress(b'{"model":"x"}', mtime=0),
    ],
)
def test_odd_bodies_name_no_model(body: bytes) -> None:
    """A body without a name of 1 to 253 characters, broken or compressed, names no model."""
    assert openai_model(body) is None


def test_longest_name() -> None:
    """A name may have as many characters as an object of Kubernetes, in any script."""
    assert "é" * 253 == openai_model(json.dumps({"model": "é" * 253}).encode())
