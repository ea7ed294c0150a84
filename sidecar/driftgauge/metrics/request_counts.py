"""Counters of requests and payloads, in plain Python numbers, which a scrape turns into metric families.

`request_count` and `request_error_count` are the names of the article that page/runbooks/index.md cites. The name of a
counter must end in `_total`, so the two are the `_count` of the summaries `request` and `request_error`: their types
are true, promtool's lint accepts them, and `rate(request_error_count[5m])` works. A request is counted at once, but its
rows are known only after the pipeline has decoded it. The client library's summary does both in one step, hence a
collector of our own.

Source: OpenMetrics 1.0, section "Summary" (https://prometheus.io/docs/specs/om/open_metrics_spec/).
"""

from collections.abc import Iterator
from typing import Final, final

from prometheus_client.core import CounterMetricFamily, SummaryMetricFamily
from prometheus_client.registry import Collector

from driftgauge.errors import Reason
from driftgauge.inference.payload import PAYLOAD_KINDS, Kind, ModelKey, Outcome

ERROR_CODES: Final = ("400", "404", "422", "499", "500", "502", "503", "504")
"""Status codes whose series start at 0, so that `rate` sees the first error; others start with their first error."""

_FIRST_ERROR: Final = "400"
"""Status codes have three digits, or are empty where unknown, so they can be compared as text."""


@final
class CodeCounts:
    """The requests of one model by status code, empty where it is unknown."""

    __slots__ = ("errors", "requests", "rows")

    def __init__(self) -> None:
        self.requests: dict[str, int] = {}
        self.rows: dict[str, int] = {}
        self.errors: dict[str, int] = dict.fromkeys(ERROR_CODES, 0)

    def start(self, code: str) -> None:
        """Start the series of the usual status code at 0; those of the usual errors have started."""
        self.requests.setdefault(code, 0)

    def count(self, code: str) -> None:
        """Count one request."""
        self.requests[code] = self.requests.get(code, 0) + 1
        if code >= _FIRST_ERROR:
            self.count_error(code)

    def count_error(self, code: str) -> None:
        """Count the error of a request that was counted before its status code was known."""
        self.errors[code] = self.errors.get(code, 0) + 1

    def add_rows(self, code: str, rows: int) -> None:
        """Add the rows of a request; `count` counts the request itself."""
        self.start(code)
        self.rows[code] = self.rows.get(code, 0) + rows

    @property
    def totals(self) -> tuple[int, int]:
        """The requests whose status code is known, and the errors."""
        return sum(count for code, count in self.requests.items() if code), sum(self.errors.values())


class RequestCounts(Collector):
    """Counts requests, their rows and their errors by model and status code."""

    def __init__(self) -> None:
        self._models: dict[ModelKey, CodeCounts] = {}

    def start(self, model: ModelKey, code: str) -> CodeCounts:
        """Start a model's series at 0, unless they exist; returns what counts them."""
        counts = self._models.setdefault(model, CodeCounts())
        counts.start(code)
        return counts

    def totals(self) -> dict[ModelKey, tuple[int, int]]:
        """Of each model the requests whose status code is known, and the errors."""
        return {model: counts.totals for model, counts in self._models.items()}

    def remove(self, model: ModelKey) -> None:
        """Remove a model's series."""
        self._models.pop(model, None)

    def collect(self) -> Iterator[SummaryMetricFamily]:
        """The two summary families."""
        names = (*MODEL_LABELS, "code")
        requests = SummaryMetricFamily(
            "request", "Inference requests; the sum counts the rows of those that were decoded.", labels=names
        )
        errors = SummaryMetricFamily(
            "request_error", "Inference requests that failed; the sum counts their rows.", labels=names
        )
        for model, counts in sorted(self._models.copy().items()):  # a copy: scrapes run in a thread
            for family, known in ((requests, counts.requests), (errors, counts.errors)):
                for code, count in sorted(known.copy().items()):
                    rows = counts.rows.get(code, 0)
                    family.add_metric((*model_labels(model), code), count_value=count, sum_value=rows)
        yield requests
        yield errors


PayloadOutcome = tuple[Kind, Outcome, Reason | None]
"""Kind and outcome of a payload, and why it was dropped or rejected."""


class PayloadCounts(Collector):
    """Counts payloads by model, kind and outcome."""

    def __init__(self) -> None:
        self._models: dict[ModelKey, dict[PayloadOutcome, int]] = {}

    def start(self, model: ModelKey) -> dict[PayloadOutcome, int]:
        """Start a model's series at 0, unless they exist; returns them."""
        zeros = {(kind, outcome, reason): 0 for kind in PAYLOAD_KINDS for outcome, reason in _outcomes()}
        return self._models.setdefault(model, zeros)

    def remove(self, model: ModelKey) -> None:
        """Remove a model's series."""
        self._models.pop(model, None)

    def collect(self) -> Iterator[CounterMetricFamily]:
        """The one family of counters."""
        names = (*MODEL_LABELS, "kind", "outcome", "reason")
        family = CounterMetricFamily("driftgauge_payloads_total", "Payloads by their outcome.", labels=names)
        for model, counts in self._models.copy().items():  # a copy: scrapes run in a thread
            for (kind, outcome, reason), count in counts.items():
                family.add_metric((*model_labels(model), kind, outcome, reason or ""), count)
        yield family


MODEL_LABELS: Final = ("inference_service_namespace", "inference_service", "component", "model_name", "revision")


def model_labels(model: ModelKey) -> tuple[str, str, str, str, str]:
    """Label values of a model, in the order of `MODEL_LABELS`.

    An empty value is the same as no label to Prometheus: rules and queries without the label see no change.
    """
    return (model.namespace, model.inference_service, model.component, model.model_name, model.revision)


def _outcomes() -> list[tuple[Outcome, Reason | None]]:
    lost = [(Outcome.DROPPED if reason.dropped else Outcome.REJECTED, reason) for reason in Reason]
    return [(Outcome.ACCEPTED, None), (Outcome.SAMPLED_OUT, None), *lost]
