"""Compares two revisions of a model on demand, with what came since the last look, and saves what is known then."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from hashlib import blake2b
from typing import Final

import numpy as np

from driftgauge.concurrency.worker import Worker
from driftgauge.drift.canary.compared_rows import RevisionRows, add_late_rows, add_rows, no_rows
from driftgauge.drift.canary.compared_traffic import add_traffic
from driftgauge.drift.canary.criteria import INPUTS, RULES, Criterion
from driftgauge.drift.canary.losses import are_whole, losses_of
from driftgauge.drift.canary.release_record import ReleaseRecord, pack_release, unpack_release
from driftgauge.drift.canary.request_scores import error_scores, rank_scores, score_count, table_scores
from driftgauge.drift.canary.strata import MIN_REQUESTS, SLOT_SECONDS
from driftgauge.drift.outcomes.labelled_output import LabelledOutputError, prediction_place
from driftgauge.drift.profile import FeatureKind
from driftgauge.inference.payload import Kind, ModelKey
from driftgauge.monitoring.shared_columns import NewestColumns
from driftgauge.monitoring.targets import Targets
from driftgauge.monitoring.traffic_log import TrafficLog, unpack_log
from driftgauge.monitoring.traffic_recorder import TRAFFIC
from driftgauge.reference.dataset import schema_hash
from driftgauge.storage.labels import LabelLayout, LabelStore
from driftgauge.storage.ring import RingBuffer, StreamKey, Window, kept_rows
from driftgauge.storage.stream_states import StateStore

BEGIN_AGAIN_SECONDS: Final = 3_600
"""A release that nothing looked at for so long is another one."""

_GRACE_SECONDS: Final = SLOT_SECONDS
"""Rows and counts of so long ago are in the store: pipelines flush each second, counts are added after each slot."""

_SAME_LOOK_SECONDS: Final = 5.0
"""Two looks within this time are one."""

_MOST_COLUMNS: Final = 20
"""Columns that are compared, the first ones that are tested."""

_ATTEMPTS: Final = 3

_KINDS: Final = {"inputs": Kind.REQUEST, "predictions": Kind.RESPONSE, "losses": Kind.OUTCOME}


@dataclass(frozen=True, slots=True, eq=False)
class _Columns:
    """The columns of streams that are compared: their schema, their kinds, and those that are used."""

    schema: str
    kinds: tuple[FeatureKind, ...]

    @property
    def used(self) -> list[int]:
        """The indexes of the columns that are compared."""
        tested = [place for place, kind in enumerate(self.kinds) if kind is not FeatureKind.IGNORED]
        return tested[:_MOST_COLUMNS]


@dataclass(frozen=True, slots=True, eq=False)
class _Material:
    """What is compared at one look: traffic of both, and for each part its columns and rows."""

    traffic: tuple[TrafficLog, TrafficLog]
    rows: dict[str, tuple[_Columns, tuple[Window, Window]]]
    layout: LabelLayout | None


class ReleaseComparer:
    """Compares revisions, one pair at a time.

    Args:
        ring: Has the newest rows.
        states: Has the traffic, and what earlier looks have found.
        targets: Knows the columns of streams.
        outputs: Knows the columns of this process's responses.
        clock: Returns the time of the store in seconds since the epoch.
        window_rows: The rows that the ring keeps of a stream.
        labels: Knows the layouts of labelled predictions; `None` in a process that takes no labels.
    """

    def __init__(  # noqa: PLR0913 - the composition root names each
        self,
        ring: RingBuffer,
        states: StateStore,
        targets: Targets,
        outputs: NewestColumns,
        clock: Callable[[], float],
        *,
        window_rows: int,
        labels: LabelStore | None = None,
    ) -> None:
        self._ring = ring
        self._states = states
        self._targets = targets
        self._outputs = outputs
        self._clock = clock
        self._window_rows = window_rows
        self._labels = labels
        self._turn = asyncio.Lock()
        self._newest: tuple[tuple[ModelKey, ModelKey], ReleaseRecord] | None = None
        self._worker = Worker("compare")

    def close(self) -> None:
        """Stop the thread."""
        self._worker.close()

    async def compare(self, canary: ModelKey, stable: ModelKey) -> ReleaseRecord | None:
        """Look at a pair of revisions; returns `None` if one of them has no requests at all.

        Raises:
            StorageError: The store is unreachable or slow.
        """
        async with self._turn:
            now = self._clock()
            if self._newest is not None:
                pair, known = self._newest
                if pair == (canary, stable) and 0 <= now - known.looked < _SAME_LOOK_SECONDS:
                    return known
            record = await self._look(canary, stable, now)
            if record is not None:
                self._newest = (canary, stable), record
            return record

    async def _look(self, canary: ModelKey, stable: ModelKey, now: float) -> ReleaseRecord | None:
        """Compare what came since the last look of any replica, and save what is known then."""
        stream, name = StreamKey(canary, Kind.RESPONSE), _state_name(stable)
        material = await self._read(canary, stable, now)
        if material is None:
            return None
        record = ReleaseRecord(now, now)
        for _ in range(_ATTEMPTS):
            state = await self._states.load(stream, name)
            saved = None if state is None else unpack_release(state.blob)
            if saved is None or not 0 <= now - saved.looked < BEGIN_AGAIN_SECONDS:
                saved = ReleaseRecord(now, now)
            record = await self._worker.run(self._advance, saved, material, now)
            version = 0 if state is None else state.version
            if await self._states.save(stream, name, pack_release(record), version):
                break
        return record

    async def _read(self, canary: ModelKey, stable: ModelKey, now: float) -> _Material | None:
        logs = []
        for model in (canary, stable):
            state = await self._states.load(StreamKey(model, Kind.RESPONSE), TRAFFIC)
            logs.append(TrafficLog() if state is None else unpack_log(state.blob))
        rows = {}
        layout = await self._layout(canary, stable)
        for part, kind in _KINDS.items():
            columns = _label_columns(layout) if kind is Kind.OUTCOME else await self._columns(canary, stable, kind, now)
            if columns is None or not columns.kinds:
                continue
            streams = StreamKey(canary, kind), StreamKey(stable, kind)
            first, second = [await self._ring.read(one, columns.schema, len(columns.kinds)) for one in streams]
            rows[part] = columns, (first, second)
        for one in range(2):
            if not logs[one].slots and not any(len(windows[one].rows) for _, windows in rows.values()):
                return None
        return _Material((logs[0], logs[1]), rows, layout)

    async def _columns(self, canary: ModelKey, stable: ModelKey, kind: Kind, now: float) -> _Columns | None:
        """The columns of a stream of both revisions, as far as this process knows them."""
        for model in (stable, canary):
            target = await self._targets.get(StreamKey(model, kind), now)
            if target is not None:
                return _Columns(target.schema, tuple(profile.kind for profile in target.profiles))
        for model in (canary, stable):
            layout = self._outputs.get(model) if kind is Kind.RESPONSE else None
            if layout is not None:
                return _Columns(schema_hash(layout.columns, layout.kinds), layout.kinds)
        return None

    async def _layout(self, canary: ModelKey, stable: ModelKey) -> LabelLayout | None:
        """The layout of labelled predictions; `None` unless it is that of both."""
        if self._labels is None:
            return None
        first, second = [await self._labels.layout(model) for model in (canary, stable)]
        return first if first is not None and first == second and first.outputs else None

    def _advance(self, record: ReleaseRecord, material: _Material, now: float) -> ReleaseRecord:
        """Compare what is new. This runs in the thread."""
        until = now - _GRACE_SECONDS
        rules = RULES[Criterion.ERRORS], RULES[Criterion.LATENCY]
        canary, stable = (log.slots for log in material.traffic)
        last = int(until // SLOT_SECONDS) - 1
        record = replace(record, looked=now, traffic=add_traffic(record.traffic, rules, canary, stable, last))
        for part, (columns, windows) in material.rows.items():
            if part == "losses":
                record = self._advance_losses(record, columns, windows, material.layout)
                continue
            kinds = tuple(columns.kinds[place] for place in columns.used)
            known = getattr(record, part)
            if known is None or record.keys.get(part) != columns.schema:
                known = no_rows(len(kinds), sum(map(score_count, kinds)))
                record = replace(record, keys={**record.keys, part: columns.schema})
            rule = INPUTS if part == "inputs" else RULES[Criterion.DRIFT]
            both = tuple(self._rows(window, _KINDS[part], columns.used) for window in windows)
            added = add_rows(known, rule, partial(table_scores, kinds), both[0], both[1], until)
            record = replace(record, inputs=added) if part == "inputs" else replace(record, predictions=added)
        return record

    def _rows(self, window: Window, kind: Kind, used: list[int]) -> RevisionRows:
        is_full = len(window.rows) >= kept_rows(kind, self._window_rows, window.rows.shape[1])
        first = float(window.times.min()) if is_full else -np.inf
        return RevisionRows(window.rows[:, used], window.times, window.requests, first)

    def _advance_losses(
        self,
        record: ReleaseRecord,
        columns: _Columns,
        windows: tuple[Window, Window],
        layout: LabelLayout | None,
    ) -> ReleaseRecord:
        """Compare the losses of the first output, of rows whose labels came since the last look."""
        if layout is None:
            return record
        try:
            place = prediction_place(layout.outputs[0], layout.predictions, layout.kinds)
        except LabelledOutputError:
            return record
        losses = record.losses
        if losses is None or record.keys.get("losses") != columns.schema:
            losses = no_rows(1, 1)
            record = replace(record, keys={**record.keys, "losses": columns.schema}, losses=losses, labelled=(0, 0))
        pairs = [window.rows[:, [place, len(layout.predictions)]] for window in windows]
        new = [
            (window.numbers > newest) & ~np.isnan(values).any(axis=1)
            for window, newest, values in zip(windows, record.labelled, pairs, strict=True)
        ]
        if min(np.unique(window.requests[kept]).size for window, kept in zip(windows, new, strict=True)) < MIN_REQUESTS:
            return record
        if not any(losses.rows):  # not before there are rows: without any, all of them are whole numbers
            is_number = FeatureKind.CATEGORICAL not in {layout.kinds[place], layout.output_kinds[0]}
            record = replace(record, numbers=is_number and not are_whole(np.concatenate(pairs)))
        parts = [
            RevisionRows(
                losses_of(values[kept, 0], values[kept, 1], numbers=record.numbers),
                window.times[kept],
                window.requests[kept],
            )
            for window, kept, values in zip(windows, new, pairs, strict=True)
        ]
        scores, rule = rank_scores if record.numbers else error_scores, RULES[Criterion.ACCURACY]
        losses = add_late_rows(losses, rule, scores, parts[0], parts[1], record.looked)
        first, second = (int(window.numbers[-1]) for window in windows)
        return replace(record, losses=losses, labelled=(first, second))


def _label_columns(layout: LabelLayout | None) -> _Columns | None:
    return None if layout is None else _Columns(layout.schema, (*layout.kinds, *layout.output_kinds))


def _state_name(stable: ModelKey) -> str:
    """The name of the state of a comparison with a revision."""
    digest = blake2b(stable.revision.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()
    return f"compare-{digest}"
