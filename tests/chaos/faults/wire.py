"""Faults of the network between driftgauge and Redis."""

from collections.abc import Callable

from tests.chaos.fault import Fault
from tests.chaos.relay import Mode
from tests.chaos.stage import Stage

_RESETS = 10


def _reset_idle(stage: Stage) -> None:
    stage.senders.stop()
    stage.settle()
    stage.standalone.relay.reset_all()
    stage.lift()
    stage.senders.start()


def _reset_busy(stage: Stage) -> None:
    for _ in range(_RESETS):
        stage.standalone.relay.reset_all()
        stage.send_for(0.3)
    stage.lift()


def _during(mode: Mode, seconds: float) -> Callable[[Stage], None]:
    def inflict(stage: Stage) -> None:
        stage.standalone.relay.set_mode(mode)
        stage.send_for(seconds)
        stage.standalone.relay.set_mode(Mode.PASS)
        stage.lift()

    return inflict


FAULTS = (
    Fault("reset-idle", "idle connections to Redis are reset", "nothing is lost", _reset_idle, is_quick=True),
    Fault("reset-busy", "busy connections to Redis are reset ten times in 3 s", "losses are counted", _reset_busy),
    Fault("blackhole", "no byte to or from Redis passes for 5 s", "losses are counted", _during(Mode.BLACKHOLE, 5)),
    Fault("trickle", "Redis's replies pass one byte a second for 5 s", "losses are counted", _during(Mode.TRICKLE, 5)),
    Fault("garbage", "Redis's replies are random bytes for 3 s", "losses are counted", _during(Mode.GARBAGE, 3)),
)
