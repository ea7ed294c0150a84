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

from sidecar.metrics import labels
from sidecar.payload import ModelKey

ERROR_CODES = ("400", "404", "422", "499", "500", "502", "503", "504")
"""Codes that start at 0, so that `rate` sees the first error; others appear when they first happen."""

_FIRST_ERROR = 400


class RequestCounts(Collector):
    """Counts requests, their rows and their errors by model and status code."""

    def __init__(self) -> None:
        self._requests: defaultdict[tuple[str, ...], int] = defaultdict(int)
        self._rows: defaultdict[tuple[str, ...], int] = defaultdict(int)
        self._errors: defaultdict[tuple[str, ...], int] = defaultdict(int)

    def start(self, model: ModelKey, code: str) -> None:
        """Begin a model's series at 0: the usual code, and the usual errors."""
        self._requests[(*labels.of(model), code)] += 0
        for error in ERROR_CODES:
            self._errors[(*labels.of(model), error)] += 0

    def count(self, model: ModelKey, code: str) -> None:
        """Count one request; `code` is an HTTP status, or empty where none was told."""
        key = (*labels.of(model), code)
        self._requests[key] += 1
        if code and int(code) >= _FIRST_ERROR:
            self._errors[key] += 1

    def add_rows(self, model: ModelKey, code: str, rows: int) -> None:
        """Add the rows of a request that is counted on its own."""
        key = (*labels.of(model), code)
        self._requests[key] += 0
        self._rows[key] += rows

    def collect(self) -> Iterator[SummaryMetricFamily]:
        """The two summary families."""
        names = (*labels.MODEL, "code")
        requests = SummaryMetricFamily(
            "request", "Inference requests; the sum counts the rows of those that were decoded.", labels=names
        )
        for key, count in sorted(self._requests.items()):
            requests.add_metric(key, count_value=count, sum_value=self._rows.get(key, 0))
        errors = SummaryMetricFamily(
            "request_error", "Inference requests that failed; the sum counts their rows.", labels=names
        )
        for key, count in sorted(self._errors.items()):
            errors.add_metric(key, count_value=count, sum_value=self._rows.get(key, 0))
        yield requests
        yield errors
