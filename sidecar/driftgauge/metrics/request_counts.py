"""Counts requests and errors as `request_count` and `request_error_count`, the names of the article.

docs/runbooks/README.md names the article. The name of a counter must end in `_total`, so the two are the `_count` of
the summaries `request` and `request_error`: their types are true, promtool's lint accepts them, and
`rate(request_error_count[5m])` works. A request is counted at once, but its rows are known only after the pipeline has
decoded it. The client library's summary does both in one step, hence this collector.

Source: OpenMetrics 1.0, section "Summary" (https://prometheus.io/docs/specs/om/open_metrics_spec/).
"""

from collections import defaultdict
from collections.abc import Iterator

from prometheus_client.core import SummaryMetricFamily
from prometheus_client.registry import Collector

from driftgauge.inference.payload import ModelKey
from driftgauge.metrics.exchange_counters import MODEL_LABELS, model_labels

ERROR_CODES = ("400", "404", "422", "499", "500", "502", "503", "504")
"""Status codes whose series start at 0, so that `rate` sees the first error; others start with their first error."""

_FIRST_ERROR = "400"
"""Status codes have three digits, or are empty where unknown, so they can be compared as text."""


class RequestCounts(Collector):
    """Counts requests, their rows and their errors by model and status code."""

    def __init__(self) -> None:
        self._requests: defaultdict[tuple[ModelKey, str], int] = defaultdict(int)
        self._rows: defaultdict[tuple[ModelKey, str], int] = defaultdict(int)
        self._errors: defaultdict[tuple[ModelKey, str], int] = defaultdict(int)

    def start(self, model: ModelKey, code: str) -> None:
        """Start a model's series at 0: of the usual status code, and of the usual errors."""
        self._requests[model, code] += 0
        for error in ERROR_CODES:
            self._errors[model, error] += 0

    def count(self, model: ModelKey, code: str) -> None:
        """Count one request; `code` is its status code, empty where unknown."""
        self._requests[model, code] += 1
        if code >= _FIRST_ERROR:
            self._errors[model, code] += 1

    def add_rows(self, model: ModelKey, code: str, rows: int) -> None:
        """Add the rows of a request; `count` counts the request itself."""
        self._requests[model, code] += 0
        self._rows[model, code] += rows

    def collect(self) -> Iterator[SummaryMetricFamily]:
        """The two summary families."""
        names = (*MODEL_LABELS, "code")
        requests = SummaryMetricFamily(
            "request", "Inference requests; the sum counts the rows of those that were decoded.", labels=names
        )
        for (model, code), count in sorted(self._requests.items()):
            rows = self._rows.get((model, code), 0)
            requests.add_metric((*model_labels(model), code), count_value=count, sum_value=rows)
        errors = SummaryMetricFamily(
            "request_error", "Inference requests that failed; the sum counts their rows.", labels=names
        )
        for (model, code), count in sorted(self._errors.items()):
            rows = self._rows.get((model, code), 0)
            errors.add_metric((*model_labels(model), code), count_value=count, sum_value=rows)
        yield requests
        yield errors
