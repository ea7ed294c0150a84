"""Faults of driftgauge's own processes, and of its files and clocks."""

from tests.chaos.fault import Fault
from tests.chaos.senders import Traffic
from tests.chaos.stage import Settings, Stage


def _nothing(stage: Stage) -> None:
    stage.send_for(3)
    stage.lift()


def _kill_replicas(stage: Stage) -> None:
    for replica in (stage.loggers[0], stage.proxies[0]):
        replica.kill()
        stage.start_again(replica)
    stage.lift()


FAULTS = (
    Fault(
        "calm",
        "none; 1 % of the events malformed, 5 % of the halves missing, a fifth sampled out",
        "every payload is counted",
        _nothing,
        Settings(traffic=Traffic(malformed=0.01), flags=("--sample-ratio=0.8",)),
        is_quick=True,
    ),
    Fault(
        "kill-replica",
        "kill -9 of a logger and of a proxy, which are replaced",
        "the killed ones lose at most what a flush interval of 0.5 s holds",
        _kill_replicas,
        is_quick=True,
    ),
)
