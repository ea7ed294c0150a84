"""Senders of the chaos runs: clients of the proxies, and agents that post events to the loggers; each in a thread.

They pace themselves, never wait for a fault, and count what each replica has taken.
"""

import contextlib
import http.client
import itertools
import json
import random
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from tests.chaos.model import prediction
from tests.chaos.replica import Replica
from tests.support.agent import Event

SERVICE, NAMESPACE = "wine", "cellar"
"""The InferenceService whose events go to the loggers."""

PROXIED_SERVICE, PROXIED_NAMESPACE = "iris", "garden"
"""The InferenceService whose requests go through the proxies."""

_TIMEOUT_SECONDS = 60
_OK = 200


@dataclass(slots=True)
class Traffic:
    """How the senders send.

    Args:
        rate: Turns a second of each sender: one inference, or the two events of one.
        malformed: Share of events whose payload is no JSON, in [0, 1].
        missing_halves: Share of inferences of which only one event is posted, in [0, 1].
    """

    rate: float = 10.0
    malformed: float = 0.0
    missing_halves: float = 0.05


@dataclass(slots=True)
class Observed:
    """What the senders have seen, beside what each replica has taken.

    Args:
        turns: Turns of all senders.
        failed: Inferences that failed though the model and their proxy lived, each with its error.
        excused: Inferences that failed while the model was down, or because their proxy was killed.
        undelivered: Events that a living logger did not take, each with its error.
        slowest_seconds: The slowest inference that did not fail.
        model_down: From when to when the model was down, by the monotonic clock.
    """

    turns: int = 0
    failed: list[str] = field(default_factory=list)
    excused: int = 0
    undelivered: list[str] = field(default_factory=list)
    slowest_seconds: float = 0.0
    model_down: tuple[float, float] = (float("inf"), float("inf"))

    def model_was_down(self, begun: float) -> bool:
        """Whether the model was down at any time since `begun`."""
        down, up = self.model_down
        return begun <= up and time.monotonic() >= down


class Senders:
    """Three clients and three agents, from `start` to `stop`.

    Args:
        loggers: Where events go; entries may be replaced at any time.
        proxies: Where inferences go; entries may be replaced at any time.
        traffic: How they send.
    """

    def __init__(self, loggers: Sequence[Replica], proxies: Sequence[Replica], traffic: Traffic) -> None:
        self.observed = Observed()
        self._loggers = loggers
        self._proxies = proxies
        self._traffic = traffic
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._threads: list[threading.Thread] = []

    def start(self) -> None:
        """Send from now on."""
        self._stopping = threading.Event()
        targets = [*(self._infer for _ in self._proxies), *(self._post for _ in self._loggers)]
        indices = [*range(len(self._proxies)), *range(len(self._loggers))]
        self._threads = [
            threading.Thread(target=self._run, args=(target, index, seed), name=f"sender-{seed}", daemon=True)
            for seed, (target, index) in enumerate(zip(targets, indices, strict=True))
        ]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Send no more; returns when every response has come."""
        self._stopping.set()
        for thread in self._threads:
            thread.join()
        self._threads = []

    def _run(self, turn: Callable[["_Sender"], None], index: int, seed: int) -> None:
        sender = _Sender(index, random.Random(seed))  # noqa: S311 - traffic, not secrets
        begun = time.monotonic()
        for number in itertools.count():
            late = begun + number / self._traffic.rate - time.monotonic()
            if self._stopping.wait(max(0.0, late)):
                break
            if late < -1:
                begun -= late  # turns that were missed are not made up for
            turn(sender)
            with self._lock:
                self.observed.turns += 1
        sender.close()

    def _infer(self, sender: "_Sender") -> None:
        """Send one inference through a proxy."""
        proxy, begun = self._proxies[sender.index], time.monotonic()
        head = {"Content-Type": "application/json"}
        body = sender.body()
        status, response = sender.send(proxy, f"/v1/models/{PROXIED_SERVICE}:predict", body, head)
        if status == _OK and response == prediction(body):
            self.observed.slowest_seconds = max(self.observed.slowest_seconds, time.monotonic() - begun)
            proxy.record(("request", "response"))
        elif proxy.is_killed:
            self.observed.excused += 1
        else:
            proxy.record_failure(status)
            if self.observed.model_was_down(begun):
                self.observed.excused += 1
            else:
                self.observed.failed.append(f"{status} {response[:80]!r}")

    def _post(self, sender: "_Sender") -> None:
        """Post the events of one inference, each half to another logger."""
        dice, traffic = sender.dice, self._traffic
        body = sender.body()
        malformed = dice.random() < traffic.malformed
        halves = [("request", body[:-1] if malformed else body), ("response", prediction(body))]
        if dice.random() < traffic.missing_halves:
            halves = [dice.choice(halves)]
        id_ = f"{dice.getrandbits(64):016x}"
        for kind, half in halves:
            at = sender.index + (kind == "response")
            logger = self._loggers[at % len(self._loggers)]
            status, response = sender.send(logger, "/", half, _event_headers(kind, id_))
            if status == _OK:
                logger.record((kind,))
            elif not logger.is_killed:
                self.observed.undelivered.append(f"{status} {response[:80]!r}")


class _Sender:
    """The connections of one thread, at most one to each replica.

    Args:
        index: Which of the senders of its kind.
        dice: Its random numbers.
    """

    def __init__(self, index: int, dice: random.Random) -> None:
        self.index = index
        self.dice = dice
        self._connections: dict[int, http.client.HTTPConnection] = {}

    def body(self) -> bytes:
        """A request of one row."""
        return json.dumps({"instances": [[self.dice.gauss(10, 1), self.dice.gauss(3, 0.2)]]}).encode()

    def send(self, replica: Replica, path: str, body: bytes, headers: dict[str, str]) -> tuple[int, bytes]:
        """POST on a kept connection; returns status code and body, or 0 and the error."""
        connection = self._connections.get(replica.port)
        if connection is None:
            connection = http.client.HTTPConnection("127.0.0.1", replica.port, timeout=_TIMEOUT_SECONDS)
            self._connections[replica.port] = connection
        try:
            connection.request("POST", path, body, headers)
            response = connection.getresponse()
            return response.status, response.read()
        except (OSError, http.client.HTTPException) as error:
            connection.close()
            return 0, repr(error).encode()

    def close(self) -> None:
        """Close all connections."""
        for connection in self._connections.values():
            with contextlib.suppress(OSError):
                connection.close()


def _event_headers(kind: str, id_: str) -> dict[str, str]:
    """The headers of an event that passes now."""
    now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    event = Event(kind, b"", id_, inference_service=SERVICE, namespace=NAMESPACE)
    return event.headers() | {"Ce-Time": now, "Ce-Recordedtime": now}
