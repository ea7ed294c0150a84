"""Events of OpenAI-compatible inferences are counted for the model in their body, and are no payloads."""

import json

import pytest

from driftgauge.cloudevents.event import Event
from driftgauge.inference.payload import Kind, ModelKey
from tests.support.listening_receiver import ListeningReceiver
from tests.support.models import WINE

LLAMA = ModelKey(WINE.namespace, WINE.inference_service, WINE.component, "llama")
REQUEST = b'{"model":"llama","messages":[{"role":"user","content":"Hi"}]}'
RESPONSE = b'{"object":"chat.completion","model":"llama","choices":[]}'
STREAM = b'data: {"model":"llama","choices":[]}\n\ndata: [DONE]\n\n'


def event(kind: Kind, body: bytes, status: int | None = None) -> Event:
    """An event of the InferenceService `wine`."""
    return Event(
        id="a1",
        kind=kind,
        time=5.0,
        recorded=True,
        namespace=WINE.namespace,
        inference_service=WINE.inference_service,
        component=WINE.component,
        json_length=None,
        body=body,
        status=status,
    )


@pytest.mark.parametrize("response", [RESPONSE, STREAM])
async def test_a_response_proves_the_model_of_later_requests(response: bytes) -> None:
    """A request counts for the InferenceService until a response has named the same model, then for the model."""
    receiver = ListeningReceiver()
    for kind, body in ((Kind.REQUEST, REQUEST), (Kind.RESPONSE, response), (Kind.REQUEST, REQUEST)):
        receiver.receiver.accept(event(kind, body))

    assert 1 == receiver.value("request_count", WINE, code="")
    assert 1 == receiver.value("request_count", LLAMA, code="")
    assert len(response) == receiver.value("driftgauge_response_bytes_total", LLAMA)
    assert [
        (WINE, "a1", Kind.REQUEST, 5.0, True),
        (LLAMA, "a1", Kind.RESPONSE, 5.0, True),
        (LLAMA, "a1", Kind.REQUEST, 5.0, True),
    ] == receiver.observed


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        (Kind.REQUEST, REQUEST),
        (Kind.REQUEST, json.dumps({"messages": ["x" * 70_000], "model": "llama"}).encode()),
        (Kind.RESPONSE, RESPONSE),
        (Kind.RESPONSE, STREAM),
    ],
)
async def test_they_are_no_payloads(kind: Kind, body: bytes) -> None:
    """Nothing is offered or rejected: not as unsupported, nor as a duplicate, nor as failed."""
    receiver = ListeningReceiver()
    receiver.receiver.accept(event(kind, body))
    receiver.receiver.accept(event(kind, body, 500))
    receiver.is_new = False
    receiver.receiver.accept(event(kind, body))
    samples = [
        sample.value
        for family in receiver.metrics.registry.collect()
        for sample in family.samples
        if sample.name == "driftgauge_payloads_total"
    ]

    assert [] == receiver.payloads
    assert 0 == sum(samples)


async def test_names_in_requests_take_no_place() -> None:
    """Whatever names clients invent, their requests count for the InferenceService."""
    receiver = ListeningReceiver()
    for number in range(20):
        receiver.receiver.accept(event(Kind.REQUEST, b'{"model":"guess-%d","prompt":"x"}' % number))

    assert 20 == receiver.value("request_count", WINE, code="")


async def test_names_beyond_the_limit_count_for_the_service() -> None:
    """A model for which there is no place counts for its InferenceService."""
    receiver = ListeningReceiver()
    for number in range(20):
        receiver.receiver.accept(event(Kind.RESPONSE, b'{"model":"m-%d","choices":[]}' % number))

    def response_bytes(name: str) -> float | None:
        """The bytes of responses that count for a model."""
        return receiver.value("driftgauge_response_bytes_total", WINE._replace(model_name=name))

    assert [28] * 9 == [response_bytes(f"m-{number}") for number in range(9)]
    assert [None] * 11 == [response_bytes(f"m-{number}") for number in range(9, 20)]
    assert 28 + 10 * 29 == response_bytes(WINE.model_name)
