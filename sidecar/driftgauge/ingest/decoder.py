"""From payloads to rows: one payload at a time, or many small payloads of one stream together."""

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
class DecodedRows:
    """The rows of one or more payloads of one stream.

    Args:
        columns: The names of the columns.
        kinds: The kind of each column.
        schema: Hash of the names and kinds.
        values: Shape `(n, d)`, float64: the newest rows of each payload, in order.
        missing: Shape `(d,)`: the number of missing values of each column, in all rows of the payloads.
        count: The number of all rows of the payloads; `values` may have fewer.
        requests: Shape `(k,)`, int64: the number of rows in `values` of each payload.
    """

    columns: tuple[str, ...]
    kinds: tuple[FeatureKind, ...]
    schema: str
    values: NDArray[np.float64]
    missing: NDArray[np.int64]
    count: int
    requests: NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class DecodeResult:
    """The result of decoding one or more payloads of one stream.

    Args:
        payloads: At least one.
        row_counts: The number of rows of each payload, 0 if it could not be decoded.
        rows: The rows of all payloads, or the reason why they have none.
    """

    payloads: Sequence[Payload]
    row_counts: Sequence[int]
    rows: DecodedRows | Reason


class Decoder:
    """Extracts the rows of payloads. May be used from any thread.

    Args:
        references: The columns of each model.
        outputs: Records the columns of responses, for models whose reference has no predictions.
        max_payload_bytes: Longest body after decompression.
        window_rows: Rows of a window. Only the last `window_rows` rows of a longer payload are used.
    """

    def __init__(
        self, references: ReferenceStore, outputs: OutputColumns, max_payload_bytes: int, window_rows: int
    ) -> None:
        self._references = references
        self._outputs = outputs
        self._max_payload_bytes = max_payload_bytes
        self._window_rows = window_rows
        self._separator = token_hex(8)

    def decode(self, payload: Payload, limit_cells: int = MAX_CELLS) -> DecodeResult:
        """Decode one payload.

        Args:
            payload: Any payload.
            limit_cells: The most cells that its rows may have.
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
            rows = self._extract(payload.model, payload.kind, decoded, limit_cells)
        except PayloadError as error:
            _log.debug("a %s of %s was rejected: %s", payload.kind, payload.model, error)
            return DecodeResult((payload,), (row_count,), error.reason)
        return DecodeResult((payload,), (row_count,), rows)

    def decode_batch(self, payloads: Sequence[Payload]) -> DecodeResult | None:
        """Decode payloads in one step, which is cheaper than one at a time.

        Args:
            payloads: At least one payload of one stream, with bodies of plain JSON.

        Returns:
            The rows that decoding one payload at a time gives; `None` if the payloads must be decoded that way, since
            they differ in shape or one of them has an error.
        """
        first = payloads[0]
        batch = decode_batch([payload.body for payload in payloads], first.kind, self._separator)
        if batch is None or batch.counts.max() > self._window_rows:
            return None
        if first.kind is Kind.RESPONSE and not are_alike(batch.decoded, batch.counts):
            return None
        try:
            rows = self._extract(first.model, first.kind, batch.decoded, MAX_CELLS, batch.counts)
        except PayloadError:
            return None
        return DecodeResult(payloads, batch.counts.tolist(), rows)

    def _extract(
        self,
        model: ModelKey,
        kind: Kind,
        decoded: Decoded,
        limit_cells: int,
        requests: NDArray[np.int64] | None = None,
    ) -> DecodedRows | Reason:
        reference = self._references.get(model)
        if kind is Kind.RESPONSE:
            return self._extract_response(model, reference, decoded, requests)
        if reference is None or not reference.features:
            return Reason.NO_REFERENCE
        values = extract(decoded, reference.columns, reference.kinds, limit_cells, reference.missing_words)
        return self._newest(reference.columns, reference.kinds, reference.schema, values, requests)

    def _extract_response(
        self, model: ModelKey, reference: Reference | None, decoded: Decoded, requests: NDArray[np.int64] | None
    ) -> DecodedRows:
        """The columns of the reference's predictions; without them all columns of the response, which are recorded."""
        if reference is not None and reference.predictions:
            columns, kinds = reference.prediction_columns, reference.prediction_kinds
            values = extract_predictions(decoded, columns, kinds, reference.missing_words)
            return self._newest(columns, kinds, reference.prediction_schema, values, requests)
        layout = self._outputs.get(model)
        outputs = extract_outputs(decoded, {} if layout is None else layout.known)
        self._outputs.record(model, OutputLayout(outputs.columns, outputs.kinds, outputs.categories))
        schema = schema_hash(outputs.columns, outputs.kinds)
        return self._newest(outputs.columns, outputs.kinds, schema, outputs.values, requests)

    def _newest(
        self,
        columns: tuple[str, ...],
        kinds: tuple[FeatureKind, ...],
        schema: str,
        values: NDArray[np.float64],
        requests: NDArray[np.int64] | None,
    ) -> DecodedRows:
        """The newest `window_rows` rows of one payload; of several payloads (`requests` given) all rows."""
        missing, count = missing_per_column(values), len(values)
        if requests is None:
            kept = values[-self._window_rows :]
            # A copy, since a view of the last rows would keep a large table in memory.
            values = kept if len(kept) == count else kept.copy()
            requests = np.array([len(values)])
        return DecodedRows(columns, kinds, schema, values, missing, count, requests)
