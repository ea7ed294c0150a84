"""The Sidecar health board: what driftgauge costs, what it loses, and whether it evaluates."""

from grafana_foundation_sdk.models import dashboard

from charts.dashboards.board import Row, Tree, board, model_variables
from charts.dashboards.panels import DASHED, GREEN, ORANGE, RED, THIRD, Query, Text, graph, grid, number
from charts.dashboards.promql import MODEL, MODEL_LEGEND, PROCESS, highest, quantile, rate, selected, total

_PROCESS = "{{job}} {{instance}}"


def sidecar_health() -> Tree:
    """Make the board: does driftgauge run, what does it add to a request, what does it drop, does it evaluate?"""
    return board(
        "sidecar-health",
        "driftgauge / Sidecar health",
        "driftgauge itself: its share of the latency, its queue and its losses, Redis, evaluations, its processes.",
        (_now(), _overhead(), _queue(), _redis(), _evaluation(), _processes()),
        model_variables(),
    )


def _now() -> Row:
    up = Text("Up", "Share of the selected jobs' targets that can be scraped.", "percentunit")
    overhead = Text(
        "p99 overhead", "The proxy's own share of a request's time, p99 of all selected models together.", "s"
    )
    full = Text("Fullest queue", "The highest share of its queue that a process uses.", "percentunit")
    lost = Text(
        "Dropped", "Payloads a second that driftgauge dropped. The requests themselves are not affected.", "reqps"
    )
    redis = Text("Redis", "1 if the last call of every process succeeded, 0 if one failed; none without Redis.", "none")
    failed = Text("Failed evaluations", "Evaluations that failed in the last hour.", "short")
    buckets = rate("driftgauge_proxy_overhead_seconds_bucket")
    filled = f"driftgauge_queue_payloads{{{PROCESS}}} / driftgauge_queue_capacity{{{PROCESS}}}"
    dropped = rate("driftgauge_payloads_total", 'outcome="dropped"')
    return Row(
        "Now",
        (
            number(up, f"avg(up{{{PROCESS}}})", ((None, RED), (1, GREEN))),
            number(overhead, f"histogram_quantile(0.99, sum by (le) ({buckets}))", ((None, GREEN), (0.005, ORANGE))),
            number(full, f"max({filled})", ((None, GREEN), (0.5, ORANGE), (0.9, RED))),
            number(lost, f"sum({dropped})", ((None, GREEN), (0.01, ORANGE))),
            number(redis, f"min(driftgauge_redis_up{{{PROCESS}}})", ((None, RED), (1, GREEN))),
            number(
                failed,
                f"sum(increase({selected('driftgauge_evaluation_failures_total')}[1h]))",
                ((None, GREEN), (1, ORANGE)),
            ),
        ),
    )


def _overhead() -> Row:
    overhead = Text(
        "Proxy overhead",
        "Median and p99 of the time that the proxy adds to a request. If it is small, a slow response is due to the "
        "model.",
        "s",
    )
    share = Text(
        "Overhead as a share of latency",
        "Mean overhead divided by mean latency, by model.",
        "percentunit",
    )
    in_flight = Text("Requests in flight", "Inference requests that have begun and not ended, by model.", "short")
    overhead_seconds, latency_seconds = (
        total(rate(f"{name}_sum")) for name in ("driftgauge_proxy_overhead_seconds", "request_latency_seconds")
    )
    name = "driftgauge_proxy_overhead_seconds"
    return Row(
        "Overhead",
        (
            graph(
                overhead,
                Query(quantile(0.5, name), f"p50 {MODEL_LEGEND}"),
                Query(quantile(0.99, name), f"p99 {MODEL_LEGEND}"),
                width=THIRD,
            ),
            graph(share, Query(f"{overhead_seconds} / {latency_seconds}", MODEL_LEGEND), width=THIRD),
            graph(in_flight, Query(total(selected("driftgauge_requests_in_flight")), MODEL_LEGEND), width=THIRD),
        ),
    )


def _queue() -> Row:
    waiting = Text(
        "Queue",
        "Payloads that wait for the pipeline, and the capacity, by process. A full queue drops payloads.",
        "short",
    )
    outcomes = Text(
        "Payloads by outcome", "Payloads a second by outcome; the four outcomes add up to all payloads.", "reqps"
    )
    dropped = Text(
        "Dropped payloads",
        "Payloads a second that driftgauge dropped, by reason: queue_full, queue_timeout, storage (Redis), "
        "no_reference, other_model, shutdown, internal.",
        "reqps",
    )
    rejected = Text(
        "Rejected payloads", "Payloads a second that could not be read or do not fit the reference, by reason.", "reqps"
    )
    unpaired = Text(
        "Unpaired requests and responses",
        "Requests without a response a second, and responses without a request, at the logger. Not an error rate: "
        "KServe sends no event for a failed response, and its agent drops events when its queue is full.",
        "reqps",
    )
    refused = Text(
        "Refused connections",
        "Connections to the data port a second that were closed with 503, because `max_connections` were open, by "
        "process.",
        "cps",
    )
    models = Text(
        "Refused models",
        "Events and requests a second that count as `(other)`, because `max_models` models have places, by process. "
        "They may have invented names.",
        "ops",
    )
    by_reason = {
        outcome: total(rate("driftgauge_payloads_total", f'outcome="{outcome}"'), "reason, kind")
        for outcome in ("dropped", "rejected")
    }
    return Row(
        "Queue and losses",
        (
            graph(
                waiting,
                Query(f"driftgauge_queue_payloads{{{PROCESS}}}", _PROCESS),
                Query(f"driftgauge_queue_capacity{{{PROCESS}}}", f"capacity {_PROCESS}"),
                width=THIRD,
                overrides={"^capacity": [DASHED]},
            ),
            graph(outcomes, Query(total(rate("driftgauge_payloads_total"), "outcome"), "{{outcome}}"), width=THIRD),
            graph(unpaired, Query(total(rate("driftgauge_unpaired_total")), MODEL_LEGEND), width=THIRD),
            graph(dropped, Query(by_reason["dropped"], "{{reason}} {{kind}}"), width=THIRD),
            graph(rejected, Query(by_reason["rejected"], "{{reason}} {{kind}}"), width=THIRD),
            graph(
                refused,
                Query(f"rate(driftgauge_refused_connections_total{{{PROCESS}}}[$__rate_interval])", _PROCESS),
                width=THIRD,
            ),
            graph(
                models,
                Query(f"rate(driftgauge_refused_models_total{{{PROCESS}}}[$__rate_interval])", _PROCESS),
                width=THIRD,
            ),
        ),
    )


def _redis() -> Row:
    up = Text(
        "Redis",
        "1 if the last call of a process to Redis succeeded, else 0. Empty if rows are in memory.",
        "none",
    )
    errors = Text("Failed calls to Redis", "Calls a second that failed or took too long, by process.", "cps")
    skipped = Text(
        "Skipped keys",
        "Keys with malformed names that a process skipped at its start. Other programs may use the same Redis.",
        "short",
    )
    return Row(
        "Redis",
        (
            graph(up, Query(f"driftgauge_redis_up{{{PROCESS}}}", _PROCESS), limits=(0, 1), width=THIRD),
            graph(
                errors,
                Query(f"rate(driftgauge_redis_errors_total{{{PROCESS}}}[$__rate_interval])", _PROCESS),
                width=THIRD,
            ),
            graph(skipped, Query(f"driftgauge_redis_skipped_keys_total{{{PROCESS}}}", _PROCESS), width=THIRD),
        ),
    )


def _evaluation() -> Row:
    duration = Text(
        "Evaluation time", "How long the newest evaluation of each model took, reading the window included.", "s"
    )
    age = Text(
        "Evaluation age", "Time since the newest evaluation of each model. The series ends after three intervals.", "s"
    )
    failures = Text(
        "Failed evaluations", "Evaluations that failed in the last hour, by model; the log has the reason.", "short"
    )
    skipped = Text(
        "Skipped blocks",
        "Blocks of rows a second that have other columns than the reference: after a change of its columns the old "
        "rows are not tested.",
        "cps",
    )
    untested = Text(
        "Untested outputs",
        "Outputs of each model's responses that are not tested, because they hold objects or have no fixed width or "
        "number of rows; the log names them.",
        "short",
    )
    reference = Text("Reference rows", "Rows of each model's reference; 0 without one.", "short")
    evaluated = highest(selected("driftgauge_evaluation_timestamp_seconds"))
    failed = f"increase({selected('driftgauge_evaluation_failures_total')}[1h])"
    return Row(
        "Evaluation",
        (
            graph(
                duration, Query(highest(selected("driftgauge_evaluation_duration_seconds")), MODEL_LEGEND), width=THIRD
            ),
            graph(age, Query(f"time() - {evaluated}", MODEL_LEGEND), width=THIRD),
            graph(failures, Query(total(failed, MODEL), MODEL_LEGEND), width=THIRD),
            graph(skipped, Query(total(rate("driftgauge_skipped_blocks_total")), MODEL_LEGEND)),
            *_detector(),
            graph(untested, Query(total(selected("driftgauge_untested_outputs_total")), MODEL_LEGEND)),
            graph(reference, Query(f"min by ({MODEL}) ({selected('driftgauge_reference_rows')})", MODEL_LEGEND)),
        ),
    )


def _detector() -> tuple[dashboard.Panel, dashboard.Panel]:
    fed = Text(
        "Detector",
        "Rows a second that were fed to the sequential detector, and those that it never saw (dashed), because more "
        "rows came between two evaluations than a window has.",
        "rowsps",
    )
    resets = Text(
        "Detector resets",
        "How often in the last hour a detector dropped its evidence, as it does for each new reference.",
        "short",
    )
    return (
        graph(
            fed,
            Query(_by_kind(rate("driftgauge_detector_rows_total")), f"{{{{kind}}}} {MODEL_LEGEND}"),
            Query(
                _by_kind(rate("driftgauge_rows_without_reference_hour_total")),
                f"hour not in reference {{{{kind}}}} {MODEL_LEGEND}",
            ),
            Query(_by_kind(rate("driftgauge_detector_skipped_rows_total")), f"skipped {{{{kind}}}} {MODEL_LEGEND}"),
            overrides={"^skipped": [DASHED]},
        ),
        graph(
            resets,
            Query(
                _by_kind(f"increase({selected('driftgauge_detector_resets_total')}[1h])"),
                f"{{{{kind}}}} {MODEL_LEGEND}",
            ),
        ),
    )


def _by_kind(vector: str) -> str:
    """The sum by model and kind (request or response)."""
    return total(vector, f"{MODEL}, kind")


def _processes() -> Row:
    builds = Text("Builds", "The versions that run, and the number of processes of each.", "short")
    cpu = Text("CPU of driftgauge", "Cores that each process uses.", "none")
    memory = Text("Memory of driftgauge", "Resident memory of each process.", "bytes")
    files = Text(
        "Open files", "File descriptors of each process, including connections, and the limit (dashed).", "short"
    )
    build = "count by (job, version, python_version)"
    return Row(
        "Processes",
        (
            grid(
                builds,
                {"Processes": Query(f"{build} (driftgauge_build_info{{{PROCESS}}})")},
                {"job": "Job", "version": "Version", "python_version": "Python"},
                {},
            ),
            graph(cpu, Query(f"rate(process_cpu_seconds_total{{{PROCESS}}}[$__rate_interval])", _PROCESS), width=THIRD),
            graph(memory, Query(f"process_resident_memory_bytes{{{PROCESS}}}", _PROCESS), width=THIRD),
            graph(
                files,
                Query(f"process_open_fds{{{PROCESS}}}", _PROCESS),
                Query(f"process_max_fds{{{PROCESS}}}", f"limit {_PROCESS}"),
                width=THIRD,
                overrides={"^limit": [DASHED]},
            ),
        ),
    )
