"""PromQL of the boards: a model's labels, its selection by the boards' variables, rates, aggregates over replicas."""

MODEL = "inference_service_namespace, inference_service, component, model_name"
"""The labels that identify a model."""

MODEL_LEGEND = "{{inference_service_namespace}}/{{inference_service}}/{{component}}/{{model_name}}"

PROCESS = 'job=~"$job"'
"""Selects the processes of driftgauge."""

PROXIED = 'code!=""'
"""Selects the requests with a known status code: the logger sees none."""

DISTANCE = 'test=~"ks|tv"'
"""Selects the windowed distance of a column: of a numeric one, or of a category."""

EVIDENCE = 'test="sequential"'
"""Selects the detector's evidence."""

_SELECTION = (
    f'{PROCESS}, inference_service_namespace=~"$namespace", inference_service=~"$inference_service", '
    'component=~"$component", model_name=~"$model_name"'
)


def selected(metric: str, *matchers: str) -> str:
    """The series of a metric for the models that the board's variables select, with further matchers."""
    return f"{metric}{{{', '.join((_SELECTION, *matchers))}}}"


def rate(metric: str, *matchers: str) -> str:
    """The increase per second of the selected models' counters, for each series."""
    return f"rate({selected(metric, *matchers)}[$__rate_interval])"


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
