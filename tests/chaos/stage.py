"""Three loggers and three proxies on one Redis, a model server, and senders; and what a fault does to them."""

import contextlib
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
from numpy.typing import NDArray

from tests.chaos.model import ModelFault, call
from tests.chaos.replica import KINDS, Replica
from tests.chaos.ring import stream_name
from tests.chaos.senders import (
    NAMESPACE,
    PROXIED_NAMESPACE,
    PROXIED_SERVICE,
    SERVICE,
    Senders,
    Traffic,
)
from tests.chaos.stores import Standalone, Store
from tests.support.ports import free_port
from tests.support.processes import Child, Driftgauge
from tests.support.scrape import Samples
from tests.support.waiting import wait_until

REPLICAS = 3
WINDOW_ROWS = 400
FLUSH_SECONDS = 0.5
PAIR_TTL_SECONDS = 3
COLUMNS = ["alcohol", "ph"]

RECOVERY_SECONDS = 60
"""Longest wait for what must come back by itself."""

_NOTICE_SECONDS = 12
"""Longest time after which a fault must be noticed: a flush, a call's time limit, and a busy machine."""

_REFERENCE_ROWS = 500

UNREPORTED_SECONDS = 1.5
"""How old a half may be that another logger has paired, and whose owner has not read that yet: both look every half
second, and the machine is busy."""

FLAGS = (
    "--evaluation-interval-seconds=1",
    "--reference-poll-seconds=0.2",
    f"--flush-interval-seconds={FLUSH_SECONDS}",
    f"--window-rows={WINDOW_ROWS}",
    "--min-rows=50",
    "--baseline-rows=50",
)


@dataclass(frozen=True, slots=True)
class Settings:
    """How a stage is built.

    Args:
        store: Makes the Redis.
        traffic: How the senders send.
        flags: Further flags of all replicas.
        environments: Variables of the replicas of each mode, by index.
    """

    store: Callable[[], Store] = Standalone
    traffic: Traffic = field(default_factory=Traffic)
    flags: tuple[str, ...] = ()
    environments: tuple[Mapping[str, str], ...] = ({}, {}, {})


class Stage:
    """Everything that runs during a fault, until the `with` block ends.

    Args:
        settings: How it is built.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.begun = time.monotonic()
        self.lifted = 0.0
        self.forgets_from = float("inf")
        self.retired: list[Replica] = []
        self.broken: list[str] = []
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        """Start everything; returns when all replicas have a verdict."""
        try:
            self._start()
        except BaseException as error:
            self._stack.__exit__(type(error), error, None)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop everything."""
        self._stack.__exit__(kind, error, trace)

    def _start(self) -> None:
        self.folder = Path(self._stack.enter_context(tempfile.TemporaryDirectory(prefix="driftgauge-chaos-")))
        self.store = self._stack.enter_context(self.settings.store())
        self.redis = self._stack.enter_context(self.store.client())
        self.reference = self.write_reference(seed=1)
        self.model_port = free_port()
        self.model = self.start_model()
        specs = [("logger", index) for index in range(REPLICAS)] + [("proxy", index) for index in range(REPLICAS)]
        started = [self._launch(*spec) for spec in specs]
        for replica in started:
            self._open(replica)
        self.loggers, self.proxies = started[:REPLICAS], started[REPLICAS:]
        self.senders = Senders(self.loggers, self.proxies, self.settings.traffic)
        self.senders.start()
        self._stack.callback(self.senders.stop)
        self.wait_for_all(lambda one: one.metrics().total("driftgauge_state") > 0, "first verdict")
        wait_until(lambda: all(map(self._has_fed, (self.loggers, self.proxies))), "rows of both kinds in detectors")
        for replica in self.replicas:
            replica.mark_log()

    @staticmethod
    def _has_fed(group: Sequence[Replica]) -> bool:
        """Whether the detectors of a model, of requests and of responses, were fed by some replica."""
        scrapes = [one.metrics() for one in group]
        return all(sum(one.total("driftgauge_detector_rows_total", kind=kind) for one in scrapes) for kind in KINDS)

    @property
    def standalone(self) -> Standalone:
        """The store, where it is one Redis behind a relay.

        Raises:
            TypeError: It is another one: an error of the fault.
        """
        if not isinstance(self.store, Standalone):
            raise TypeError("this fault is one of a single Redis")
        return self.store

    @property
    def replicas(self) -> list[Replica]:
        """The replicas that run."""
        return [*self.loggers, *self.proxies]

    def start_model(self) -> Child:
        """Start the model server, and wait until it responds."""
        model = self._stack.enter_context(Child([sys.executable, "-m", "tests.chaos.model", str(self.model_port)]))
        model.await_port(self.model_port)
        return model

    def set_model_fault(self, fault: ModelFault) -> None:
        """Let the model server do something wrong from now on."""
        call(self.model_port, "POST", "/fault", fault.encode())

    def executed(self) -> int:
        """How many requests the model server has computed since it started."""
        return int(call(self.model_port, "GET", "/executed"))

    def write_reference(self, seed: int, indices: Sequence[int] = range(REPLICAS)) -> NDArray[np.float64]:
        """Write the reference of both models for the replicas of these indices; returns it."""
        dice = np.random.default_rng(seed)
        rows = np.stack([dice.normal(10, 1, _REFERENCE_ROWS), dice.normal(3, 0.2, _REFERENCE_ROWS)], axis=1)
        lines = [",".join(COLUMNS), *(f"{alcohol!r},{ph!r}" for alcohol, ph in rows.tolist())]
        for _, service in MODELS:
            for index in indices:
                # a folder for each model, since a logger evaluates every model of its folder
                file = self.folder / f"{service}-{index}" / f"{service}.csv"
                file.parent.mkdir(exist_ok=True)
                part = file.with_suffix(".part")
                part.write_text("\n".join(lines) + "\n")
                part.rename(file)
        return rows

    def start_again(self, replica: Replica) -> Replica:
        """Start a replica like another one, in its place; returns it."""
        mode, index = replica.spec
        new = self._launch(mode, index)
        self._open(new)
        self.retired.append(replica)
        (self.loggers if mode == "logger" else self.proxies)[index] = new
        return new

    def _open(self, replica: Replica) -> None:
        """Wait until a replica listens, also on a machine that is busy with others; it ends with the stage."""
        with contextlib.suppress(TimeoutError):  # the next line reports it, with what the process wrote
            replica.process.await_response(f"{replica.process.admin_url}/healthz", RECOVERY_SECONDS)
        self._stack.enter_context(replica.process)

    def _launch(self, mode: str, index: int) -> Replica:
        where = {
            "logger": ("--reference-dir", self.folder / f"{SERVICE}-{index}", f"--pair-ttl-seconds={PAIR_TTL_SECONDS}"),
            "proxy": (
                *("--upstream-url", f"http://127.0.0.1:{self.model_port}"),
                *("--reference", self.folder / f"{PROXIED_SERVICE}-{index}" / f"{PROXIED_SERVICE}.csv"),
                *("--namespace", PROXIED_NAMESPACE, "--inference-service", PROXIED_SERVICE),
            ),
        }[mode]
        flags = [*where, "--redis-url", self.store.url, *FLAGS, *self.settings.flags]
        process = Driftgauge(mode, *flags, env=self.settings.environments[index])
        self._stack.callback(process.kill)  # also if one that is opened before it fails
        return Replica(f"{mode} {index}", process, (mode, index))

    def send_for(self, seconds: float) -> None:
        """Wait until the senders have sent as much as they send in this time."""
        rate = self.settings.traffic.rate * len(self.replicas)
        enough = self.senders.observed.turns + rate * seconds
        wait_until(lambda: self.senders.observed.turns >= enough, f"{seconds:g} s of traffic", 10 * seconds + 30)

    def wait_for_all(
        self,
        condition: Callable[[Replica], bool],
        what: str,
        replicas: Sequence[Replica] | None = None,
        deadline_seconds: float = RECOVERY_SECONDS,
    ) -> None:
        """Wait until a condition holds once on each replica.

        Raises:
            TimeoutError: After the deadline; it names the replicas that are left.
        """
        left = list(self.replicas if replicas is None else replicas)

        def none_left() -> bool:
            left[:] = [one for one in left if not condition(one)]
            return not left

        try:
            wait_until(none_left, what, deadline_seconds)
        except TimeoutError:
            raise TimeoutError(f"no {what} on {', '.join(one.name for one in left)}") from None

    def expect(
        self, condition: Callable[[Replica], bool], what: str, replicas: Sequence[Replica] | None = None
    ) -> None:
        """Note a broken promise unless a condition comes to hold on each replica while the fault lasts."""
        try:
            self.wait_for_all(condition, what, replicas, _NOTICE_SECONDS)
        except TimeoutError as error:
            self.broken.append(str(error))

    def settle(self) -> None:
        """Wait until each replica shows a newer evaluation, if it ever does."""
        before = {one.port: _evaluated(one.metrics()) for one in self.replicas}
        with contextlib.suppress(TimeoutError):
            wait_until(
                lambda: all(_evaluated(one.metrics()) != before[one.port] for one in self.replicas), "evaluations", 5
            )

    def command(self, *words: str) -> None:
        """Send a command to Redis itself."""
        self.redis.execute_command(*words)

    def lift(self) -> None:
        """Note that the fault ends now: recovery counts from here."""
        self.lifted = time.monotonic()
        self._at_lift = {one.port: one.metrics() for one in self.replicas}

    def note_loss(self) -> None:
        """Note that Redis loses data until the fault ends: reports of loggers about pairs, too."""
        self.forgets_from = time.monotonic() - UNREPORTED_SECONDS

    def recover(self) -> float:
        """Wait until all is well again; returns the seconds since the fault was lifted.

        Well means for each replica: Redis is up, payloads of both kinds are accepted again, and there is a newer
        evaluation.

        Raises:
            TimeoutError: It takes too long.
        """
        self.wait_for_all(self._is_well, "recovery")
        return time.monotonic() - self.lifted

    def _is_well(self, replica: Replica) -> bool:
        now, then = replica.metrics(), self._at_lift.get(replica.port, Samples([]))
        gained = [_accepted(now, kind) > _accepted(then, kind) for kind in KINDS]
        is_up = all(sample.value for sample in now.matching("driftgauge_redis_up"))
        return is_up and all(gained) and _evaluated(now) != _evaluated(then)


def _accepted(samples: Samples, kind: str) -> float:
    return samples.total("driftgauge_payloads_total", kind=kind, outcome="accepted")


def _evaluated(samples: Samples) -> list[float]:
    """When each model was last evaluated."""
    return [sample.value for sample in samples.matching("driftgauge_evaluation_timestamp_seconds")]


MODELS = ((NAMESPACE, SERVICE), (PROXIED_NAMESPACE, PROXIED_SERVICE))
"""Namespace and InferenceService of the models: the loggers', and the proxies'."""


def streams() -> Iterator[str]:
    """The keys of the streams of both models."""
    for namespace, service in MODELS:
        for kind in KINDS:
            yield stream_name(namespace, service, kind)
