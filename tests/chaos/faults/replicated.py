"""Faults of Redis under Sentinel, and of a Redis Cluster."""

from collections.abc import Callable
from typing import TypeVar

from tests.chaos.fault import Fault
from tests.chaos.replicated_stores import Cluster, WithSentinel, slots
from tests.chaos.stage import Settings, Stage, streams

T = TypeVar("T")

_SENTINEL = Settings(store=WithSentinel)
_CLUSTER = Settings(store=Cluster)


def _store(stage: Stage, kind: type[T]) -> T:
    if not isinstance(stage.store, kind):
        raise TypeError(f"this fault is one of a {kind.__name__}")
    return stage.store


def _nothing(stage: Stage) -> None:
    stage.send_for(3)
    stage.lift()


def _kill_master(stage: Stage) -> None:
    store = _store(stage, WithSentinel)
    old = store.master
    stage.note_loss()
    old.kill()
    store.wait_for_failover(old)
    stage.lift()
    old.start()


def _sentinel_fail_over(stage: Stage) -> None:
    stage.note_loss()
    _store(stage, WithSentinel).fail_over()
    stage.lift()


def _pause_master(stage: Stage) -> None:
    store = _store(stage, WithSentinel)
    old = store.master
    stage.note_loss()
    old.pause()
    store.wait_for_failover(old)
    stage.lift()
    old.resume()


def _kill_sentinel(stage: Stage) -> None:
    """The Sentinel that was asked first, and then the master."""
    _store(stage, WithSentinel).sentinels[0].kill()
    _kill_master(stage)


def _for_each_slot(do: Callable[[Cluster, int], object]) -> Callable[[Stage], None]:
    def inflict(stage: Stage) -> None:
        store = _store(stage, Cluster)
        stage.note_loss()
        for slot in slots(streams()):
            do(store, slot)
        stage.lift()

    return inflict


def _migrate(stage: Stage) -> None:
    store = _store(stage, Cluster)
    for slot in slots(streams()):
        target = store.other_primary(slot)
        store.begin_migration(slot, target)
        stage.send_for(1)
        store.move_keys(slot, target)
        stage.send_for(1)
        store.move_keys(slot, target)
        store.end_migration(slot, target)
    stage.lift()


FAULTS = (
    Fault("sentinel-calm", "none, under Sentinel", "as with one Redis", _nothing, _SENTINEL),
    Fault(
        "sentinel-kill",
        "kill -9 of the master; a Sentinel makes the replica the master",
        "rows go to the new master; losses are counted",
        _kill_master,
        _SENTINEL,
        is_quick=True,
    ),
    Fault(
        "sentinel-failover",
        "a failover while the old master lives, which becomes a replica",
        "no row goes to the old master",
        _sentinel_fail_over,
        _SENTINEL,
    ),
    Fault("sentinel-pause", "SIGSTOP of the master until there is a new one", "as above", _pause_master, _SENTINEL),
    Fault("sentinel-lost", "kill -9 of a Sentinel and of the master", "as above", _kill_sentinel, _SENTINEL),
    Fault("cluster-calm", "none, on a Cluster of six nodes", "as with one Redis", _nothing, _CLUSTER),
    Fault(
        "cluster-kill",
        "kill -9 of the primaries that hold the models, until their replicas have taken over",
        "losses are counted",
        _for_each_slot(Cluster.fail_over),
        _CLUSTER,
        is_quick=True,
    ),
    Fault(
        "cluster-failover",
        "the replicas take over while the primaries live",
        "losses are counted",
        _for_each_slot(Cluster.hand_over),
        _CLUSTER,
    ),
    Fault(
        "slot-migration", "the slots of the models move to other primaries", "losses are counted", _migrate, _CLUSTER
    ),
)
