"""The options of labels reach the stores that a process makes, in memory and in Redis."""

from typing import Any

import numpy as np
import pytest

from driftgauge.app.runtime import Runtime
from driftgauge.config.options import LoggerConfig
from driftgauge.inference.payload import Kind
from driftgauge.storage.labels import LabelOutcome, LabelStore, StoredLabel, WaitingResponse
from driftgauge.storage.ring import StreamKey
from tests.support.labelled import LAYOUT
from tests.support.models import WINE
from tests.support.redis_server import RedisServer

pytestmark = [
    pytest.mark.parametrize("has_redis", [False, True]),
    pytest.mark.usefixtures("redis_client"),  # which empties the server
]

SLICES = 24
DIGEST = 2**40
"""Smaller than all but one in 16 million."""


def made(server: RedisServer, options: dict[str, Any], *, has_redis: bool) -> tuple[Runtime, LabelStore]:
    """A logger with these options, and its store."""
    redis = {"redis_url": server.url} if has_redis else {}
    runtime = Runtime(LoggerConfig.model_validate({"labels_port": 9465, **redis, **options}), "", None)
    assert runtime.stores.labels is not None
    return runtime, runtime.stores.labels


def responses(runtime: Runtime, number: int = 1, age: float = 0.0) -> list[WaitingResponse]:
    """Responses of this age."""
    return [WaitingResponse((DIGEST * one,), runtime.clock() - age, np.ones((1, 1))) for one in range(1, number + 1)]


async def test_no_more_responses_wait_than_label_pending(redis_server: RedisServer, *, has_redis: bool) -> None:
    """Of one slice a part in 24."""
    runtime, store = made(redis_server, {"label_pending": 2 * SLICES}, has_redis=has_redis)
    found = await store.put(WINE, LAYOUT, responses(runtime, 5))
    await runtime.stores.close()
    runtime.views.close()

    assert (2, 3) == (found.kept, found.left_out)


async def test_a_small_label_pending_keeps_one_response_of_each_slice(
    redis_server: RedisServer, *, has_redis: bool
) -> None:
    """Also where its bytes are more than a part in 16 of what so few may have."""
    runtime, store = made(redis_server, {"label_pending": 1}, has_redis=has_redis)
    found = await store.put(WINE, LAYOUT, responses(runtime, 2))
    await runtime.stores.close()
    runtime.views.close()

    assert (1, 1) == (found.kept, found.left_out)


@pytest.mark.parametrize(("ttl", "kept"), [(60, 0), (600, 1)])
async def test_a_response_waits_for_label_ttl_seconds(
    redis_server: RedisServer, ttl: int, kept: int, *, has_redis: bool
) -> None:
    """One that is older is left out."""
    runtime, store = made(redis_server, {"label_ttl_seconds": ttl}, has_redis=has_redis)
    found = await store.put(WINE, LAYOUT, responses(runtime, age=120))
    await runtime.stores.close()
    runtime.views.close()

    assert (kept, 1 - kept) == (found.kept, found.left_out)


@pytest.mark.parametrize(("maturity", "rows"), [(0, 2), (60, 1)])
async def test_a_row_is_judged_after_label_maturity_seconds(
    redis_server: RedisServer, maturity: int, rows: int, *, has_redis: bool
) -> None:
    """Of two responses, one of which is old enough, one or both are judged when their labels come."""
    runtime, store = made(redis_server, {"label_maturity_seconds": maturity}, has_redis=has_redis)
    young, old = responses(runtime)[0], responses(runtime, 2, age=120)[1]
    await store.put(WINE, LAYOUT, [young, old])
    found = await store.match(WINE, LAYOUT, [StoredLabel(one.ids[0], 0, 0, 1.0) for one in (young, old)])
    window = await runtime.stores.ring.read(StreamKey(WINE, Kind.OUTCOME), LAYOUT.schema, 2)
    await runtime.stores.close()
    runtime.views.close()

    assert [LabelOutcome.MATCHED] * 2 == [one.outcome for one in found]
    assert rows == len(window.rows)
