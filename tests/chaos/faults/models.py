"""Faults of the model server behind the proxies."""

import time
from collections.abc import Callable

from tests.chaos.fault import Fault
from tests.chaos.model import ModelFault
from tests.chaos.stage import Stage


def _kill(stage: Stage) -> None:
    observed = stage.senders.observed
    observed.model_down = (time.monotonic(), float("inf"))
    stage.model.kill()
    stage.send_for(3)
    stage.model = stage.start_model()
    observed.model_down = (observed.model_down[0], time.monotonic())
    stage.lift()


def _reset(stage: Stage) -> None:
    """Failures meanwhile are the model server's: only it knows whether it has computed what it had read."""
    observed = stage.senders.observed
    observed.model_down = (time.monotonic(), float("inf"))
    _during(ModelFault.RESETTING)(stage)
    observed.model_down = (observed.model_down[0], time.monotonic())


def _during(fault: ModelFault) -> Callable[[Stage], None]:
    def inflict(stage: Stage) -> None:
        stage.set_model_fault(fault)
        stage.send_for(4)
        stage.set_model_fault(ModelFault.NONE)
        stage.lift()

    return inflict


FAULTS = (
    Fault("model-killed", "kill -9 of the model server, which starts again 3 s later", "502 at once, counted", _kill),
    Fault("model-slow", "the model server takes 2 s for a response", "no inference fails", _during(ModelFault.SLOW)),
    Fault(
        "model-resetting",
        "the model server reads a request on a kept connection and resets it",
        "502 where the model server had the request, counted",
        _reset,
    ),
    Fault(
        "model-closing",
        "the model server closes each connection after a response, unannounced",
        "no inference fails",
        _during(ModelFault.CLOSING),
    ),
)
