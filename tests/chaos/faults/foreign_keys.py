"""Faults of keys that another program wrote into the same Redis."""

import secrets
from collections.abc import Callable

from tests.chaos.fault import Fault
from tests.chaos.stage import Stage, streams

_LARGEST_ID = f"{2**64 - 1}-{2**64 - 1}"


def _once(disturb: Callable[[Stage], None]) -> Callable[[Stage], None]:
    """A fault that needs no end: what was disturbed must heal by itself."""

    def inflict(stage: Stage) -> None:
        disturb(stage)
        stage.lift()

    return inflict


def _other_types(stage: Stage) -> None:
    """Give every key another type, and add keys with names that are no model's."""
    stage.note_loss()
    for key in stage.redis.keys("driftgauge:*"):
        kind = stage.redis.type(key)
        stage.redis.delete(key)
        if kind == b"string":
            stage.redis.rpush(key, "foreign")
        else:
            stage.redis.set(key, "foreign")
    for number in range(100):
        stage.redis.set(f"driftgauge:{{a/%FF/{number}/c}}:request", "foreign")


def _largest_id(stage: Stage) -> None:
    for stream in streams():
        stage.redis.delete(stream)
        stage.redis.xadd(stream, {"foreign": "1"}, id=_LARGEST_ID)


def _other_entries(stage: Stage) -> None:
    for stream in streams():
        stage.redis.xadd(stream, {"foreign": "1"})


def _other_states(stage: Stage) -> None:
    """Replace every value by random bytes, of which half begin like a state of ours."""
    for number, key in enumerate(sorted(stage.redis.keys("driftgauge:*"))):
        if stage.redis.type(key) == b"string":
            head = b"999999999999999999\n" if number % 2 else b""
            stage.redis.set(key, head + secrets.token_bytes(100))


FAULTS = (
    Fault("foreign-types", "every key has another type", "replaced, counted, named once", _once(_other_types)),
    Fault(
        "foreign-largest-id",
        "every stream holds one entry with the largest id",
        "replaced, counted, named once",
        _once(_largest_id),
    ),
    Fault(
        "foreign-entries",
        "every stream holds an entry of another shape, whose id is a time",
        "skipped, counted, named once",
        _once(_other_entries),
    ),
    Fault(
        "foreign-states",
        "every state is random bytes, or those with the head of a state",
        "replaced, counted, named once",
        _once(_other_states),
    ),
)
