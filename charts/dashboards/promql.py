"""PromQL of the boards: a model's labels, its selection by the boards' variables, rates, aggregates over replicas."""

MODEL = "cluster, inference_service_namespace, inference_service, component, model_name, revision"
"""The labels that identify a model.

Only a Prometheus that collects from several clusters has the first one, and only models whose revision is known have
the last one.
"""

MODEL_LEGEND = (
    "{{cluster}} {{inference_service_namespace}}/{{inference_service}}/{{component}}/{{model_name}} {{revision}}"
)

CLUSTER = 'cluster=~"$cluster"'
"""Selects the clusters; all of them include series without the label."""

PROCESS = f'{CLUSTER}, job=~"$job"'
"""Selects the processes of driftgauge."""

PROCESS_LEGEND = "{{cluster}} {{job}} {{instance}}"
CALL_LEGEND = f"{PROCESS_LEGEND} {{{{call}}}}"

PROXIED = 'code!=""'
"""Selects the requests with a known status code: the logger sees none."""

DISTANCE = 'test=~"ks|tv"'
"""Selects the windowed distance of a column: of a numeric one, or of a category."""

EVIDENCE = 'test="sequential"'
"""Selects the detector's evidence."""

_ALL_REVISIONS = (
    f'{PROCESS}, inference_service_namespace=~"$namespace", inference_service=~"$inference_service", '
    'component=~"$component", model_name=~"$model_name"'
)

_SELECTION = f'{_ALL_REVISIONS}, revision=~"$revision"'


def selected(metric: str, *matchers: str) -> str:
    """The series of a metric for the models that the board's variables select, with further matchers."""
    return f"{metric}{{{', '.join((_SELECTION, *matchers))}}}"


def rate(metric: str, *matchers: str) -> str:
    """The increase per second of the selected models' counters, for each series."""
    return f"rate({selected(metric, *matchers)}[$__rate_interval])"


def of_all_revisions(metric: str, *matchers: str) -> str:
    """The series of a metric for all revisions of the selected models, whichever one is selected."""
    return f"{metric}{{{', '.join((_ALL_REVISIONS, *matchers))}}}"


def rate_of_all_revisions(metric: str, *matchers: str) -> str:
    """The increase per second of the counters of all revisions of the selected models, for each series."""
    return f"rate({of_all_revisions(metric, *matchers)}[$__rate_interval])"


def total(vector: str, by: str = MODEL) -> str:
    """The sum by some labels: replicas count different requests."""
    return f"sum by ({by}) ({vector})"


def highest(vector: str, by: str = MODEL) -> str:
    """The maximum by some labels: replicas that share a window have equal values, which are shown once."""
    return f"max by ({by}) ({vector})"


def lowest(vector: str, by: str = MODEL) -> str:
    """The minimum by some labels."""
    return f"min by ({by}) ({vector})"


def state(metric: str, *matchers: str, by: str = MODEL) -> str:
    """The states over all replicas as numbers: 0 is ok, 1 drift in any replica, 2 no verdict in any replica."""
    drift, unknown = (selected(metric, *matchers, f'state="{name}"') for name in ("drift", "cannot_tell"))
    return f"{highest(drift, by)} + 2 * {lowest(unknown, by)}"


def mean(vector: str, by: str = MODEL) -> str:
    """The average by some labels: for replicas that have their own windows."""
    return f"avg by ({by}) ({vector})"


def quantile(level: float, metric: str, by: str = MODEL) -> str:
    """A quantile of the selected models' histograms, estimated within buckets, in the histogram's unit."""
    return f"histogram_quantile({level:g}, {total(rate(f'{metric}_bucket'), f'{by}, le')})"


def error_ratio(by: str = MODEL) -> str:
    """Failed requests as a share of all that a proxy has seen."""
    failed, requests = rate("request_error_count"), rate("request_count", PROXIED)
    return f"{total(failed, by)} / {total(requests, by)}"


def farthest(columns: str, prefix: str, label: str) -> str:
    """The names of a model's columns that are farthest above their thresholds, in the order of the page and `/drift`.

    Those that drift come first; among equals by the largest ratio of a windowed test's statistic to its threshold.
    Replicas are combined by the highest value, after each is divided by its own threshold. The last value within the
    time range of the board counts, so that a model whose pods have ended has columns too.

    Args:
        columns: How many; an expression with a scalar.
        prefix: The start of the names of the families.
        label: The label that has the column's name.
    """
    windowed = 'test!="sequential"'
    ratio = f"{_last(f'{prefix}_drift_statistic', windowed)} / {_last(f'{prefix}_drift_threshold', windowed)}"
    drifting = _last(f"{prefix}_state", 'state="drift"')
    alarms = f"1000 * {highest(drifting, label)}"
    # ">= 0" leaves out 0 / 0; "or" keeps columns without a test.
    return f"topk({columns}, {alarms} + {highest(f'{ratio} >= 0', label)} or {alarms})"


def _last(metric: str, *matchers: str) -> str:
    """The last value of each series within the time range of the board."""
    return f"last_over_time({selected(metric, *matchers)}[$__range])"
