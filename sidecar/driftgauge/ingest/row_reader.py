"""From one body to the rows of its model. No function here keeps state, so that a child process can call it too."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from driftgauge.drift.profile import FeatureKind
from driftgauge.errors import PayloadError, Reason
from driftgauge.features.inputs import extract
from driftgauge.features.output_columns import OutputLayout
from driftgauge.features.outputs import extract_outputs
from driftgauge.features.predictions import extract_predictions
from driftgauge.features.row_table import MAX_CELLS, missing_per_column
from driftgauge.inference.payload import Kind
from driftgauge.protocol.decode import decode_unpacked
from driftgauge.protocol.limits import Limits
from driftgauge.protocol.missing_words import NO_WORDS
from driftgauge.protocol.tensor import Decoded
from driftgauge.reference.dataset import schema_hash


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
        layout: The columns and categories of responses, to be recorded where a reference has no predictions.
        ids: The `id` of each payload that is a V2 response, as in `Decoded`; empty if none has one.
    """

    columns: tuple[str, ...]
    kinds: tuple[FeatureKind, ...]
    schema: str
    values: NDArray[np.float64]
    missing: NDArray[np.int64]
    count: int
    requests: NDArray[np.int64]
    layout: OutputLayout | None = None
    ids: Sequence[str | None] = ()


@dataclass(frozen=True, slots=True)
class RowReader:
    """Extracts the rows of one stream.

    Args:
        kind: Requests or responses.
        columns: The columns of the reference: features of a request, predictions of a response. Empty without.
        kinds: The kind of each column.
        schema: Hash of the names, the kinds and the missing words.
        known: The kinds of the columns of earlier responses, used if `columns` is empty.
        unstable: Outputs of responses that are left out, used if `columns` is empty.
        window_rows: Only the last `window_rows` rows of a longer payload are used.
        limit_cells: The most cells that the rows may have.
        missing_words: Texts that are missing values, besides the empty one, as in the reference.
    """

    kind: Kind
    columns: tuple[str, ...]
    kinds: tuple[FeatureKind, ...]
    schema: str
    window_rows: int
    known: Mapping[str, FeatureKind] = field(default_factory=dict)
    unstable: frozenset[str] = frozenset()
    limit_cells: int = MAX_CELLS
    missing_words: frozenset[str] = NO_WORDS

    def read(self, decoded: Decoded, requests: NDArray[np.int64] | None = None) -> DecodedRows:
        """The rows of one payload, or of several with as many rows as in `requests`.

        Raises:
            PayloadError: `NO_REFERENCE` for a request without columns, else as `extract` and its siblings.
        """
        if self.kind is Kind.REQUEST:
            if not self.columns:
                raise PayloadError(Reason.NO_REFERENCE, "The model has no reference.")
            values = extract(decoded, self.columns, self.kinds, self.limit_cells, self.missing_words)
            return self._newest(self.columns, self.kinds, self.schema, values, requests)
        if self.columns:
            values = extract_predictions(decoded, self.columns, self.kinds, self.missing_words)
            return self._newest(self.columns, self.kinds, self.schema, values, requests)
        found = extract_outputs(decoded, self.known, self.unstable)
        layout = OutputLayout(found.columns, found.kinds, found.categories, found.widths, found.left_out)
        schema = schema_hash(found.columns, found.kinds)
        return self._newest(found.columns, found.kinds, schema, found.values, requests, layout)

    def _newest(
        self,
        columns: tuple[str, ...],
        kinds: tuple[FeatureKind, ...],
        schema: str,
        values: NDArray[np.float64],
        requests: NDArray[np.int64] | None,
        layout: OutputLayout | None = None,
    ) -> DecodedRows:
        """The newest `window_rows` rows of one payload; of several payloads (`requests` given) all rows."""
        missing, count = missing_per_column(values), len(values)
        if requests is None:
            kept = values[-self.window_rows :]
            # A copy, since a view of the last rows would keep a large table in memory.
            values = kept if len(kept) == count else kept.copy()
            requests = np.array([len(values)])
        return DecodedRows(columns, kinds, schema, values, missing, count, requests, layout)


@dataclass(frozen=True, slots=True, eq=False)
class ReadBody:
    """What one body holds.

    Args:
        count: Its rows, 0 if it could not be decoded.
        rows: The rows that are kept, or why there are none.
    """

    count: int
    rows: DecodedRows | PayloadError


def read_rows(decoded: Decoded, reader: RowReader) -> ReadBody:
    """Extract the rows of a decoded body."""
    try:
        rows = reader.read(decoded)
        rows = rows if decoded.id is None else replace(rows, ids=(decoded.id,))
        return ReadBody(decoded.tensors[0].rows, rows)
    except PayloadError as error:
        return ReadBody(decoded.tensors[0].rows, error)


def read_body(raw: bytes, json_length: int | None, limits: Limits, reader: RowReader) -> ReadBody:
    """Decode a decompressed body, and extract its rows."""
    try:
        columns = frozenset(reader.columns)
        decoded = decode_unpacked(raw, reader.kind, json_length=json_length, limits=limits, columns=columns)
    except PayloadError as error:
        return ReadBody(0, error)
    return read_rows(decoded, reader)
