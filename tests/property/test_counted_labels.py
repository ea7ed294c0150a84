"""Each label that the labels port replies about is counted once, whatever the events of a batch are."""

import asyncio
import json
from typing import Any

from aiohttp import ClientSession
from hypothesis import given, settings
from hypothesis import strategies as st

from driftgauge.inference.known_models import KnownModels
from driftgauge.labels.label_models import LabelModels
from driftgauge.labels.label_server import LabelServer
from tests.support.labelled import EARLY_SECONDS, Labelled
from tests.support.labels_port import MAX_BODY_BYTES, LabelsPort
from tests.support.models import WINE

BATCH = "application/cloudevents-batch+json"
SOUND = {"specversion": "1.0", "id": "4711", "source": "shop", "type": "io.driftgauge.label", "data": {"label": 6}}

EVENTS: tuple[Any, ...] = (
    SOUND,
    SOUND | {"id": "never"},
    SOUND | {"data": {"labels": [6, "six", 5]}},
    SOUND | {"data": [{"label": 6}, {"row": 6}]},
    SOUND | {"data": None},
    SOUND | {"id": ""},
    SOUND | {"type": "com.foo"},
    SOUND | {"inferenceservicename": "other"},
    SOUND | {"inferenceservicename": WINE.inference_service, "namespace": WINE.namespace},
    SOUND | {"datacontenttype": "image/png", "data_base64": "AAAA"},
    17,
)


async def replied_and_counted(events: list[Any]) -> tuple[int, int, int]:
    """Post a batch; returns the status code, how many labels the reply has, and how many were counted in the end."""
    port = LabelsPort()
    await port.open()
    await port.labelled.respond("4711", rows=2)
    async with ClientSession() as client:
        status, reply = await port.post(client, json.dumps(events).encode(), BATCH)
    for _ in range(2):
        await port.labelled.matcher.advance()
        port.labelled.clock.now += EARLY_SECONDS
    await port.close()
    return status, reply.get("accepted", 0) + sum(reply.get("rejected", {}).values()), port.labelled.counted()


@settings(max_examples=40)
@given(st.lists(st.sampled_from(EVENTS), min_size=1, max_size=6))
def test_accepted_and_rejected_add_up_to_the_outcomes(events: list[Any]) -> None:
    """What is accepted or rejected in a reply adds up to the outcomes; a refusal as a whole counts nothing."""
    status, replied, counted = asyncio.run(replied_and_counted(events))
    assert replied == counted
    assert replied or status >= 400


def test_a_process_without_models_refuses_the_batch() -> None:
    """Where no model is known that its events could be counted for, a batch is refused as a whole."""

    async def post(events: list[Any]) -> tuple[int, dict[str, Any], int]:
        labelled = Labelled()
        port = LabelsPort(labelled)
        models = LabelModels(KnownModels(0), labelled.ring, labelled.clock)
        port.server = LabelServer(labelled.matcher, models, MAX_BODY_BYTES)
        await port.open()
        async with ClientSession() as client:
            url, headers = port.url.partition("?")[0], {"Content-Type": BATCH}
            async with client.post(url, data=json.dumps(events), headers=headers) as response:
                found = response.status, await response.json(), labelled.counted()
        await port.close()
        return found

    unknown, other = SOUND | {"inferenceservicename": "other"}, SOUND | {"type": "com.foo"}
    status, reply, counted = asyncio.run(post([unknown, other]))
    assert (404, {"error"}, 0) == (status, set(reply), counted)
    assert (415, 0) == asyncio.run(post([other, other]))[::2]
