"""An inference that is left out costs no copy, and is counted all the same."""

from collections.abc import Callable

import pytest

from driftgauge.inference.payload import Kind
from driftgauge.inference.request_ids import id_digest
from driftgauge.proxy.exchange_recorder import ExchangeRecorder
from tests.unit.proxy.test_recorder import BUDGET_BYTES, ENDS, INFER, Recording, _whole

NEVER = 1e-12


def low(recording: Recording, ratio: float) -> Recording:
    """A recording at a ratio."""
    recording.metrics.carried.set_slow(ratio)
    return recording


def left_out(recording: Recording, outcome: str = "sampled_out", reason: str = "") -> list[float]:
    """How many requests and responses were left out."""
    return [
        recording.total("driftgauge_payloads_total", kind=kind, outcome=outcome, reason=reason)
        for kind in (Kind.REQUEST, Kind.RESPONSE)
    ]


@pytest.mark.parametrize(("end", "code", "offered", "incomplete", "response_bytes"), ENDS)
def test_every_end_of_one_that_is_left_out_adds_up(
    end: Callable[[ExchangeRecorder], None], code: str, offered: list[str], incomplete: list[str], response_bytes: int
) -> None:
    """The request, its latency and bytes count as ever; each payload that there would have been is sampled out."""
    recording = low(Recording(), NEVER)
    end(recording.open())
    kinds = {*offered, *incomplete}

    assert [] == recording.offered
    assert 1 == recording.total("request_count", code=code) == recording.total("request_latency_seconds_count")
    assert 0 == recording.total("driftgauge_requests_in_flight")
    assert response_bytes == recording.total("driftgauge_response_bytes_total")
    assert 1 <= recording.total("driftgauge_request_bytes_total")
    assert [1, float("response" in kinds)] == left_out(recording)
    assert 1 + ("response" in kinds) == recording.total("driftgauge_payloads_total")


def test_nothing_is_copied_of_one_that_is_left_out() -> None:
    """The memory of copies stays free while its body passes; that of one that is read is used."""
    free = []
    for ratio in (1.0, NEVER):
        recording = low(Recording(), ratio)
        recorder = recording.open()
        recorder.on_request_body(b"{....}")
        free.append(recording.budget.free_bytes)

    assert [BUDGET_BYTES - 6, BUDGET_BYTES] == free


def test_the_id_decides() -> None:
    """At a ratio of 0.5 those are read whose digest is in the lower half, each with request and response."""
    recording = low(Recording(), 0.5)
    ids = [f"id-{number}" for number in range(100)]
    for id_ in ids:
        _whole(recording.factory.open(b"POST", INFER, {b"x-request-id": id_.encode()}, recording.timer()))
    expected = [id_ for id_ in ids if id_digest(id_) < 2**63]

    assert [id_ for id_ in expected for _ in range(2)] == [payload.id for payload in recording.offered]
    assert [100 - len(expected)] * 2 == left_out(recording)


def test_a_name_without_series_is_rejected_although_it_is_left_out() -> None:
    """A request of a model that the model server does not know counts as before: `other_model`."""
    recording = low(Recording(), NEVER)
    recorder = recording.open(b"/v2/models/unknown/infer")
    recorder.on_request_body(b"{}")
    recorder.finish(404)

    assert [1, 0] == left_out(recording, "dropped", "other_model")


def test_a_pipeline_that_is_almost_full_leaves_out_at_the_end() -> None:
    """What was read at the head is left out at the end by its id, request and response together."""
    recording = Recording()
    recorder = recording.open()
    recording.metrics.carried.note_queue(1.0)
    _whole(recorder)

    assert [] == recording.offered
    assert [1, 1] == left_out(recording)
    assert 2 == recording.total("driftgauge_request_bytes_total")
    assert BUDGET_BYTES == recording.budget.free_bytes


def test_copies_that_fill_their_memory_are_left_out_by_id_and_never_dropped() -> None:
    """Ten bodies come at once that have not enough memory: some are read, the others are sampled out."""
    recording = Recording()
    recorders: list[ExchangeRecorder] = [recording.open() for _ in range(10)]
    for _ in range(10):
        for recorder in recorders:
            recorder.on_request_body(b"{ }")
    for recorder in recorders:
        recorder.on_request_end()
        recorder.on_response_head(200, {})
        recorder.on_response_body(b"{}")
        recorder.on_sent()
        recorder.finish(200)
    read = len(recording.offered) // 2

    assert [10 - read] * 2 == left_out(recording)
    assert 300 == recording.total("driftgauge_request_bytes_total")
    assert sum(left_out(recording)) == recording.total("driftgauge_payloads_total")
    assert BUDGET_BYTES == recording.budget.free_bytes
    assert 1 == recording.metrics.carried.head
