"""One model's own counters and histograms, with their labels bound once: `.labels()` on every request costs."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from prometheus_client import CollectorRegistry, Counter

from driftgauge.errors import Reason
from driftgauge.inference.payload import Kind, ModelKey, Outcome
from driftgauge.metrics.exchange_counters import MODEL_LABELS, ExchangeFamilies, model_labels
from driftgauge.metrics.request_counts import RequestCounts

_PAYLOAD_LABELS = (*MODEL_LABELS, "kind", "outcome", "reason")
_KIND_LABELS = (*MODEL_LABELS, "kind")


class Families:
    """The families that models share.

    Args:
        registry: Where they are registered.
    """

    def __init__(self, registry: CollectorRegistry) -> None:
        def counter(name: str, text: str, names: Sequence[str] = MODEL_LABELS) -> Counter:
            return Counter(name, text, names, registry=registry)

        self.requests = RequestCounts()
        registry.register(self.requests)
        self.exchanges = ExchangeFamilies()
        registry.register(self.exchanges)
        self.payloads = counter("driftgauge_payloads_total", "Payloads by their end.", _PAYLOAD_LABELS)
        self.rows = counter("driftgauge_rows_total", "Feature rows put into the ring.")
        self.missing = counter(
            "driftgauge_missing_values_total",
            "Values that were null, NaN or absent.",
            (*MODEL_LABELS, "feature"),
        )
        self.skipped = counter("driftgauge_skipped_blocks_total", "Blocks of rows of another schema, not read.")
        self.failures = counter("driftgauge_evaluation_failures_total", "Evaluations that failed.")
        self.detector_rows = counter(
            "driftgauge_detector_rows_total", "Rows that the sequential detector has met.", _KIND_LABELS
        )
        self.detector_skipped = counter(
            "driftgauge_detector_skipped_rows_total",
            "Rows that passed between two evaluations unseen by the detector, since more came than a window holds.",
            _KIND_LABELS,
        )
        self.detector_resets = counter(
            "driftgauge_detector_resets_total",
            "Times that the detector forgot its evidence and started anew, as with a new reference.",
            _KIND_LABELS,
        )
        self.unpaired = counter(
            "driftgauge_unpaired_total", "Halves of a request and response whose other half never came."
        )


class ModelMetrics:
    """The series of one model, all of which start at 0.

    Args:
        model: The model.
        families: Where its series live.
        code: Status code of its usual request: `200`, or empty where codes are not told.
    """

    def __init__(self, model: ModelKey, families: Families, code: str) -> None:
        self.model = model
        self._families = families
        self._values = model_labels(model)
        families.requests.start(model, code)
        self.exchanges = families.exchanges.start(model)
        self.latency = self.exchanges.latency
        self.overhead = self.exchanges.overhead
        self.rows = families.rows.labels(*self._values)
        self.skipped = families.skipped.labels(*self._values)
        self.failures = families.failures.labels(*self._values)
        self.unpaired = families.unpaired.labels(*self._values)
        self._payloads = {
            (kind, outcome, reason): families.payloads.labels(*self._values, kind, outcome, reason or "")
            for kind in Kind
            for outcome, reason in _ends()
        }
        self._detector_rows, self._detector_skipped, self._detector_resets = (
            {kind: family.labels(*self._values, kind) for kind in Kind}
            for family in (families.detector_rows, families.detector_skipped, families.detector_resets)
        )

    def count_request(self, code: str) -> None:
        """Count a request that ended with this status code; empty if none is told."""
        self._families.requests.count(self.model, code)

    def count_rows(self, code: str, rows: int) -> None:
        """Add the rows of a request that was counted."""
        self._families.requests.add_rows(self.model, code, rows)

    def count_payload(self, kind: Kind, outcome: Outcome, reason: Reason | None = None, number: int = 1) -> None:
        """Count the end of one payload, or of many; `reason` belongs to the dropped and rejected ones."""
        self._payloads[kind, outcome, reason].inc(number)

    def count_detector_rows(self, kind: Kind, fed: int, skipped: int) -> None:
        """Count rows of one half of the inferences that the detector met, and those that it could not meet."""
        self._detector_rows[kind].inc(fed)
        self._detector_skipped[kind].inc(skipped)

    def count_detector_reset(self, kind: Kind) -> None:
        """Count that the detector started anew: what it knew was of another reference."""
        self._detector_resets[kind].inc()

    def count_missing(self, columns: Sequence[str], missing: NDArray[np.int64]) -> None:
        """Count missing values by feature; every feature has a series from its first row on."""
        for column, number in zip(columns, missing.tolist(), strict=True):
            self._families.missing.labels(*self._values, column).inc(number)


def _ends() -> list[tuple[Outcome, Reason | None]]:
    lost = [(Outcome.DROPPED if reason.dropped else Outcome.REJECTED, reason) for reason in Reason]
    return [(Outcome.ACCEPTED, None), (Outcome.SAMPLED_OUT, None), *lost]
