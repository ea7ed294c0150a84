"""PromQL of the boards: a model's labels, its selection by the boards' variables, rates, replicas made one."""

MODEL = "inference_service_namespace, inference_service, component, model_name"
"""The labels that name a model."""

MODEL_LEGEND = "{{inference_service_namespace}}/{{inference_service}}/{{component}}/{{model_name}}"

PROCESS = 'job=~"$job"'
"""Selects the processes of driftgauge."""

PROXIED = 'code!=""'
"""Selects the requests whose status is known: the logger hears of none."""

DISTANCE = 'test=~"ks|tv"'
"""Selects the windowed distance of a column: of numbers, or of categories."""

EVIDENCE = 'test="sequential"'
"""Selects the detector's evidence."""

_SELECTION = (
    f'{PROCESS}, inference_service_namespace=~"$namespace", inference_service=~"$inference_service", '
    'component=~"$component", model_name=~"$model_name"'
)


def selected(metric: str, *matchers: str) -> str:
    """The series of a metric of the models that the board's variables select, by further matchers."""
    return f"{metric}{{{', '.join((_SELECTION, *matchers))}}}"


def rate(metric: str, *matchers: str) -> str:
    """The increase a second of the selected models' counters, each series by itself."""
    return f"rate({selected(metric, *matchers)}[$__rate_interval])"


def total(vector: str, by: str = MODEL) -> str:
    """The sum over everything but some labels: what replicas have counted."""
    return f"sum by ({by}) ({vector})"


def highest(vector: str, by: str = MODEL) -> str:
    """The maximum over everything but some labels: replicas that share a window tell the same, and are shown once."""
    return f"max by ({by}) ({vector})"


def mean(vector: str, by: str = MODEL) -> str:
    """The average over everything but some labels: of replicas that each tell their own, none stands for all."""
    return f"avg by ({by}) ({vector})"


def quantile(level: float, metric: str, by: str = MODEL) -> str:
    """An estimate of a quantile of the selected models' histograms, in the histogram's unit."""
    return f"histogram_quantile({level:g}, {total(rate(f'{metric}_bucket'), f'{by}, le')})"


def error_ratio(by: str = MODEL) -> str:
    """Failed requests as a share of all that a proxy has seen."""
    failed, asked = rate("request_error_count"), rate("request_count", PROXIED)
    return f"{total(failed, by)} / {total(asked, by)}"
