"""Every end of an exchange is counted once, each half is offered or lost, and the memory of the copies is freed."""

from collections.abc import Callable

import pytest
from prometheus_client import generate_latest

from driftgauge.inference.known_models import IdleLimits, KnownModels
from driftgauge.inference.payload import ModelKey, Payload, overflow_key
from driftgauge.metrics.registry import Metrics
from driftgauge.proxy.exchange_recorder import ExchangeRecorder
from driftgauge.proxy.recorder import InferenceRecorder, RecorderFactory
from driftgauge.server.body_copy import MemoryBudget
from tests.support.clock import ManualClock
from tests.support.scrape import Samples

MODEL = ModelKey("shop", "wine", "predictor", "wine")
INFER = b"/v2/models/wine/infer"
BUDGET_BYTES = 100


class Recording:
    """A factory of recorders, with the metrics and the payloads that they recorded."""

    def __init__(self, known: KnownModels | None = None) -> None:
        self.offered: list[Payload] = []
        self.timer = ManualClock()
        self.budget = MemoryBudget(BUDGET_BYTES)
        self.metrics = Metrics("200")
        self.models = KnownModels(1, (MODEL,)) if known is None else known
        self.factory = RecorderFactory(
            model=MODEL,
            offer=self.offered.append,
            metrics=self.metrics,
            models=self.models,
            clock=lambda: 0.0,
            timer=self.timer,
            budget=self.budget,
            max_payload_bytes=50,
            defer=lambda step: step(),
        )

    def open(self, target: bytes = INFER) -> ExchangeRecorder:
        """The recorder of an inference that begins now."""
        return self.factory.open(b"POST", target, {}, self.timer())

    def total(self, name: str, **labels: str) -> float:
        """The sum of the samples of that name with at least these labels."""
        return Samples.parse(generate_latest(self.metrics.registry).decode()).total(name, **labels)


def _whole(recorder: ExchangeRecorder) -> None:
    recorder.on_request_body(b"{}")
    recorder.on_request_end()
    recorder.on_forwarded()
    recorder.on_response_head(200, {})
    recorder.on_response_body(b"{ }")
    recorder.on_response_end()
    recorder.on_sent()
    recorder.finish(200)


def _cut_request(recorder: ExchangeRecorder) -> None:
    recorder.on_request_body(b"{")
    recorder.finish(499)


def _cut_response(recorder: ExchangeRecorder) -> None:
    recorder.on_request_body(b"{}")
    recorder.on_request_end()
    recorder.on_response_head(200, {})
    recorder.on_response_body(b"{")
    recorder.finish(502)


def _replaced_response(recorder: ExchangeRecorder) -> None:
    recorder.on_request_body(b"{}")
    recorder.on_request_end()
    recorder.on_response_head(200, {})
    recorder.on_response_body(b"{")
    recorder.on_replaced(b"sorry")
    recorder.on_sent()
    recorder.finish(502)


def _left_at_the_end(recorder: ExchangeRecorder) -> None:
    recorder.on_request_body(b"{}")
    recorder.on_request_end()
    recorder.on_response_head(200, {})
    recorder.on_response_body(b"{}")
    recorder.on_sent()
    recorder.finish(499)


def _left_within_the_response(recorder: ExchangeRecorder) -> None:
    recorder.on_request_body(b"{}")
    recorder.on_request_end()
    recorder.on_response_head(200, {})
    recorder.finish(499)


def _left_before_the_response(recorder: ExchangeRecorder) -> None:
    recorder.on_request_body(b"{}")
    recorder.on_request_end()
    recorder.finish(499)


def _refused(recorder: ExchangeRecorder) -> None:
    recorder.on_request_body(b"{}")
    recorder.on_request_end()
    recorder.on_response_head(401, {})
    recorder.on_response_body(b"no")
    recorder.on_response_end()
    recorder.on_sent()
    recorder.finish(401)


def _without_response(recorder: ExchangeRecorder) -> None:
    recorder.on_request_body(b"{}")
    recorder.on_request_end()
    recorder.on_replaced(b"sorry")
    recorder.on_sent()
    recorder.finish(504)


ENDS = [
    # how it ends, code, kinds offered, kinds counted as incomplete, bytes of the response
    (_whole, "200", ["request", "response"], [], 3),
    (_cut_request, "499", [], ["request"], 0),
    (_cut_response, "502", ["request"], ["response"], 1),
    (_replaced_response, "502", ["request"], ["response"], 5),
    (_left_at_the_end, "499", ["request"], ["response"], 2),
    (_left_within_the_response, "499", ["request"], ["response"], 0),
    (_left_before_the_response, "499", ["request"], [], 0),
    (_refused, "401", ["request"], [], 2),
    (_without_response, "504", ["request"], [], 5),
]


@pytest.mark.parametrize(("end", "code", "offered", "incomplete", "response_bytes"), ENDS)
def test_every_end_adds_up(
    end: Callable[[ExchangeRecorder], None], code: str, offered: list[str], incomplete: list[str], response_bytes: int
) -> None:
    """One request is counted, each half that there was is offered or lost, and no copy is kept."""
    recording = Recording()
    end(recording.open())

    assert 1 == recording.total("request_count")
    assert 1 == recording.total("request_count", code=code)
    assert 0 == recording.total("driftgauge_requests_in_flight")
    assert response_bytes == recording.total("driftgauge_response_bytes_total")
    assert offered == [payload.kind for payload in recording.offered]
    assert incomplete == [
        kind
        for kind in ("request", "response")
        if recording.total("driftgauge_payloads_total", kind=kind, outcome="rejected", reason="incomplete")
    ]
    assert len(incomplete) == recording.total("driftgauge_payloads_total")
    assert BUDGET_BYTES == recording.budget.free_bytes


@pytest.mark.parametrize(
    ("end", "failed"),
    [
        (_whole, False),
        (_cut_response, False),
        (_replaced_response, False),
        (_left_at_the_end, False),
        (_left_within_the_response, False),
        (_left_before_the_response, True),
        (_refused, True),
        (_without_response, True),
    ],
)
def test_a_request_has_failed_by_the_status_of_the_model_server(
    end: Callable[[ExchangeRecorder], None], *, failed: bool
) -> None:
    """A request has failed if its response began with 400 or above, or did not begin; a later end changes nothing."""
    recording = Recording()
    end(recording.open())

    assert failed is recording.offered[0].failed


@pytest.mark.parametrize(("status", "failed"), [(200, False), (201, False), (302, False), (400, True), (503, True)])
def test_statuses_of_failed_requests(status: int, *, failed: bool) -> None:
    """Status codes from 400 on are failures, a redirect is none."""
    recording = Recording()
    recorder = recording.open()
    recorder.on_request_body(b"{}")
    recorder.on_request_end()
    recorder.on_response_head(status, {})
    recorder.finish(status)

    assert failed is recording.offered[0].failed


def test_spans() -> None:
    """Latency is the whole time; the overhead excludes the time between forwarding and the end of the response."""
    recording = Recording()
    recorder = recording.open()
    for seconds, step in (
        (1, recorder.on_forwarded),
        (10, recorder.on_response_end),
        (2, recorder.on_sent),
        (100, lambda: recorder.finish(200)),
    ):
        recording.timer.now += seconds
        step()

    assert 13 == recording.total("request_latency_seconds_sum")
    assert 3 == recording.total("driftgauge_proxy_overhead_seconds_sum")


def test_other_requests_have_a_recorder_that_does_nothing() -> None:
    """The recorder of a request that is not an inference accepts the same calls and records nothing."""
    recording = Recording()
    recorder = recording.factory.open(b"GET", INFER, {}, 0.0)
    _whole(recorder)
    recorder.on_replaced(b"sorry")

    assert not isinstance(recorder, InferenceRecorder)
    assert [] == recording.offered
    assert 0 == recording.total("request_count")


@pytest.mark.parametrize("code", [200, 404])
def test_a_name_that_lost_its_place_counts_for_the_others_until_it_is_proven(code: int) -> None:
    """The recorder keeps no names that have expired, so their series are not started again by failures."""
    clock = ManualClock()
    models = KnownModels(1, other=overflow_key(MODEL), idle=IdleLimits(10, 20, clock))
    recording = Recording(models)
    _whole(recording.open())
    clock.now += 20
    models.expire()
    recording.metrics.retain(models)
    recorder = recording.open()
    recorder.finish(code)

    assert (code == 200) == (recording.total("request_count", model_name="wine") == 1)
    assert (code == 404) == (recording.total("request_count", model_name="(other)", code="404") == 1)


def test_a_new_name_gets_the_place_of_one_that_is_idle() -> None:
    """In the proxy, too, a name that is idle gives its place to one that its model server knows."""
    clock = ManualClock()
    models = KnownModels(1, other=overflow_key(MODEL), idle=IdleLimits(10, 20, clock))
    recording = Recording(models)
    for name in (b"a", b"b"):
        recording.open(b"/v2/models/%b/infer" % name).finish(200)
    clock.now += 10
    recording.open(b"/v2/models/b/infer").finish(200)

    assert ["b"] == [model.model_name for model in models]
    assert [1, 1, 1] == [
        recording.total("request_count", model_name=name, code="200") for name in ("a", "b", "(other)")
    ]
