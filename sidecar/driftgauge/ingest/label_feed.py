"""Lets responses wait for labels once their rows are in the ring: a bounded queue, and a task for each model."""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, NamedTuple

from driftgauge.drift.outcomes.outcome_columns import MAX_OUTPUTS
from driftgauge.drift.profile import FeatureKind
from driftgauge.errors import StorageError
from driftgauge.features.row_table import CLASS, CONFIDENCE
from driftgauge.inference.payload import ModelKey
from driftgauge.storage.labels import LabelLayout, LabelStore, Put, WaitingResponse
from driftgauge.storage.ring import Block, id_digests

_log = logging.getLogger(__name__)

_RETRY_SECONDS: Final = 1.0
"""Time between two attempts to put the same responses, while the store is away."""

_RESPONSE_BYTES: Final = 64
"""What a response in the queue counts beside its rows: its time and ids."""

Layouts = Callable[[ModelKey, tuple[str, ...], tuple[FeatureKind, ...]], LabelLayout | None]
"""The layout of a model whose responses have these columns; `None` if it gets no labels. It raises nothing."""


class FedRows(NamedTuple):
    """Rows of responses of one model that were appended together.

    Args:
        columns: Names of the columns of the rows.
        kinds: Their kinds.
        block: The rows, and the time and the digest of the id in the header of each payload.
        ids: The `id` of the body of each payload; empty if none has one.
        cut: Indexes of payloads of which the block has only the last rows, so that labels would meet wrong ones.
        made: Indexes of payloads whose id in the header was made by the proxy.
    """

    columns: tuple[str, ...]
    kinds: tuple[FeatureKind, ...]
    block: Block
    ids: Sequence[str | None] = ()
    cut: frozenset[int] = frozenset()
    made: frozenset[int] = frozenset()

    @property
    def bytes(self) -> int:
        """What it counts in the queue."""
        return self.block.rows.nbytes + _RESPONSE_BYTES * len(self.block.requests)


@dataclass(frozen=True, slots=True)
class FeedSettings:
    """The limits of the queue.

    Args:
        responses: Most responses in the queue.
        bytes: Most bytes of them.
    """

    responses: int = 4096
    bytes: int = 8 * 2**20


def _ignore_put(model: ModelKey, put: Put) -> None:
    pass


class _Backlog:
    """The responses of one model in the queue, oldest first.

    Attributes:
        rows: They, in blocks.
        responses: Their number.
        bytes: What they count.
        is_putting: Whether the first block is being put.
    """

    __slots__ = ("bytes", "is_putting", "responses", "rows")

    def __init__(self) -> None:
        self.rows: deque[FedRows] = deque()
        self.responses = self.bytes = 0
        self.is_putting = False

    def add(self, rows: FedRows) -> None:
        """Add a block."""
        self.rows.append(rows)
        self._count(rows, 1)

    def pop(self) -> FedRows:
        """Remove the oldest block."""
        rows = self.rows.popleft()
        self._count(rows, -1)
        return rows

    def pop_newest(self) -> FedRows:
        """Remove the newest block."""
        rows = self.rows.pop()
        self._count(rows, -1)
        return rows

    def _count(self, rows: FedRows, sign: int) -> None:
        self.responses += sign * len(rows.block.requests)
        self.bytes += sign * rows.bytes


class LabelFeed:
    """Puts responses into the store of those that wait for labels. Nothing waits for it.

    Each model that has responses in the queue is a task, so that none waits for calls of another, which may be made
    again for minutes. When the queue is full, the model that has most of it loses its newest responses.

    Args:
        store: They wait there.
        layouts: Which models get labels, and of which outputs.
        on_dropped: Called with the number of responses of a model that will never wait: the queue is full, they have
            more rows than are kept, their append was found out too late, or the process ends.
        settings: The limits of the queue.
        on_put: Called with what became of responses.
    """

    def __init__(
        self,
        store: LabelStore,
        layouts: Layouts,
        on_dropped: Callable[[ModelKey, int], None],
        settings: FeedSettings = FeedSettings(),
        on_put: Callable[[ModelKey, Put], None] = _ignore_put,
    ) -> None:
        self._store = store
        self._layouts = layouts
        self._on_dropped = on_dropped
        self._settings = settings
        self._on_put = on_put
        self._backlogs: dict[ModelKey, _Backlog] = {}
        self._tasks: dict[ModelKey, asyncio.Task[None]] = {}
        self._turn = asyncio.Lock()
        self._is_started = self._is_closing = False

    @property
    def waiting(self) -> int:
        """The number of responses in the queue."""
        return sum(one.responses for one in self._backlogs.values())

    def start(self) -> None:
        """Start to put, in the running event loop."""
        self._is_started = True
        for model in self._backlogs:
            self._start_task(model)

    def offer(self, model: ModelKey, rows: FedRows) -> None:
        """Add responses to the queue; drop some if it is full. Never blocks, never raises."""
        if self._is_closing:
            self.drop(model, len(rows.block.requests))
            return
        backlog = self._backlogs.get(model)
        if backlog is None:
            backlog = self._backlogs[model] = _Backlog()
        backlog.add(rows)
        while self._is_too_full():
            self._drop_newest(model)
        if self._is_started and model in self._backlogs and model not in self._tasks:
            self._start_task(model)

    def drop(self, model: ModelKey, responses: int) -> None:
        """Count responses that will never wait."""
        self._on_dropped(model, responses)

    async def close(self, drain_seconds: float) -> None:
        """Put what is in the queue, for some seconds at most, then count the rest as dropped and end the tasks."""
        self._is_closing = True
        tasks = [*self._tasks.values()]
        if tasks:
            await asyncio.wait(tasks, timeout=drain_seconds)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        while self._backlogs:
            model, backlog = self._backlogs.popitem()
            if backlog.responses:
                self.drop(model, backlog.responses)

    def _start_task(self, model: ModelKey) -> None:
        self._tasks[model] = asyncio.get_running_loop().create_task(self._run(model), name="label-feed")

    def _is_too_full(self) -> bool:
        bytes_ = sum(one.bytes for one in self._backlogs.values())
        return self.waiting > self._settings.responses or bytes_ > self._settings.bytes

    def _drop_newest(self, offered: ModelKey) -> None:
        """Drop the newest block of the model that has most, but never one that is being put."""

        def share(model: ModelKey) -> tuple[float, bool]:
            """The share of the queue that a model has; of equal ones the model whose block is offered has more."""
            one = self._backlogs[model]
            return max(one.responses / self._settings.responses, one.bytes / self._settings.bytes), model == offered

        largest = max((model for model, one in self._backlogs.items() if len(one.rows) > one.is_putting), key=share)
        backlog = self._backlogs[largest]
        self.drop(largest, len(backlog.pop_newest().block.requests))
        if not backlog.rows and largest not in self._tasks:
            del self._backlogs[largest]

    async def _run(self, model: ModelKey) -> None:
        """Put the responses of a model until there are none. What is being put stays in the queue."""
        backlog = self._backlogs[model]
        while True:
            async with self._turn:  # one block in each turn of the event loop, however many models have some
                await asyncio.sleep(0)
            if not backlog.rows:
                break
            rows, backlog.is_putting = backlog.rows[0], True
            try:
                await self._put(model, rows)
            except Exception:  # noqa: BLE001 an unexpected error must not end the task, and its responses are counted
                _log.exception("%d responses of %s cannot wait for labels", len(rows.block.requests), model)
                self.drop(model, len(rows.block.requests))
            backlog.pop()
            backlog.is_putting = False
        del self._backlogs[model], self._tasks[model]

    async def _put(self, model: ModelKey, rows: FedRows) -> None:
        layout = self._layouts(model, rows.columns, rows.kinds)
        if layout is None:
            return
        responses, again = waiting_responses(rows), False
        while True:
            try:
                put = await self._store.put(model, layout, responses, again=again)
            except StorageError as error:
                _log.debug("responses of %s do not wait for labels yet: %s", model, error)
                again = True
                await asyncio.sleep(_RETRY_SECONDS)
            else:
                self._on_put(model, put)
                if rows.cut:
                    self.drop(model, len(rows.cut))
                return


def waiting_responses(rows: FedRows) -> list[WaitingResponse]:
    """The responses of some rows; those of which not all rows are there are left out.

    The id of the header comes first: a client may give all its bodies the same id, and each response would displace the
    one before. Where the proxy made it, no client knows it, and the id of the body comes first.
    """
    block = rows.block
    ends = block.requests.cumsum().tolist()
    given = [one for one in rows.ids if one is not None]
    digests = iter(id_digests(given).tolist())
    own = [None if one is None else next(digests) for one in rows.ids] or [None] * len(ends)
    responses = []
    places = zip(own, block.ids.tolist(), block.times.tolist(), [0, *ends[:-1]], ends, strict=True)
    for index, (body_id, header_id, time, first, end) in enumerate(places):
        if index not in rows.cut:
            ids = (header_id,) if body_id is None or body_id == header_id else (header_id, body_id)
            ids = ids[::-1] if index in rows.made else ids
            responses.append(WaitingResponse(ids, time, block.rows[first:end]))
    return responses


@lru_cache(maxsize=1024)
def layout_of_columns(columns: tuple[str, ...], kinds: tuple[FeatureKind, ...]) -> LabelLayout | None:
    """The layout where each output of a model may get labels, the first ten of them; `None` if it has none.

    An output `o` is a column `o`, or a column `o_class`, the class that its scores stand for. Scores (`o_0`, ...) and
    confidences are no outputs.
    """
    kind_of = dict(zip(columns, kinds, strict=True))
    outputs: dict[str, FeatureKind] = {}
    for column, kind in kind_of.items():
        if kind is FeatureKind.IGNORED or column.endswith(CONFIDENCE) or _is_score(column, kind_of):
            continue
        output = column.removesuffix(CLASS)
        has_scores = not kind_of.keys().isdisjoint((output + CONFIDENCE, f"{output}_0"))
        outputs.setdefault(output if has_scores else column, kind)
    found = dict(list(outputs.items())[:MAX_OUTPUTS])
    return LabelLayout(columns, kinds, tuple(found), tuple(found.values())) if found else None


def _is_score(column: str, columns: dict[str, FeatureKind]) -> bool:
    """Whether a column is one of several scores of an output that has a class."""
    output, _, index = column.rpartition("_")
    return index.isdecimal() and f"{output}{CLASS}" in columns
