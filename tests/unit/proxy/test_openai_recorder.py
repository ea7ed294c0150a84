"""Inferences on OpenAI-compatible paths are counted for the model in their body, and are no payloads."""

from collections.abc import Callable

import pytest

from driftgauge.inference.payload import OVERFLOW
from driftgauge.proxy.openai_recorder import OpenAIRecorder
from tests.unit.proxy.test_recorder import BUDGET_BYTES, Recording

CHAT = b'{"model":"llama","messages":[]}'


def _exchange(recorder: OpenAIRecorder, body: bytes, status: int = 200) -> None:
    recorder.on_request_body(body[:3])
    recorder.on_request_body(body[3:])
    recorder.on_request_end()
    recorder.on_forwarded()
    recorder.on_response_head(status, {})
    recorder.on_response_body(b"data: 1\n\n")
    recorder.on_response_end()
    recorder.on_sent()
    recorder.finish(status)


def test_it_is_counted_for_the_model_in_its_body() -> None:
    """Request, bytes and latency are those of the model that the body names; nothing is offered or rejected."""
    recording = Recording()
    _exchange(OpenAIRecorder(recording.factory, 0.0), CHAT)

    assert 1 == recording.total("request_count", model_name="llama", inference_service="wine", code="200")
    assert 1 == recording.total("request_count")
    assert 1 == recording.total("request_latency_seconds_count", model_name="llama")
    assert len(CHAT) == recording.total("driftgauge_request_bytes_total", model_name="llama")
    assert 9 == recording.total("driftgauge_response_bytes_total", model_name="llama")
    assert 0 == recording.total("driftgauge_requests_in_flight")
    assert 0 == recording.total("driftgauge_payloads_total")
    assert [] == recording.offered
    assert BUDGET_BYTES == recording.budget.free_bytes


@pytest.mark.parametrize("body", [b"", b"[1]", b'{"model":7}', CHAT + b" " * 100, CHAT[:-1]])
def test_odd_bodies_count_for_the_configured_model(body: bytes) -> None:
    """A body without a name, or one for whose copy there is no memory, counts for the model of the configuration."""
    recording = Recording()
    _exchange(OpenAIRecorder(recording.factory, 0.0), body)

    assert 1 == recording.total("request_count", model_name="wine", code="200")
    assert len(body) == recording.total("driftgauge_request_bytes_total", model_name="wine")
    assert BUDGET_BYTES == recording.budget.free_bytes


def test_unproven_and_surplus_names_share_a_key() -> None:
    """A name that the model server refuses, or one beyond `max_models`, counts for the overflow key."""
    recording = Recording()
    _exchange(OpenAIRecorder(recording.factory, 0.0), b'{"model":"guess"}', 404)
    _exchange(OpenAIRecorder(recording.factory, 0.0), b'{"model":"one"}')
    _exchange(OpenAIRecorder(recording.factory, 0.0), b'{"model":"two"}')

    assert 1 == recording.total("request_error_count", model_name=OVERFLOW.model_name, code="404")
    assert 1 == recording.total("request_count", model_name="one", code="200")
    assert 1 == recording.total("request_count", model_name=OVERFLOW.model_name, code="200")


def test_latency_ends_with_the_stream() -> None:
    """The latency of a stream ends with its last byte; that of a client that leaves, when it has left."""
    recording = Recording()
    recorder = OpenAIRecorder(recording.factory, 0.0)
    recorder.on_response_head(200, {})
    recording.timer.now = 7.0
    recorder.on_response_end()
    recorder.on_sent()
    recording.timer.now = 9.0
    recorder.finish(200)

    assert 7 == recording.total("request_latency_seconds_sum")

    left = OpenAIRecorder(recording.factory, 9.0)
    recording.timer.now = 14.0
    left.finish(499)

    assert 1 == recording.total("request_error_count", code="499")
    assert 7 + 5 == recording.total("request_latency_seconds_sum")


def test_bodies_are_parsed_in_a_later_turn() -> None:
    """Nothing is parsed before `finish` returns: the model is counted when the deferred step is called."""
    recording = Recording()
    steps: list[Callable[[], None]] = []
    recording.factory.defer = steps.append
    _exchange(OpenAIRecorder(recording.factory, 0.0), CHAT)

    assert 0 == recording.total("request_count")

    steps[0]()

    assert 1 == recording.total("request_count", model_name="llama")
