"""The counters and histograms of one model, with their labels bound once: `.labels()` on every request costs time."""

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
    """The metric families that all models share.

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
        self.payloads = counter("driftgauge_payloads_total", "Payloads by their outcome.", _PAYLOAD_LABELS)
        self.rows = counter("driftgauge_rows_total", "Feature rows put into the ring.")
        self.missing = counter(
            "driftgauge_missing_values_total",
            "Values that were null, NaN or absent.",
            (*MODEL_LABELS, "feature"),
        )
        self.skipped = counter(
            "driftgauge_skipped_blocks_total", "Blocks of rows that have another schema and were not read."
        )
        self.failures = counter("driftgauge_evaluation_failures_total", "Evaluations that failed.")
        self.detector_rows = counter(
            "driftgauge_detector_rows_total", "Rows that were fed to the sequential detector.", _KIND_LABELS
        )
        self.detector_skipped = counter(
            "driftgauge_detector_skipped_rows_total",
            "Rows that the detector never saw, because more came between two evaluations than a window holds.",
            _KIND_LABELS,
        )
        self.detector_resets = counter(
            "driftgauge_detector_resets_total",
            "How often the detector dropped its evidence and started again, for example after a new reference.",
            _KIND_LABELS,
        )
        self.unpaired = counter(
            "driftgauge_unpaired_total", "Requests without their response, and responses without their request."
        )


class ModelMetrics:
    """The series of one model, all of which start at 0.

    Args:
        model: The model.
        families: The families of its series.
        code: Status code of its usual request: `200`, or empty where status codes are unknown.
    """

    def __init__(self, model: ModelKey, families: Families, code: str) -> None:
        self.model = model
        self._families = families
        self._values = model_labels(model)
        families.requests.start(model, code)
        self.exchanges = families.exchanges.start(model)
        self.rows = families.rows.labels(*self._values)
        self.skipped = families.skipped.labels(*self._values)
        self.failures = families.failures.labels(*self._values)
        self.unpaired = families.unpaired.labels(*self._values)
        self._payloads = {
            (kind, outcome, reason): families.payloads.labels(*self._values, kind, outcome, reason or "")
            for kind in Kind
            for outcome, reason in _outcomes()
        }
        self._detector_rows, self._detector_skipped, self._detector_resets = (
            {kind: family.labels(*self._values, kind) for kind in Kind}
            for family in (families.detector_rows, families.detector_skipped, families.detector_resets)
        )

    def count_request(self, code: str) -> None:
        """Count a request that ended with this status code; empty if it is unknown."""
        self._families.requests.count(self.model, code)

    def count_rows(self, code: str, rows: int) -> None:
        """Add the rows of a request that has been counted."""
        self._families.requests.add_rows(self.model, code, rows)

    def count_payload(self, kind: Kind, outcome: Outcome, reason: Reason | None = None, number: int = 1) -> None:
        """Count the outcome of one payload, or of several; only dropped and rejected ones have a `reason`."""
        self._payloads[kind, outcome, reason].inc(number)

    def count_detector_rows(self, kind: Kind, fed: int, skipped: int) -> None:
        """Count the rows of requests or responses that were fed to the detector, and those that it never saw."""
        self._detector_rows[kind].inc(fed)
        self._detector_skipped[kind].inc(skipped)

    def count_detector_reset(self, kind: Kind) -> None:
        """Count that the detector started again, because its state was of another reference."""
        self._detector_resets[kind].inc()

    def count_missing(self, columns: Sequence[str], missing: NDArray[np.int64]) -> None:
        """Count missing values by feature; every feature has a series from its first row on."""
        for column, number in zip(columns, missing.tolist(), strict=True):
            self._families.missing.labels(*self._values, column).inc(number)


def _outcomes() -> list[tuple[Outcome, Reason | None]]:
    lost = [(Outcome.DROPPED if reason.dropped else Outcome.REJECTED, reason) for reason in Reason]
    return [(Outcome.ACCEPTED, None), (Outcome.SAMPLED_OUT, None), *lost]
