"""Payloads -> rows: each by itself, or many small ones of one model together."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from secrets import token_hex

import numpy as np
from numpy.typing import NDArray

from driftgauge.drift.profile import FeatureKind
from driftgauge.errors import PayloadError, Reason
from driftgauge.features.inputs import extract
from driftgauge.features.output_columns import OutputColumns, OutputLayout
from driftgauge.features.outputs import are_alike, extract_outputs
from driftgauge.features.predictions import extract_predictions
from driftgauge.features.row_table import MAX_CELLS, missing_per_column
from driftgauge.inference.payload import Kind, ModelKey, Payload
from driftgauge.protocol.batch import decode_batch
from driftgauge.protocol.decode import decode
from driftgauge.protocol.tensor import Decoded
from driftgauge.reference.dataset import Reference, schema_hash
from driftgauge.reference.store import ReferenceStore

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """What some payloads of one stream gave.

    Args:
        columns: Names.
        kinds: The kind of each column.
        schema: Hash of the two.
        values: Shape `(n, d)`, float64: the newest rows of each payload, in order.
        missing: Shape `(d,)`: values that each column lacked, in all rows.
        count: How many rows there were.
        requests: Shape `(k,)`, int64: how many of `values` came in each payload.
    """

    columns: tuple[str, ...]
    kinds: tuple[FeatureKind, ...]
    schema: str
    values: NDArray[np.float64]
    missing: NDArray[np.int64]
    count: int
    requests: NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Result:
    """What became of some payloads of one stream.

    Args:
        payloads: At least one.
        row_counts: How many rows each told of.
        rows: Theirs, or the reason why there are none.
    """

    payloads: Sequence[Payload]
    row_counts: Sequence[int]
    rows: Rows | Reason


class Decoder:
    """Makes rows of payloads. It may be used from any thread.

    Args:
        references: Tell each model's columns.
        outputs: Is told what the responses look like that no reference tells of.
        max_payload_bytes: Longest body after it has been unpacked.
        window_rows: Rows that a window holds: of a longer payload the last ones are kept.
    """

    def __init__(
        self, references: ReferenceStore, outputs: OutputColumns, max_payload_bytes: int, window_rows: int
    ) -> None:
        self._references = references
        self._outputs = outputs
        self._max_payload_bytes = max_payload_bytes
        self._window_rows = window_rows
        self._mark = token_hex(8)

    def one(self, payload: Payload, limit_cells: int = MAX_CELLS) -> Result:
        """The rows of one payload.

        Args:
            payload: Any.
            limit_cells: The most cells that its table may have.
        """
        row_count = 0
        try:
            decoded = decode(
                payload.body,
                payload.kind,
                json_length=payload.json_length,
                limit_bytes=self._max_payload_bytes,
                limit_cells=min(limit_cells, self._max_payload_bytes),
            )
            row_count = decoded.tensors[0].rows
            rows = self._extracted(payload.model, payload.kind, decoded, limit_cells)
        except PayloadError as error:
            _log.debug("a %s of %s was rejected: %s", payload.kind, payload.model, error)
            return Result((payload,), (row_count,), error.reason)
        return Result((payload,), (row_count,), rows)

    def together(self, payloads: Sequence[Payload]) -> Result | None:
        """What each of some payloads by itself would give, or `None` where that cannot be vouched for.

        Args:
            payloads: Of one stream, with bodies that are plain JSON, at least one.
        """
        first = payloads[0]
        batch = decode_batch([payload.body for payload in payloads], first.kind, self._mark)
        if batch is None or batch.counts.max() > self._window_rows:
            return None
        if first.kind is Kind.RESPONSE and not are_alike(batch.decoded, batch.counts):
            return None
        try:
            rows = self._extracted(first.model, first.kind, batch.decoded, MAX_CELLS, batch.counts)
        except PayloadError:
            return None
        return Result(payloads, batch.counts.tolist(), rows)

    def _extracted(
        self,
        model: ModelKey,
        kind: Kind,
        decoded: Decoded,
        limit_cells: int,
        requests: NDArray[np.int64] | None = None,
    ) -> Rows | Reason:
        reference = self._references.get(model)
        if kind is Kind.RESPONSE:
            if reference is not None and reference.predictions:
                return self._predictions(decoded, reference, requests)
            return self._own_outputs(model, decoded, requests)
        if reference is None or not reference.features:
            return Reason.NO_REFERENCE
        values = extract(decoded, reference.columns, reference.kinds, limit_cells)
        return self._rows(reference.columns, reference.kinds, reference.schema, values, requests)

    def _predictions(self, decoded: Decoded, reference: Reference, requests: NDArray[np.int64] | None) -> Rows:
        columns, kinds = reference.prediction_columns, reference.prediction_kinds
        values = extract_predictions(decoded, columns, kinds)
        return self._rows(columns, kinds, reference.prediction_schema, values, requests)

    def _own_outputs(self, model: ModelKey, decoded: Decoded, requests: NDArray[np.int64] | None) -> Rows:
        """The outputs as the response itself tells them, of which the monitor then hears."""
        before = self._outputs.get(model)
        found = extract_outputs(decoded, {} if before is None else before.known)
        self._outputs.record(model, OutputLayout(found.columns, found.kinds, found.categories))
        return self._rows(found.columns, found.kinds, schema_hash(found.columns, found.kinds), found.values, requests)

    def _rows(
        self,
        columns: tuple[str, ...],
        kinds: tuple[FeatureKind, ...],
        schema: str,
        values: NDArray[np.float64],
        requests: NDArray[np.int64] | None,
    ) -> Rows:
        missing, count = missing_per_column(values), len(values)
        if requests is None:
            kept = values[-self._window_rows :]
            # A copy, since a view would keep all of a large table alive for the sake of its last rows.
            values = kept if len(kept) == count else kept.copy()
            requests = np.array([len(values)])
        return Rows(columns, kinds, schema, values, missing, count, requests)
