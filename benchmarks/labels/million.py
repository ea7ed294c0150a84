"""Whether each label ends in exactly one outcome: `python -m benchmarks.labels.million [--labels N] [--loses-data]`.

Two loggers share one Redis. Inferences come first, of V1 and V2, in batches of unequal sizes, over most of a day. Then
their labels come through both loggers in any order, with labels that come again, corrections, unknown ids, and rows
that the batch lacks. Half-way Redis is killed, and started again with its data, or with `--loses-data` without. The
command prints what became of the labels, and ends with 1 if a law does not hold.
"""

import argparse
import asyncio
import sys
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import ExitStack
from typing import Final, NamedTuple, cast

import numpy as np
from numpy.typing import NDArray
from redis.asyncio import Redis

from benchmarks.children import OTHER_CORES, SUBJECT_CORES, Program
from benchmarks.environment import driftgauge, scrape
from benchmarks.labels.delivery import NAMESPACE, SERVICE, Accepted, post_inferences, post_labels
from benchmarks.labels.plan import Body, Labels, Plan, bodies
from driftgauge.inference.payload import Kind, ModelKey
from driftgauge.storage.labels import SLICES
from driftgauge.storage.redis_label_layout import LabelKeys, unpack_slices
from driftgauge.storage.redis_layout import stream_key, writers_key
from driftgauge.storage.ring import StreamKey
from tests.support.ports import free_port
from tests.support.redis_server import RedisServer

_MODEL: Final = ModelKey(NAMESPACE, SERVICE, "predictor", SERVICE)
_OUTCOMES: Final = StreamKey(_MODEL, Kind.OUTCOME)

_TTL_SECONDS: Final = 86_000
_SPREAD_SECONDS: Final = 80_000
"""How far back the responses go: into all slices of the time to live but the last ones."""

_EARLY_SECONDS: Final = 60
"""How long a label of an unknown id waits, a store that fails is asked again, and labels wait for a look."""

_KEEPS_DATA: Final = ("--appendonly", "yes", "--appendfsync", "no")
"""Then the server writes before it replies: killed, it loses nothing that it has confirmed. With `everysec`, its
default, it replies before it writes while an earlier `fsync` takes long."""

_INFERENCES_A_ROUND: Final = 1_000
_LABELS_A_BODY: Final = 1_000
_QUIET_SECONDS: Final = 300.0
"""The longest wait for what was sent to be counted, without any progress."""

_POLL_SECONDS: Final = 0.25


class Law(NamedTuple):
    """One thing that must hold.

    Args:
        name: What.
        found: What was counted.
        expected: What it must be.
        at_most: Whether it may be less.
    """

    name: str
    found: int
    expected: int
    at_most: bool = False

    @property
    def holds(self) -> bool:
        """Whether it does."""
        return self.found <= self.expected if self.at_most else self.found == self.expected


class Run(NamedTuple):
    """What one run has found.

    Args:
        laws: What must hold.
        outcomes: What became of labels.
        rate: Labels a second, from the first one that was posted to the last one that was counted, without the wait
            for those of unknown ids.
    """

    laws: list[Law]
    outcomes: Counter[str]
    rate: float


def main() -> int:
    """Run, and print what became of the labels; returns 1 if a law does not hold."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.labels.million", description=__doc__)
    parser.add_argument("--labels", type=int, default=1_000_000, help="how many are sent, about")
    parser.add_argument("--seed", type=int, default=14, help="of the random numbers")
    parser.add_argument("--loses-data", action="store_true", help="Redis starts again empty")
    options = parser.parse_args()
    found = run(options.labels, options.seed, loses_data=options.loses_data)
    for name, number in found.outcomes.items():
        sys.stdout.write(f"{name:12}{number:>12,}\n")
    if not options.loses_data:
        sys.stdout.write(f"{found.rate:,.0f} labels a second through both loggers\n")
    for law in found.laws:
        relation = "at most" if law.at_most else "as it must be"
        word = f"{relation} {law.expected:,}" if law.holds else f"BROKEN: it must be {law.expected:,}"
        sys.stdout.write(f"{law.name}: {law.found:,}, {word}\n")
    return int(not all(law.holds for law in found.laws))


def run(labels: int, seed: int, *, loses_data: bool = False, pure: bool = False) -> Run:
    """Run with about so many labels; with the compiled build, or if `pure` with that of this process."""
    plan = Plan(labels, seed)
    with ExitStack() as stack:
        server = stack.enter_context(RedisServer(*(() if loses_data else _KEEPS_DATA)))
        replicas = _start_loggers(server.url, plan, stack, pure=pure)
        return asyncio.run(_run(plan, server, replicas, loses_data=loses_data))


class _Replica(NamedTuple):
    """A logger, and its port of labels."""

    program: Program
    labels_port: int


def _start_loggers(url: str, plan: Plan, stack: ExitStack, *, pure: bool) -> list[_Replica]:
    """Start both loggers. Each may run on every core, as in a cluster."""
    # The bytes of a slice are bounded in proportion: small batches need more of them than what is waiting for a label.
    pending = min(SLICES * plan.rows, 10_000_000)
    words = ["--redis-url", url, "--label-ttl-seconds", _TTL_SECONDS, "--label-pending", pending]
    words += ["--pair-ttl-seconds", _EARLY_SECONDS, "--queue-payloads", 4 * _INFERENCES_A_ROUND]
    words += ["--max-rows-per-second", 1_000_000]
    replicas = []
    for _ in range(2):
        port = free_port()
        words_of = (*words, "--labels-port", port)
        program = driftgauge("logger", *words_of, cores=SUBJECT_CORES | OTHER_CORES, pure=pure)
        replicas.append(_Replica(stack.enter_context(program), port))
    return replicas


async def _run(plan: Plan, server: RedisServer, replicas: Sequence[_Replica], *, loses_data: bool) -> Run:
    """Send everything, and compare what was counted."""
    client = Redis(port=server.port)
    times = time.time() - np.linspace(_SPREAD_SECONDS, 1, len(plan.sizes))
    await _post_inferences(plan, replicas, client, times)
    accepted, started = Accepted(), time.perf_counter()
    ports = [one.labels_port for one in replicas]
    halves = np.array_split(np.arange(len(plan.labels.row)), 2)
    await post_labels(ports, _bodies(plan, halves[0], times), accepted)
    posting = asyncio.create_task(post_labels(ports, _bodies(plan, halves[1], times), accepted))
    await asyncio.to_thread(server.restart)
    await posting
    sent = accepted.labels + accepted.malformed
    early = plan.readable if loses_data else plan.unknown
    await _wait_for_counts(replicas, sent - early)
    rate = (sent - early) / (time.perf_counter() - started)
    await _wait_for_counts(replicas, sent)
    await asyncio.sleep(_POLL_SECONDS)  # a label that is counted twice may be so a little later
    if not loses_data:
        await _wait_for_looks(replicas, plan.rows)
    facts = await _facts(replicas, client)
    await client.aclose()
    laws = _lasting_laws(accepted, facts) if loses_data else [*_lasting_laws(accepted, facts), *_laws(plan, facts)]
    return Run(laws, facts.outcomes, rate)


class _Facts(NamedTuple):
    """What was counted at the end.

    Args:
        outcomes: Labels by what became of them, in both loggers.
        judged: Labels of rows that were judged, in both loggers.
        rows: Rows of outcomes by the ledger in Redis.
        written: The same, as the sum of what each writer has appended.
        newest: The same, by the newest entry of the stream.
        fed: Rows that the detector was fed, in both loggers.
        skipped: Rows that it never saw.
    """

    outcomes: Counter[str]
    judged: int
    rows: int
    written: int
    newest: int
    fed: int
    skipped: int


def _lasting_laws(accepted: Accepted, facts: _Facts) -> list[Law]:
    """What holds even if Redis loses its data."""
    return [
        Law("labels counted, of those accepted", facts.outcomes.total(), accepted.labels + accepted.malformed),
        Law("labels judged, of those matched", facts.judged, facts.outcomes["matched"]),
        Law("outcomes in the ledger, of those matched", facts.rows, facts.outcomes["matched"], at_most=True),
    ]


def _laws(plan: Plan, facts: _Facts) -> list[Law]:
    """What holds as long as Redis keeps its data."""
    found = facts.outcomes
    return [
        Law("outcomes in the ledger", facts.rows, plan.rows),
        Law("outcomes by writers", facts.written, plan.rows),
        Law("outcomes by the newest entry", facts.newest, plan.rows),
        Law("labels matched, one for each row", found["matched"], plan.rows),
        Law(
            "labels that came again, or too late with another value",
            found["duplicate"] + found["too_late"],
            plan.repeats,
        ),
        Law("outcomes that the detector was fed", facts.fed, plan.rows),
        Law("outcomes that it never saw", facts.skipped, 0),
        Law("labels of unknown ids", found["unknown"], plan.unknown),
        Law("labels with no id, or of a row that the batch lacks", found["malformed"], plan.unreadable + plan.beyond),
        Law("all others", found["not_kept"] + found["corrected"] + found["dropped"], 0),
    ]


async def _post_inferences(plan: Plan, replicas: Sequence[_Replica], client: Redis, times: NDArray[np.float64]) -> None:
    """Post inferences in rounds, each when the responses of the last one wait for labels."""
    ports = [one.program.port for one in replicas]
    for first in range(0, len(plan.sizes), _INFERENCES_A_ROUND):
        end = min(first + _INFERENCES_A_ROUND, len(plan.sizes))
        await post_inferences(ports, range(first, end), plan.sizes, times)
        await _wait(lambda: _waiting_responses(client), end, "responses that wait for labels")


async def _waiting_responses(client: Redis) -> int:
    """Responses that wait for labels, as Redis counts them."""
    fields = cast("dict[bytes, bytes]", await client.hgetall(LabelKeys(_MODEL, "").meta))
    return sum(one.responses for one in unpack_slices(fields).values())


def _bodies(plan: Plan, chosen: NDArray[np.intp], times: NDArray[np.float64]) -> Iterator[Body]:
    """The bodies of some labels of the plan."""
    for first in range(0, len(chosen), _LABELS_A_BODY):
        part = chosen[first : first + _LABELS_A_BODY]
        yield from bodies(Labels(*(column[part] for column in plan.labels)), plan.sizes, times)


async def _wait_for_counts(replicas: Sequence[_Replica], number: int) -> None:
    async def counted() -> int:
        """Labels that have an outcome."""
        return (await asyncio.to_thread(_outcomes, replicas)).total()

    await _wait(counted, number, "labels that are counted")


async def _wait_for_looks(replicas: Sequence[_Replica], number: int) -> None:
    async def looked_at() -> int:
        """Rows that a look has read."""
        return sum(await _looked_at(replicas))

    await _wait(looked_at, number, "outcomes that were looked at")


async def _wait(count: Callable[[], Awaitable[int]], number: int, what: str) -> None:
    """Wait until a count has come to a number.

    Raises:
        TimeoutError: It has not grown for a long time.
    """
    last, since = -1, time.monotonic()
    while (now := await count()) < number:
        if now > last:
            last, since = now, time.monotonic()
        if time.monotonic() - since > _QUIET_SECONDS:
            raise TimeoutError(f"there are {now:,} {what}, not {number:,}")
        await asyncio.sleep(_POLL_SECONDS)


def _outcomes(replicas: Sequence[_Replica]) -> Counter[str]:
    """What became of labels, in both loggers."""
    found: Counter[str] = Counter()
    for one in replicas:
        for sample in scrape(one.program).matching("driftgauge_labels_total"):
            found[sample.labels["outcome"]] += int(sample.value)
    return found


async def _facts(replicas: Sequence[_Replica], client: Redis) -> _Facts:
    judged = [scrape(one.program).total("driftgauge_outcomes_total", state="labelled") for one in replicas]
    ledger = cast("dict[bytes, bytes]", await client.hgetall(writers_key(_OUTCOMES)))
    rows = int(ledger.pop(b"rows", b"0"))
    entries = cast("list[tuple[bytes, object]]", await client.xrevrange(stream_key(_OUTCOMES), count=1))
    ledger.pop(b"looked", None)
    newest = int(entries[0][0].partition(b"-")[0]) if entries else 0
    written = sum(int(one.split(b":")[1]) for one in ledger.values())
    return _Facts(_outcomes(replicas), int(sum(judged)), rows, written, newest, *await _looked_at(replicas))


async def _looked_at(replicas: Sequence[_Replica]) -> tuple[int, int]:
    """Rows of outcomes that the detector was fed, and those that it never saw, in both loggers."""
    names = ("driftgauge_detector_rows", "driftgauge_detector_skipped_rows")
    found = [await asyncio.to_thread(scrape, one.program) for one in replicas]
    fed, skipped = (int(sum(one.total(f"{name}_total", kind="outcome") for one in found)) for name in names)
    return fed, skipped


if __name__ == "__main__":
    sys.exit(main())
