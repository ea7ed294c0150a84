"""The Fleet board: all models, their traffic, their drift and their pods."""

from collections.abc import Iterator

from grafana_foundation_sdk.models.dashboard import DynamicConfigValue, Panel

from charts.dashboards.board import Row, Tree, board, model_variables
from charts.dashboards.infrastructure import infrastructure
from charts.dashboards.panels import graph, grid, number, states
from charts.dashboards.promql import (
    MODEL,
    MODEL_LEGEND,
    PROXIED,
    error_ratio,
    highest,
    quantile,
    rate,
    selected,
    state,
    total,
)
from charts.dashboards.queries import Query
from charts.dashboards.style import GREEN, ORANGE, QUARTER, RED, THIRD, VERDICTS, Text, of_count, state_mapping, unit
from charts.dashboards.units import (
    BYTES_PER_SECOND,
    REQUESTS_PER_SECOND,
    ROWS_PER_SECOND,
    SECONDS,
    SHARE,
    STATE,
    count,
)

_STATE = state("driftgauge_state")
_CANNOT_TELL = highest(selected("driftgauge_cannot_tell"), f"{MODEL}, reason")
_DRIFTED_FEATURES = highest(selected("driftgauge_drifted_features"))
_DRIFTED_PREDICTIONS = highest(selected("driftgauge_drifted_predictions"))
_PERFORMANCE = highest(selected("driftgauge_performance_drift"))
_CONCEPT = highest(selected("driftgauge_concept_drift"))
_ROWS_NEEDED = highest(selected("driftgauge_reference_rows_needed"))
_WINDOW_AGE = f"time() - {highest(selected('driftgauge_window_timestamp_seconds'))}"
_REQUESTS = total(rate("request_count"))
_P99 = quantile(0.99, "request_latency_seconds")

_DRIFT_BOARD = (
    "/d/driftgauge-model-drift?${__url_time_range}&${datasource:queryparam}&${cluster:queryparam}"
    "&var-namespace=${__data.fields.Namespace}&var-inference_service=${__data.fields.InferenceService}"
    "&var-component=${__data.fields.Component}&var-model_name=${__data.fields.Model}"
)


def _link(title: str, url: str) -> DynamicConfigValue:
    """The link of each cell of a column."""
    return DynamicConfigValue(id_val="links", value=[{"title": title, "url": url}])


def fleet() -> Tree:
    """Make the board: is a model failing, slow or without requests, and has its data drifted?"""
    return board(
        "fleet",
        "driftgauge / Fleet",
        "All models that driftgauge watches: requests, errors, latency, drift, and the pods.",
        (_now(), _traffic(), _drift(), infrastructure()),
        model_variables(),
    )


def _now() -> Row:
    """The row that is open: drift in the first line, requests in the second, then a line for each model."""
    return Row("Now", (*_drift_now(), *_requests_now(), _table()))


def _drift_now() -> Iterator[Panel]:
    known = Text("Models", "Models with series of driftgauge.", count("models"))
    drifting = Text("Models that drift", "Models whose inputs or predictions drift.", count("models"))
    features = Text("Drifted features", "Features that drift, of all selected models together.", count("features"))
    changed = Text(
        "Predictions drift",
        "Models whose newest responses differ from their reference or baseline.",
        count("models"),
    )
    unknown = Text(
        "Cannot tell",
        "Models of which no replica has a verdict: neither on inputs nor on predictions.",
        count("models"),
    )
    small = Text(
        "References too small",
        "Models whose reference has fewer rows than the false-alarm budget needs: small changes stay unseen.",
        count("models"),
    )
    alarming, doubtful = ((None, GREEN), (1, RED)), ((None, GREEN), (1, ORANGE))
    yield number(known, f"count({total(selected('request_count'))})")
    yield number(drifting, f"count({_STATE} == 1) or vector(0)", alarming)
    yield number(features, f"sum({_DRIFTED_FEATURES}) or vector(0)", alarming)
    yield number(changed, f"count({_DRIFTED_PREDICTIONS} > 0) or vector(0)", alarming)
    yield number(unknown, f"count({_STATE} == 2) or vector(0)", doubtful)
    yield number(small, f"count({_ROWS_NEEDED} > 0) or vector(0)", doubtful)


def _requests_now() -> Iterator[Panel]:
    requests = Text("Requests", "Inference requests a second, of all selected models together.", REQUESTS_PER_SECOND)
    failing = Text(
        "Failed requests",
        "Share of the requests that failed (status 400 and above, 499, 502, 504), of all selected models together. "
        "The logger sees no failures; its requests are left out.",
        SHARE,
    )
    slowest = Text("Slowest p99", "The p99 latency of the slowest of the selected models.", SECONDS)
    oldest = Text("Oldest window", "The longest time since a model's newest row.", SECONDS)
    failed = f"sum({rate('request_error_count')}) / sum({rate('request_count', PROXIED)})"
    yield number(requests, f"sum({rate('request_count')})", width=QUARTER)
    yield number(failing, failed, ((None, GREEN), (0.01, ORANGE), (0.05, RED)), width=QUARTER)
    yield number(slowest, f"max({_P99})", ((None, GREEN), (0.5, ORANGE), (1, RED)), width=QUARTER)
    yield number(oldest, f"max({_WINDOW_AGE})", ((None, GREEN), (900, ORANGE), (3600, RED)), width=QUARTER)


def _table() -> Panel:
    text = Text(
        "Models",
        'One line for each model. The name links to its Model drift board. Cannot tell: the panel "Cannot tell by '
        'reason" has the reason.',
        count("models"),
    )
    columns = {
        "Requests": Query(_REQUESTS),
        "Failed": Query(error_ratio()),
        "p99": Query(_P99),
        "State": Query(_STATE),
        "Drifted features": Query(_DRIFTED_FEATURES),
        "Drifted predictions": Query(_DRIFTED_PREDICTIONS),
        "Performance": Query(_PERFORMANCE),
        "Concept": Query(_CONCEPT),
        "Reference rows needed": Query(_ROWS_NEEDED),
        "Window rows": Query(highest(selected("driftgauge_window_rows"))),
        "Window age": Query(_WINDOW_AGE),
    }
    names = {
        "cluster": "Cluster",
        "inference_service_namespace": "Namespace",
        "inference_service": "InferenceService",
        "component": "Component",
        "model_name": "Model",
        "revision": "Revision",
    }
    coloured = DynamicConfigValue(id_val="custom.cellOptions", value={"type": "color-text"})
    mapped = DynamicConfigValue(id_val="mappings", value=[state_mapping()])
    alarms = DynamicConfigValue(id_val="mappings", value=[state_mapping(VERDICTS[:2])])
    return grid(
        text,
        columns,
        names,
        {
            "InferenceService": [_link("Model drift of this model", _DRIFT_BOARD)],
            # There is no such column, and so no field for a link, if no revision is known.
            "Revision": [_link("Model drift of this revision", f"{_DRIFT_BOARD}&var-revision=${{__value.raw}}")],
            "Requests": [unit(REQUESTS_PER_SECOND)],
            "Failed": [unit(SHARE)],
            "p99": [unit(SECONDS)],
            "State": [unit(STATE), mapped, coloured],
            "Drifted features": of_count("features"),
            "Drifted predictions": of_count("predictions"),
            "Performance": [unit(STATE), alarms, coloured],
            "Concept": [unit(STATE), alarms, coloured],
            "Reference rows needed": of_count("rows"),
            "Window rows": of_count("rows"),
            "Window age": [unit(SECONDS)],
        },
    )


def _traffic() -> Row:
    requests = Text(
        "Requests",
        "Inference requests a second, by model. A model with both a proxy and a logger counts twice: choose one job.",
        REQUESTS_PER_SECOND,
    )
    ratio = Text("Error ratio", "Failed requests as a share of all, by model; only for models with a proxy.", SHARE)
    codes = Text(
        "Failed requests by code",
        "Failed requests a second, by model and status code: 4xx is a fault of the client, 499 a client that "
        "closed the connection, 500 a fault of the model, 502 and 504 an unreachable or silent model server.",
        REQUESTS_PER_SECOND,
    )
    latency = Text("Latency", "Median and p99 as the client sees them, by model; estimated within buckets.", SECONDS)
    rows = Text("Rows", "Feature rows a second that were stored, by model. One request may have many.", ROWS_PER_SECOND)
    moved = Text(
        "Bytes",
        "Bytes a second of request bodies, and as negative values of response bodies, by model.",
        BYTES_PER_SECOND,
    )
    return Row(
        "Traffic",
        (
            graph(requests, Query(_REQUESTS, MODEL_LEGEND)),
            graph(ratio, Query(error_ratio(), MODEL_LEGEND)),
            graph(codes, Query(total(rate("request_error_count"), f"{MODEL}, code"), f"{{{{code}}}} {MODEL_LEGEND}")),
            graph(
                latency,
                Query(quantile(0.5, "request_latency_seconds"), f"p50 {MODEL_LEGEND}"),
                Query(_P99, f"p99 {MODEL_LEGEND}"),
            ),
            graph(rows, Query(total(rate("driftgauge_rows_total")), MODEL_LEGEND)),
            graph(
                moved,
                Query(total(rate("driftgauge_request_bytes_total")), f"requests {MODEL_LEGEND}"),
                Query(f"-{total(rate('driftgauge_response_bytes_total'))}", f"responses {MODEL_LEGEND}"),
                limits=(None, None),
            ),
        ),
    )


def _drift() -> Row:
    over_time = Text("Models over time", "The state of each model over time. A gap: it is not scraped.", STATE)
    reasons = Text(
        "Cannot tell by reason",
        "How many models have no verdict, by reason; a replica is enough to count one.",
        count("models"),
    )
    features = Text("Drifted features", "How many features of each model have drifted.", count("features"))
    predictions = Text("Drifted predictions", "How many predictions of each model have drifted.", count("predictions"))
    needed = Text(
        "Reference rows needed",
        "Rows at which each model's reference would be large enough for the false-alarm budget; 0 if it is.",
        count("rows"),
    )
    filled = Text("Window", "Rows in the window of the newest evaluation, by model.", count("rows"))
    age = Text(
        "Window age",
        "Time since the newest row of each model's window; it grows while a model gets no requests.",
        SECONDS,
    )
    return Row(
        "Drift",
        (
            states(over_time, Query(_STATE, MODEL_LEGEND)),
            graph(features, Query(_DRIFTED_FEATURES, MODEL_LEGEND), width=THIRD),
            graph(predictions, Query(_DRIFTED_PREDICTIONS, MODEL_LEGEND), width=THIRD),
            graph(needed, Query(_ROWS_NEEDED, MODEL_LEGEND), width=THIRD),
            graph(filled, Query(highest(selected("driftgauge_window_rows")), MODEL_LEGEND), width=THIRD),
            graph(age, Query(_WINDOW_AGE, MODEL_LEGEND), width=THIRD),
            graph(reasons, Query(f"count by (reason) ({_CANNOT_TELL})", "{{reason}}"), width=THIRD),
        ),
    )
