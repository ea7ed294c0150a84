"""Faults of driftgauge's own processes, of their files and of their clocks."""

import signal
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from tests.chaos.fault import Fault
from tests.chaos.replica import Replica
from tests.chaos.senders import Traffic
from tests.chaos.stage import Settings, Stage
from tests.chaos.stores import Standalone
from tests.support.waiting import wait_until


def _nothing(stage: Stage) -> None:
    stage.send_for(3)
    stage.lift()


def _kill_replicas(stage: Stage) -> None:
    for replica in (stage.loggers[0], stage.proxies[0]):
        replica.kill()
        stage.start_again(replica)
    stage.lift()


def _holders(stage: Stage) -> list[Replica]:
    """The replicas that evaluate the models now, one for each.

    Raises:
        TimeoutError: A model has none, or more than one for longer than a change takes.
    """

    def of(running: list[Replica]) -> list[Replica]:
        return [one for one in running if one.metrics().total("driftgauge_evaluator")]

    groups = (stage.loggers, stage.proxies)
    return wait_until(
        lambda: (
            [holder for running in groups for holder in of(running)]
            if all(len(of(running)) == 1 for running in groups)
            else None
        ),
        "one evaluator for each model",
    )


def _kill_holders(stage: Stage) -> None:
    for replica in _holders(stage):
        replica.kill()
        stage.start_again(replica)
    stage.lift()


def _pause_holders(stage: Stage) -> None:
    holders = _holders(stage)
    for replica in holders:
        replica.process.signal(signal.SIGSTOP)
    wait_until(
        lambda: all(
            any(one.metrics().total("driftgauge_evaluator") for one in running if one not in holders)
            for running in (stage.loggers, stage.proxies)
        ),
        "other evaluators",
    )
    for replica in holders:
        replica.process.signal(signal.SIGCONT)
    stage.lift()


def _replace_all(stage: Stage) -> None:
    for replica in stage.replicas:
        stage.start_again(replica)
        replica.stop()
    stage.lift()


def _start_without_redis(stage: Stage) -> None:
    stage.senders.stop()
    for replica in stage.replicas:
        replica.stop()
    stage.standalone.server.kill()
    for replica in stage.replicas:
        stage.start_again(replica)
    stage.wait_for_all(lambda one: not one.metrics().total("driftgauge_redis_up"), "loss of Redis")
    stage.standalone.server.start()
    stage.lift()
    try:
        stage.wait_for_all(lambda one: one.metrics().total("driftgauge_state") > 0, "verdict without traffic")
    finally:
        stage.senders.start()


def _change_reference(stage: Stage) -> None:
    stage.write_reference(seed=2, indices=[0])
    stage.send_for(5)
    stage.reference = stage.write_reference(seed=2)
    stage.lift()


def _resets_once(stage: Stage) -> str:
    """One reset of each stream, by whichever replica."""
    resets: Counter[tuple[str, str]] = Counter()
    for replica in stage.replicas:
        for sample in replica.metrics().matching("driftgauge_detector_resets_total"):
            resets[sample.labels["inference_service"], sample.labels["kind"]] += round(sample.value)
    more = {" ".join(stream): number for stream, number in resets.items() if number > 1}
    return f"detectors were reset more than once: {more}" if more else ""


def _clock(offset: str) -> Mapping[str, str]:
    """Variables of a process whose clock is wrong; Debian's package faketime has the library."""
    library = next(iter(Path("/usr/lib").glob("*/faketime/libfaketime.so.1")), None)
    if library is None:
        return {}
    return {"LD_PRELOAD": str(library), "FAKETIME": offset}


def _check_clocks(stage: Stage) -> None:
    if not all(stage.settings.environments[::2]):
        raise RuntimeError("faketime is not installed; `bash .ci/packages` installs it")
    _nothing(stage)


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
    Fault(
        "kill-holder",
        "kill -9 of the replica that evaluates, for each model",
        "another one goes on; no row is fed twice",
        _kill_holders,
        is_quick=True,
    ),
    Fault(
        "pause-holder",
        "SIGSTOP of the replica that evaluates until another one has taken over, for each model",
        "the lost lease is noticed before a second write",
        _pause_holders,
    ),
    Fault("rolling-restart", "all replicas are replaced one by one (SIGTERM)", "nothing is lost", _replace_all),
    Fault(
        "start-without-redis",
        "all replicas start while Redis is away; it comes back, and there is no traffic",
        "the verdicts of before are there again",
        _start_without_redis,
        Settings(store=lambda: Standalone("--appendonly", "yes")),
    ),
    Fault(
        "two-references",
        "one replica of three has the new reference 5 s before the others",
        "one reset, no row fed twice",
        _change_reference,
        law=_resets_once,
    ),
    Fault(
        "clocks",
        "the clocks of the replicas are an hour slow, right, and an hour fast",
        "as without",
        _check_clocks,
        Settings(environments=(_clock("-1h"), {}, _clock("+1h"))),
    ),
)
