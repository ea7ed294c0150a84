"""The proxy recognises inferences, their models and ids, and the length of the JSON part."""

import subprocess
import sys
from collections import Counter

import pytest

from driftgauge.inference.payload import OVERFLOW
from driftgauge.inference.request_ids import id_digest
from driftgauge.proxy.routing import inference_model, is_openai_inference, json_length, payload_id

TARGETS = {
    # V1, with the versions and labels of TF-Serving
    "/v1/models/m:predict": "m",
    "/v1/models/m:explain": "m",
    "/v1/models/m/versions/1:predict": "m",
    "/v1/models/m/labels/canary:explain": "m",
    "/v1/models/m%3APredict:predict": "m:Predict",
    "/v1/models/m%3apredict": "m",
    "/v1/models/ns%2Fm:predict?a=b": "ns/m",
    "/v1/models/%FF:predict": "\N{REPLACEMENT CHARACTER}",
    f"/v1/models/{'n' * 253}:predict": "n" * 253,
    f"/v1/models/{'n' * 254}:predict": OVERFLOW.model_name,
    "/v1/models/m": None,
    "/v1/models/m:classify": None,
    "/v1/models/:predict": None,
    "/v1/models/m:predict/": None,
    "/openai/v1/models/m:predict": None,
    # V2
    "/v2/models/m/infer": "m",
    "/v2/models/m/versions/1/infer": "m",
    "/v2/models/m/infer?q": "m",
    "/v2/models/m/infer#f": "m",
    f"/v2/models/{'%C3%A9' * 253}/infer": "é" * 253,
    f"/v2/models/{'%C3%A9' * 254}/infer": OVERFLOW.model_name,
    "/v2/models/m/ready": None,
    "http://h/v2/models/m/infer": None,
    "/v2/models//infer": None,
    "/v2/models/m/infer/": None,
    "//v2/models/m/infer": None,
    "/v2/models/m/generate": None,
    "/x?/v2/models/m/infer": None,
}


@pytest.mark.parametrize(("target", "model"), TARGETS.items())
def test_inference_model(target: str, model: str | None) -> None:
    """The model's name is in the path (one too long for Kubernetes becomes the overflow key); other paths have none."""
    assert model == inference_model(b"POST", target.encode(), {})


OPENAI_TARGETS = {
    "/v1/chat/completions": True,
    "/v1/completions": True,
    "/v1/embeddings": True,
    "/v1/rerank": True,
    "/openai/v1/chat/completions": True,
    "/openai/v1/completions": True,
    "/openai/v1/embeddings": True,
    "/openai/v1/rerank": True,
    "/openai/v1/chat/completions?api-version=1": True,
    "/openai/v1/models": False,
    "/v1/files": False,
    "/v1/chat/completions/": False,
    "/v2/chat/completions": False,
    "/x/v1/completions": False,
    "/v1/models/m:predict": False,
}


@pytest.mark.parametrize(("target", "is_inference"), OPENAI_TARGETS.items())
def test_openai_inferences(target: str, *, is_inference: bool) -> None:
    """The OpenAI-compatible endpoints of KServe are inferences, with and without the prefix, if POSTed by no probe."""
    assert is_inference is is_openai_inference(b"POST", target.encode(), {})
    assert not is_openai_inference(b"POST", target.encode(), {b"user-agent": b"kube-probe/1.30"})
    assert not is_openai_inference(b"GET", target.encode(), {})


@pytest.mark.parametrize("method", [b"GET", b"PUT", b"HEAD", b"OPTIONS"])
def test_only_post_infers(method: bytes) -> None:
    """A request with another method on an inference path is not an inference."""
    assert inference_model(method, b"/v2/models/m/infer", {}) is None


@pytest.mark.parametrize(
    ("name", "value", "probe"),
    [
        (b"user-agent", b"kube-probe/1.30", True),
        (b"user-agent", b"kube-probe/1/30", True),
        (b"user-agent", b"my kube-probe/1.30", False),
        (b"k-network-probe", b"queue", True),
        (b"k-network-probe", b"", False),
    ],
)
def test_probes_are_no_inference(name: bytes, value: bytes, probe: bool) -> None:  # noqa: FBT001 - a column of a table
    """Probes of Kubernetes and Knative are recognised by their headers."""
    assert probe is (inference_model(b"POST", b"/v2/models/m/infer", {name: value}) is None)


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({b"x-request-id": b"x", b"ce-id": b"c"}, "c"),
        ({b"x-request-id": b"x", b"ce-id": b""}, "x"),
        ({b"ce-id": b"i" * 300}, "i" * 256),
        ({b"ce-id": b"\xff"}, "\N{REPLACEMENT CHARACTER}"),
    ],
)
def test_payload_id_is_the_clients(fields: dict[bytes, bytes], expected: str) -> None:
    """`Ce-Id` comes before `X-Request-Id`; an empty one is ignored; length and bytes are limited."""
    assert (expected, False) == payload_id(fields)


def test_payload_id_is_fresh_without_one() -> None:
    """Two requests without an id get different ones, of 32 hexadecimal digits."""
    ids = {payload_id({}), payload_id({})}

    assert [(32, True)] * 2 == [(len(f"{int(one, 16):032x}"), is_made) for one, is_made in ids]


@pytest.mark.parametrize(
    ("value", "expected"),
    [(b"0", 0), (b"312", 312), (b"", None), (b"-1", None), (b"1e3", None), (b"\xb2", None), (b"9" * 19, None)],
)
def test_json_length(value: bytes, expected: int | None) -> None:
    """Only a plain number is accepted."""
    assert expected == json_length({b"inference-header-content-length": value})


def test_json_length_may_be_missing() -> None:
    """Without the header the length is `None`."""
    assert json_length({}) is None


def test_ids_that_are_made_are_uniform_and_unique() -> None:
    """Although they are counted, their digests are spread evenly: five standard deviations of each tenth."""
    ids = [payload_id({})[0] for _ in range(10_000)]
    tenths = Counter(id_digest(one) * 10 >> 64 for one in ids)

    assert 10_000 == len(set(ids))
    assert all(abs(tenths[tenth] - 1_000) < 5 * 30 for tenth in range(10))


def test_processes_make_ids_of_their_own() -> None:
    """The random part differs from process to process."""
    code = "from driftgauge.proxy.routing import payload_id; print(payload_id({})[0])"
    other = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()

    assert 32 == len(other)
    assert other[:16] != payload_id({})[0][:16]
