"""The row that has all revisions of a model side by side, such as a canary and the stable one."""

from charts.dashboards.board import Row
from charts.dashboards.panels import graph
from charts.dashboards.promql import MODEL, PROXIED, mean, of_all_revisions, rate_of_all_revisions, total
from charts.dashboards.queries import Query
from charts.dashboards.style import HALF, THIRD, Text
from charts.dashboards.units import OWN, REQUESTS_PER_SECOND, SECONDS, SHARE

_LEGEND = "{{model_name}} {{revision}}"


def revisions() -> Row:
    """Make the row: traffic, errors, latencies, predictions and accuracy, each with a line for each revision."""
    requests = Text("Requests by revision", "Inference requests a second.", REQUESTS_PER_SECOND)
    failing = Text(
        "Error ratio by revision",
        "Failed requests (status 400 and above, 499, 502, 504) as a share of all; only for models with a proxy.",
        SHARE,
    )
    latency = Text("Latency by revision", "Median and p95 as the client sees them; estimated within buckets.", SECONDS)
    medians = Text(
        "Median prediction by revision",
        "Median of each prediction's newest window, in its own unit. Empty for classes that are text.",
        OWN,
        "unit of the prediction",
    )
    accuracy = Text(
        "Accuracy by revision",
        "Right predictions as a share of the rows that were judged in each interval. Empty for numbers.",
        SHARE,
    )
    counted = rate_of_all_revisions("request_count")
    failed, of_proxy = rate_of_all_revisions("request_error_count"), rate_of_all_revisions("request_count", PROXIED)
    buckets = total(rate_of_all_revisions("request_latency_seconds_bucket"), f"{MODEL}, le")
    median = of_all_revisions("driftgauge_prediction_quantile", 'level="0.5"', 'sample="window"')
    right, judged = (
        total(rate_of_all_revisions(f"driftgauge_{name}_total"), f"{MODEL}, output")
        for name in ("correct_predictions", "outcome_rows")
    )
    return Row(
        "Revisions side by side",
        (
            graph(requests, Query(total(counted), _LEGEND), width=THIRD),
            graph(failing, Query(f"{total(failed)} / {total(of_proxy)}", _LEGEND), width=THIRD),
            graph(
                latency,
                *(Query(f"histogram_quantile(0.{p}, {buckets})", f"p{p} {_LEGEND}") for p in (50, 95)),
                width=THIRD,
            ),
            graph(
                medians,
                Query(mean(median, f"{MODEL}, prediction"), f"{{{{prediction}}}} {_LEGEND}"),
                width=HALF,
                limits=(None, None),
            ),
            graph(accuracy, Query(f"{right} / {judged}", f"{{{{output}}}} {_LEGEND}"), width=HALF, limits=(0, 1)),
        ),
    )
