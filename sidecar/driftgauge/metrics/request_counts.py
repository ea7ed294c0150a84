"""The article's `request_count` and `request_error_count`: counts that are named without `_total`.

A counter's name must end in `_total`, so the two are the `_count` of the summaries `request` and
`request_error`: honest types, clean in promtool's lint, and `rate(request_error_count[5m])` reads as written.
A request is counted at once, its rows are known only when the pipeline has decoded it; a stock summary
can only do both in one step, hence this collector.

Source: OpenMetrics 1.0, section "Summary" (https://prometheus.io/docs/specs/om/open_metrics_spec/).
"""

from collections import defaultdict
from collections.abc import Iterator

from prometheus_client.core import SummaryMetricFamily
from prometheus_client.registry import Collector

from driftgauge.inference.payload import ModelKey
from driftgauge.metrics.exchange_counters import MODEL_LABELS, model_labels

ERROR_CODES = ("400", "404", "422", "499", "500", "502", "503", "504")
"""Codes that start at 0, so that `rate` sees the first error; others appear when they first happen."""

_FIRST_ERROR = "400"
"""Codes have three digits, or none where none is told: as texts they are in order."""


class RequestCounts(Collector):
    """Counts requests, their rows and their errors by model and status code."""

    def __init__(self) -> None:
        self._requests: defaultdict[tuple[ModelKey, str], int] = defaultdict(int)
        self._rows: defaultdict[tuple[ModelKey, str], int] = defaultdict(int)
        self._errors: defaultdict[tuple[ModelKey, str], int] = defaultdict(int)

    def start(self, model: ModelKey, code: str) -> None:
        """Begin a model's series at 0: the usual code, and the usual errors."""
        self._requests[model, code] += 0
        for error in ERROR_CODES:
            self._errors[model, error] += 0

    def count(self, model: ModelKey, code: str) -> None:
        """Count one request; `code` is an HTTP status, or empty where none was told."""
        self._requests[model, code] += 1
        if code >= _FIRST_ERROR:
            self._errors[model, code] += 1

    def add_rows(self, model: ModelKey, code: str, rows: int) -> None:
        """Add the rows of a request that is counted on its own."""
        self._requests[model, code] += 0
        self._rows[model, code] += rows

    def collect(self) -> Iterator[SummaryMetricFamily]:
        """The two summary families."""
        names = (*MODEL_LABELS, "code")
        requests = SummaryMetricFamily(
            "request", "Inference requests; the sum counts the rows of those that were decoded.", labels=names
        )
        for (model, code), count in sorted(self._requests.items()):
            reported = self._rows.get((model, code), 0)
            requests.add_metric((*model_labels(model), code), count_value=count, sum_value=reported)
        errors = SummaryMetricFamily(
            "request_error", "Inference requests that failed; the sum counts their rows.", labels=names
        )
        for (model, code), count in sorted(self._errors.items()):
            reported = self._rows.get((model, code), 0)
            errors.add_metric((*model_labels(model), code), count_value=count, sum_value=reported)
        yield requests
        yield errors
