"""Appends rows to the ring, and counts the payloads that they came in once the outcome is known."""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from driftgauge.drift.profile import FeatureKind
from driftgauge.errors import Reason, StorageError
from driftgauge.inference.payload import Kind, Outcome, Payload
from driftgauge.ingest.label_feed import FedRows, LabelFeed
from driftgauge.ingest.row_reader import DecodedRows
from driftgauge.metrics.registry import Metrics
from driftgauge.storage.ring import Block, RingBuffer, StreamKey, id_digests

_log = logging.getLogger(__name__)

Part = tuple[Sequence[Payload], DecodedRows]
"""Payloads, and their rows."""


@dataclass(slots=True)
class _Counts:
    """What is counted of an append. It holds numbers alone, since it may have to wait for a store that is away.

    Args:
        payloads: Number of payloads.
        rows: Number of rows.
        columns: Names of the columns that are not ignored.
        missing: Shape `(columns,)`: how many values each of them lacks.
        reason: Why the payloads are dropped, if the rows were not appended.
    """

    payloads: int
    rows: int
    columns: Sequence[str]
    missing: NDArray[np.int64]
    reason: Reason = Reason.STORAGE

    @classmethod
    def of(cls, parts: Sequence[Part]) -> "_Counts":
        """Those of some payloads. Ignored columns, whose values are always NaN, are left out."""
        tables = [rows for _, rows in parts]
        counted = [index for index, kind in enumerate(tables[0].kinds) if kind is not FeatureKind.IGNORED]
        missing = np.sum([rows.missing for rows in tables], axis=0)[counted]
        columns = [tables[0].columns[index] for index in counted]
        return cls(sum(len(part) for part, _ in parts), sum(rows.count for rows in tables), columns, missing)


class Appender:
    """Appends to the ring. Each append ends by itself, whatever becomes of others.

    An append whose outcome is unknown is settled before the next one of its stream; until then its payloads are counted
    as nothing. There is at most one for each stream.

    Args:
        ring: The rows are appended to it.
        metrics: Counts the payloads as accepted or dropped.
    """

    feed: LabelFeed | None = None
    """Lets responses wait for labels once they are accepted; `None` if there are no labels."""

    def __init__(self, ring: RingBuffer, metrics: Metrics) -> None:
        self._ring = ring
        self._metrics = metrics
        self._unknown: dict[StreamKey, _Counts] = {}

    @property
    def unsettled(self) -> bool:
        """Whether the outcome of an append is unknown."""
        return bool(self._unknown)

    async def append(self, stream: StreamKey, parts: Sequence[Part]) -> None:
        """Append the rows of some payloads, all of one schema, and count the payloads. Raises nothing.

        There must be one call at a time for each stream.
        """
        counts = _Counts.of(parts)
        try:
            await self._settle(stream)
        except StorageError:
            self._drop(stream, counts)  # nothing was sent
            return
        except asyncio.CancelledError:
            counts.reason = Reason.SHUTDOWN
            self._drop(stream, counts)
            raise
        self._unknown[stream] = counts
        block = _block(parts)
        try:
            await self._ring.append(stream, block)
        except StorageError as error:
            if not error.may_be_done:
                self._drop(stream, self._unknown.pop(stream))
        except asyncio.CancelledError:
            counts.reason = Reason.SHUTDOWN
            raise
        except Exception:  # noqa: BLE001 an unexpected error must not end the task, and its payloads are counted
            _log.exception("an append to the %ss of %s failed", stream.kind, stream.model)
            counts.reason = Reason.INTERNAL
            await self.settle_all(stream)
        else:
            self._accept(stream, self._unknown.pop(stream))
            self._let_wait(stream, parts, block)

    async def settle_all(self, *streams: StreamKey) -> None:
        """Find out the outcomes of appends to some streams, by default to all. Those that stay unknown are kept."""
        unknown = [stream for stream in streams or list(self._unknown) if stream in self._unknown]
        outcomes = await asyncio.gather(*map(self._settle, unknown), return_exceptions=True)
        for outcome in outcomes:
            if isinstance(outcome, BaseException) and not isinstance(outcome, StorageError):
                _log.error("the outcome of an append cannot be found out", exc_info=outcome)

    async def close(self) -> None:
        """Settle what can be settled, and count the payloads of all other appends as dropped."""
        await self.settle_all()
        while self._unknown:
            self._drop(*self._unknown.popitem())

    async def _settle(self, stream: StreamKey) -> None:
        if stream not in self._unknown:
            return
        added = await self._ring.settle(stream)
        counts = self._unknown.pop(stream)
        if added:
            self._accept(stream, counts)
            if self.feed is not None and stream.kind is Kind.RESPONSE:
                self.feed.drop(stream.model, counts.payloads)  # their rows are not kept so long
        else:
            self._drop(stream, counts)

    def _let_wait(self, stream: StreamKey, parts: Sequence[Part], block: Block) -> None:
        """Let accepted responses wait for labels."""
        if self.feed is not None and stream.kind is Kind.RESPONSE:
            self.feed.offer(stream.model, _fed_rows(parts, block))

    def _accept(self, stream: StreamKey, counts: _Counts) -> None:
        metrics = self._metrics.model(stream.model)
        metrics.count_payload(stream.kind, Outcome.ACCEPTED, number=counts.payloads)
        if stream.kind is Kind.REQUEST:
            metrics.rows.inc(counts.rows)
            metrics.count_missing(counts.columns, counts.missing)

    def _drop(self, stream: StreamKey, counts: _Counts) -> None:
        metrics = self._metrics.model(stream.model)
        metrics.count_payload(stream.kind, Outcome.DROPPED, counts.reason, number=counts.payloads)


def _block(parts: Sequence[Part]) -> Block:
    payloads = [payload for part, _ in parts for payload in part]
    tables = [rows for _, rows in parts]
    return Block(
        schema=tables[0].schema,
        rows=np.concatenate([rows.values for rows in tables]),
        requests=np.concatenate([rows.requests for rows in tables]),
        times=np.array([payload.time for payload in payloads], dtype=np.float64),
        ids=id_digests(payload.id for payload in payloads),
        left_out=sum(rows.count - len(rows.values) for rows in tables),
        places=_places(tables),
    )


def _places(tables: Sequence[DecodedRows]) -> NDArray[np.int64] | None:
    """The number of each row in its payload, if rows of a payload are left out: always its first ones."""
    if all(rows.count == len(rows.values) for rows in tables):
        return None
    # rows of which some are left out are those of one payload
    lengths = np.concatenate([rows.requests for rows in tables])
    left_out = np.repeat([rows.count - len(rows.values) for rows in tables], [len(rows.requests) for rows in tables])
    first = np.cumsum(lengths) - lengths - left_out
    places: NDArray[np.int64] = np.arange(lengths.sum()) - np.repeat(first, lengths)
    return places


def _fed_rows(parts: Sequence[Part], block: Block) -> FedRows:
    """What waits for labels of a block."""
    first = parts[0][1]
    ids: list[str | None] = []
    cut: list[int] = []
    made: list[int] = []
    for payloads, rows in parts:
        if rows.count != len(rows.values):
            cut.extend(range(len(ids), len(ids) + len(payloads)))
        made.extend(index for index, payload in enumerate(payloads, len(ids)) if payload.is_id_made)
        ids.extend(rows.ids or [None] * len(payloads))
    return FedRows(first.columns, first.kinds, block, ids, frozenset(cut), frozenset(made))
