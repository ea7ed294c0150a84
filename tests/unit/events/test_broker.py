"""A broker with the rules of Knative's accepts every type of event, and its triggers choose by type and extensions."""

import json

import pytest

from tests.support.broker_ingress import BrokerIngress, event_faults
from tests.support.changes import CONCEPT, DRIFT, LIMITS, OK, UNSURE, ChangingModels


async def test_a_broker_accepts_each_change() -> None:
    """Drift, its end, and a verdict that is lost: three events with code 202, each for the trigger of its type."""
    async with BrokerIngress("ml", "default").listening() as broker:
        models = ChangingModels(broker.url)
        for state in (DRIFT, OK, UNSURE):
            for _ in range(3):  # what must last is seen again
                await models.look(state)
                await models.send()
                models.clock.now += LIMITS.settle_seconds
        await models.target.close()

    assert [] == broker.refused
    types = [f"io.driftgauge.drift.{one}" for one in ("detected", "resolved", "cannot_tell")]
    assert types == [one.attributes["type"] for one in broker.taken]
    (detected,) = broker.delivered({"type": types[0], "inferenceservicename": "wine", "stream": "inputs"})
    assert DRIFT == json.loads(detected.data)["state"]
    assert [] == broker.delivered({"type": types[0], "inferenceservicename": "iris"})


async def test_outputs_have_triggers_of_their_own() -> None:
    """A change of concept has the output as an extension."""
    async with BrokerIngress("ml", "default").listening() as broker:
        models = ChangingModels(broker.url)
        await models.look(DRIFT, key=CONCEPT)
        await models.send()
        await models.target.close()

    assert 1 == len(broker.delivered({"type": "io.driftgauge.concept.detected", "output": "quality"}))


@pytest.mark.parametrize("missing", ["id", "source", "type", "specversion"])
def test_the_broker_refuses_an_event_without(missing: str) -> None:
    """The rules of the broker are strict: an event that lacks an attribute is refused."""
    whole = {"id": "1", "source": "/a", "type": "b", "specversion": "1.0"}

    assert [] == event_faults(whole)
    assert event_faults({name: value for name, value in whole.items() if name != missing})
