"""Which inferences are sent again, by the proxy in front of model servers that close idle connections or fail."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from driftgauge.proxy.resending import MAX_SECOND_TRIES, SUSPENDED_SECONDS
from tests.support.proxied import SETTINGS, Proxied
from tests.support.raw_client import Wire, post
from tests.support.upstream import OK, RawUpstream

INFER = "/v2/models/wine/infer"
GOOD = post(INFER, b'{"good": 1}')
POISON = post(INFER, b'{"poison": 1}')
BAD_GATEWAY = b"HTTP/1.1 502 Bad Gateway\r\n"
POISONS_A_MINUTE = 3 * MAX_SECOND_TRIES


async def close_unread(wire: Wire) -> None:
    """Respond to one request, and close when the next has come, unread: as if the end had crossed it on its way."""
    await wire.message()
    wire.send(OK)
    await wire.unread()


class FailingModel:
    """A model server that responds to good requests, and fails when it has read a poisonous one.

    Args:
        fail: What it does with the connection then.
    """

    def __init__(self, fail: Callable[[Wire], None]) -> None:
        self.poisons = 0
        self._fail = fail

    async def __call__(self, wire: Wire) -> None:
        """Serve a connection."""
        while True:
            if b"poison" in await wire.message():
                self.poisons += 1
                self._fail(wire)
                return
            wire.send(OK)


async def _poison(proxy: Proxied) -> list[bytes]:
    """The responses to poisonous requests, each on a connection that a good one has used."""
    responses = []
    for _ in range(POISONS_A_MINUTE):
        assert OK == await proxy.ask(GOOD)
        responses.append(await proxy.ask(POISON))
    return responses


async def test_inference_that_meets_the_end_of_an_idle_connection_gets_its_response(
    proxy: Proxied, upstream: RawUpstream
) -> None:
    """It is sent again on a new connection, and the model server reads it once."""
    upstream.script = close_unread
    responses = [await proxy.ask(GOOD) for _ in range(10)]
    responded = proxy.total("driftgauge_resent_requests_total", outcome="responded")

    # The end counts as that of an idle connection within 40 ms, so a busy machine may miss it now and then.
    assert responses.count(OK) >= 1 + responded > 1
    assert responses.count(OK) == upstream.received.count(b'{"good": 1}')


@pytest.mark.parametrize("fail", [Wire.reset, Wire.finish], ids=["reset", "close"])
async def test_a_model_that_fails_of_a_request_is_hardly_asked_twice(
    proxy: Proxied, upstream: RawUpstream, fail: Callable[[Wire], None]
) -> None:
    """In each minute it executes no more than the limit of second tries beyond the requests, whatever the traffic."""
    upstream.script = model = FailingModel(fail)
    for minute in (1, 2, 3):
        responses = await _poison(proxy)
        proxy.timer.now += SUSPENDED_SECONDS

        assert all(response.startswith(BAD_GATEWAY) for response in responses)
        assert 0 <= model.poisons - minute * POISONS_A_MINUTE <= minute * MAX_SECOND_TRIES


async def test_a_model_that_closes_after_reading_is_asked_once(proxy: Proxied, upstream: RawUpstream) -> None:
    """The end of the connection acknowledges the request, so it is not sent again at all."""
    upstream.script = model = FailingModel(Wire.finish)
    await _poison(proxy)

    assert POISONS_A_MINUTE == model.poisons


async def test_never_sends_nothing_again(upstream: RawUpstream) -> None:
    """With `resend: never` the end of an idle connection is a 502 at once, and nothing is counted as sent again."""
    upstream.script = close_unread
    async with Proxied(upstream.port, replace(SETTINGS, sends_again=False)) as proxy:
        first, second = await proxy.ask(GOOD), await proxy.ask(GOOD)

        assert (OK, True) == (first, second.startswith(BAD_GATEWAY))
        assert 0 == proxy.total("driftgauge_resent_requests_total")


async def test_suspension_is_shown(proxy: Proxied, upstream: RawUpstream) -> None:
    """A gauge is 1 for the minute in which nothing is sent again."""
    refusing = FailingModel(Wire.reset)

    async def serve_then_reset_all(wire: Wire) -> None:
        """Respond to one request, end the connection unread at the second, and then reset new connections."""
        await close_unread(wire)
        upstream.script = refusing

    upstream.script = serve_then_reset_all
    await proxy.ask(GOOD)
    await proxy.ask(POISON)
    shown = [proxy.total("driftgauge_resend_suspended")]
    proxy.timer.now += SUSPENDED_SECONDS
    shown.append(proxy.total("driftgauge_resend_suspended"))

    assert [proxy.total("driftgauge_resent_requests_total", outcome="failed"), 0] == shown
