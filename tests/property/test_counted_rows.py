"""Rows that are fed and rows that are skipped add up to those that were appended, whatever happens to the store."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from redis.asyncio import Redis, RedisCluster

from driftgauge.drift.budget import Budget
from driftgauge.drift.detector.detector_state import DetectorState
from driftgauge.drift.detector.feature_detector import feature_detector
from driftgauge.drift.ledger import RowOrigins
from driftgauge.drift.profile import numeric_profile
from driftgauge.drift.result import DriftReport
from driftgauge.drift.stream_evaluator import StreamEvaluation
from driftgauge.drift.stream_window import StreamWindow, find_new_rows
from driftgauge.metrics.registry import Metrics
from driftgauge.monitoring.detector_record import DetectorRecord, Saved
from driftgauge.storage.memory import MemoryRing, MemoryStates
from driftgauge.storage.redis_client import BoundedRedis, connect
from driftgauge.storage.redis_layout import model_key
from driftgauge.storage.redis_leases import LEASE
from driftgauge.storage.redis_ring import RedisRing
from driftgauge.storage.redis_states import RedisStates
from driftgauge.storage.ring import RingBuffer
from driftgauge.storage.stream_states import StateStore
from tests.support.models import labels
from tests.support.redis_server import RedisServer
from tests.support.rows import REQUESTS, WINE, block_of, counted

CAPACITY_ROWS = 10
MIN_ROWS = 4
BUDGET = Budget(false_alarm_seconds=3_600.0, evaluation_seconds=30.0, tolerance=0.05, share_tolerance=0.05)
START = feature_detector([numeric_profile("x", np.arange(50.0))], BUDGET, MIN_ROWS, "digest").start()
REPORT = DriftReport(features=(), drift=None, rows=0, untested=(), ignored=(), drifted_features=0, reading="")

LEASE_KEY = model_key(WINE, LEASE)

rows = st.integers(1, 5)
writer = st.integers(0, 2)
evaluator = st.integers(0, 1)
STEPS = st.one_of(
    st.tuples(st.just("append"), writer, st.lists(rows, min_size=1, max_size=4)),
    st.tuples(st.just("append"), writer, st.lists(rows, min_size=1, max_size=4)),
    st.tuples(st.just("append other"), writer, st.lists(rows, min_size=1, max_size=4)),
    st.tuples(st.just("look"), evaluator, st.just([0])),
    st.tuples(st.just("look"), evaluator, st.just([0])),
    st.tuples(st.just("end writer"), writer, st.just([0])),
    st.tuples(st.just("end evaluator"), evaluator, st.just([0])),
    st.tuples(st.just("reference"), st.just(0), st.just([0])),
    st.tuples(st.just("save"), st.just(0), st.just([0])),
    st.tuples(st.just("lose newest"), writer, st.lists(rows, max_size=2)),
    st.tuples(st.just("empty"), writer, st.lists(rows, max_size=2)),
)
Step = tuple[str, int, list[int]]


@dataclass
class Evaluator:
    """One process that evaluates. It feeds rows to a detector that notes their values alone."""

    record: DetectorRecord
    metrics: Metrics

    def counts(self) -> int:
        """Rows that were counted, as fed or as skipped."""
        names = ("driftgauge_detector_rows_total", "driftgauge_detector_skipped_rows_total")
        values = [self.metrics.registry.get_sample_value(name, labels(WINE, kind="request")) for name in names]
        return sum(int(value or 0) for value in values)


@dataclass
class History:
    """Writers, evaluators, and what they have done.

    Args:
        rings: A ring for each process.
        states: The states.
        redis: The store, where it can lose rows; `None` in memory.
    """

    rings: list[RingBuffer]
    states: StateStore
    redis: Redis | RedisCluster | None = None
    accepted: int = 0
    ended: int = 0
    looked: int = 0
    token: str = ""
    terms: int = 0
    key: str = "0"
    evaluators: list[Evaluator] = field(default_factory=list)
    fed: dict[float, list[float]] = field(default_factory=lambda: {0.0: []})

    def add_evaluator(self) -> Evaluator:
        """A new process."""
        metrics = Metrics("200")
        start = replace(START, key=self.key)
        return Evaluator(DetectorRecord(REQUESTS, self.states, start, metrics.model(WINE), lambda: None), metrics)

    async def append(self, one: int, lengths: Sequence[int], schema: str = "s") -> None:
        """Append rows whose values are all different, in requests of these lengths."""
        block = counted(self.accepted, sum(lengths), schema)
        await self.rings[one].append(REQUESTS, block_of(block.rows, schema, lengths=lengths))
        self.accepted += sum(lengths)

    async def look(self, one: int) -> None:
        """Evaluate as a process does, and note what was fed to the detector."""
        record = self.evaluators[one].record
        await record.begin(await self._token(one), {})
        saved = Saved.CONFLICT
        while saved is Saved.CONFLICT:
            window = await self.rings[one].read(REQUESTS, "s", 2)
            state = record.state or replace(START, key=self.key)
            origins = RowOrigins(window.writers, window.positions, window.totals, window.bases)
            stream = StreamWindow(window.rows, window.numbers, window.requests, window.times, window.ids, origins)
            new = find_new_rows(stream, np.ones(len(window.rows), dtype=np.bool_), state, MIN_ROWS)
            values = window.rows[new.feed, 0].tolist()
            after = self._fed(state, values)
            after = after if new.ledger is None else replace(after, ledger=new.ledger)
            saved = await record.advance(StreamEvaluation(REPORT, after, new.fed, new.skipped, new.hour_unknown))
        self.looked = one

    async def _token(self, one: int) -> str:
        """The token of a process that evaluates: of a new term if another one did, or the store has lost the lease."""
        lease = self.token.encode() if self.redis is None else await self.redis.get(LEASE_KEY)
        if lease != self.token.encode() or one != self.looked:
            self.terms += 1
            self.token = f"{one}/{self.terms}"
            if self.redis is not None:
                await self.redis.set(LEASE_KEY, self.token)
        return self.token

    def _fed(self, state: DetectorState, values: list[float]) -> DetectorState:
        """The state of a detector that was fed some rows. `time` names it, since it survives the store."""
        before = self.fed[state.time]
        assert not set(values) & set(before)
        assert len(set(values)) == len(values)
        if not values:
            return state
        time = float(len(self.fed))
        self.fed[time] = before + values
        return replace(state, time=time, rows=state.rows + len(values), number=state.number + len(values))

    def end_evaluator(self, one: int) -> None:
        """A process ends, and another one takes its place."""
        self.ended += self.evaluators[one].counts()
        self.evaluators[one] = self.add_evaluator()

    def change_reference(self) -> None:
        """Each process has a new reference."""
        self.key = f"{int(self.key) + 1}"
        for one in self.evaluators:
            one.record = one.record.succeeded_by(replace(START, key=self.key))

    def counted(self) -> int:
        """Rows that were counted by all processes there ever were."""
        return self.ended + sum(one.counts() for one in self.evaluators)

    async def recover(self) -> None:
        """Every living writer appends, and the process that looked last looks again."""
        for one in range(len(self.rings)):
            await self.append(one, [1] * MIN_ROWS)
        await self.look(self.looked)


async def take(history: History, step: Step) -> None:
    """One step that every store can take."""
    name, one, lengths = step
    one %= len(history.rings)
    if name == "append":
        await history.append(one, lengths)
    elif name == "append other":
        await history.append(one, lengths, "other")
    elif name == "look":
        await history.look(one)
    elif name == "end evaluator":
        history.end_evaluator(one)
    elif name == "reference":
        history.change_reference()


async def lose(history: History, redis: Redis | RedisCluster, step: Step) -> None:
    """The store loses rows, states and writers; some appends, and then all recovers."""
    name, one, lengths = step
    await history.append(one, [1])
    await history.look(history.looked)  # what a process alone knows that has ended is lost for ever
    await history.append(one, lengths or [1])
    kept = [key async for key in redis.scan_iter("behind:*")]
    if name == "empty":
        await redis.delete(*[key async for key in redis.scan_iter("driftgauge:*")])
    elif kept:
        for key in kept:
            await redis.copy(key.decode(), key.decode().removeprefix("behind:"), replace=True)
    if lengths:
        await history.append(one, lengths)
    await history.recover()


async def save(redis: Redis | RedisCluster) -> None:
    """A replica of the store is up to date, and falls behind from here on."""
    for key in [key async for key in redis.scan_iter("behind:*")]:
        await redis.delete(key)
    for key in [key async for key in redis.scan_iter("driftgauge:*")]:
        await redis.copy(key.decode(), f"behind:{key.decode()}", replace=True)


@given(steps=st.lists(STEPS, max_size=30))
async def test_every_row_in_memory_is_counted_once(steps: list[Step]) -> None:
    """Resets, other schemas, windows smaller than what comes, and processes that take turns."""
    ring = MemoryRing(CAPACITY_ROWS)
    history = History([ring, ring], MemoryStates())
    history.evaluators = [history.add_evaluator() for _ in range(2)]
    for step in steps:
        await take(history, step)
    await history.recover()

    assert history.counted() == history.accepted


@settings(max_examples=60)
@given(steps=st.lists(STEPS, max_size=25))
async def test_every_row_in_redis_is_counted_once(redis_server: RedisServer, steps: list[Step]) -> None:
    """Several writers that end and begin, a store that is emptied or loses its newest rows, and all of the above."""
    async with connect(redis_server.url, timeout_seconds=5) as client:
        await client.flushall()
        redis = BoundedRedis(client, 5)
        rings: list[RingBuffer] = [RedisRing(redis, CAPACITY_ROWS, 60) for _ in range(3)]
        history = History(rings, RedisStates(redis, 60), client)
        history.evaluators = [history.add_evaluator() for _ in range(2)]
        for step in steps:
            if step[0] == "end writer":
                await history.append(step[1], [1] * MIN_ROWS)  # the last rows of a writer must not wait for others
                await history.look(history.looked)
                rings[step[1]] = RedisRing(redis, CAPACITY_ROWS, 60)
            elif step[0] == "save":
                await save(client)
            elif step[0] in {"lose newest", "empty"}:
                await lose(history, client, step)
            elif step[0] == "look":
                await history.look(step[1])
            elif step[0] == "end evaluator":
                history.end_evaluator(step[1])
            else:
                await take(history, step)
        await history.recover()

        assert history.counted() == history.accepted
