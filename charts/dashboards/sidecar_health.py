"""The Sidecar health board: what driftgauge costs, what it loses, and whether it still looks."""

from grafana_foundation_sdk.models import dashboard

from charts.dashboards.board import Row, Tree, board, model_variables
from charts.dashboards.panels import DASHED, GREEN, ORANGE, RED, THIRD, Query, Text, graph, grid, number
from charts.dashboards.promql import MODEL, MODEL_LEGEND, PROCESS, highest, quantile, rate, selected, total

_PROCESS = "{{job}} {{instance}}"


def sidecar_health() -> Tree:
    """Answers: does driftgauge run, what does it add to a request, what does it drop, does it evaluate?"""
    return board(
        "sidecar-health",
        "driftgauge / Sidecar health",
        "driftgauge itself: its share of the latency, its queue and its losses, Redis, evaluations, its processes.",
        (_now(), _overhead(), _queue(), _redis(), _evaluation(), _processes()),
        model_variables(),
    )


def _now() -> Row:
    up = Text("Up", "Share of the selected jobs' targets that answer scrapes.", "percentunit")
    overhead = Text(
        "p99 overhead", "The proxy's own share of a request's time, p99 of all selected models together.", "s"
    )
    full = Text("Fullest queue", "Share of its queue that the busiest process has filled.", "percentunit")
    lost = Text(
        "Dropped", "Payloads a second that driftgauge had no room or no use for. No request is lost by it.", "reqps"
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
        "Median and p99 of the time that the proxy itself adds to a request. If this is small, a slow answer "
        "is the model's.",
        "s",
    )
    share = Text(
        "Overhead as a share of latency",
        "Mean overhead divided by mean latency, by model.",
        "percentunit",
    )
    under_way = Text("Requests under way", "Inference requests that have begun and not ended, by model.", "short")
    spent, lasted = (
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
            graph(share, Query(f"{spent} / {lasted}", MODEL_LEGEND), width=THIRD),
            graph(under_way, Query(total(selected("driftgauge_requests_in_flight")), MODEL_LEGEND), width=THIRD),
        ),
    )


def _queue() -> Row:
    waiting = Text(
        "Queue", "Payloads that wait for the pipeline, and how many may, by process. A full queue drops.", "short"
    )
    ends = Text("Payloads by outcome", "Every payload a second by its end; the four add up to all that came.", "reqps")
    dropped = Text(
        "Dropped payloads",
        "Payloads a second that were lost on driftgauge's side, by reason: queue_full, storage (Redis), no_reference, "
        "other_model, shutdown, internal.",
        "reqps",
    )
    rejected = Text(
        "Rejected payloads", "Payloads a second that could not be read or do not fit the reference, by reason.", "reqps"
    )
    unpaired = Text(
        "Unpaired halves",
        "Requests and responses a second whose other half never came to the logger. Not an error rate: KServe sends "
        "no event for a failed response, and its agent drops events when it is full.",
        "reqps",
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
            graph(ends, Query(total(rate("driftgauge_payloads_total"), "outcome"), "{{outcome}}"), width=THIRD),
            graph(unpaired, Query(total(rate("driftgauge_unpaired_total")), MODEL_LEGEND), width=THIRD),
            graph(dropped, Query(by_reason["dropped"], "{{reason}} {{kind}}")),
            graph(rejected, Query(by_reason["rejected"], "{{reason}} {{kind}}")),
        ),
    )


def _redis() -> Row:
    up = Text(
        "Redis",
        "1 while the last call of a process to Redis succeeded, else 0. Empty where rows are in memory.",
        "none",
    )
    errors = Text("Failed calls to Redis", "Calls a second that failed or took too long, by process.", "cps")
    return Row(
        "Redis",
        (
            graph(up, Query(f"driftgauge_redis_up{{{PROCESS}}}", _PROCESS), limits=(0, 1)),
            graph(errors, Query(f"rate(driftgauge_redis_errors_total{{{PROCESS}}}[$__rate_interval])", _PROCESS)),
        ),
    )


def _evaluation() -> Row:
    duration = Text(
        "Evaluation time", "How long the newest evaluation of each model took, reading the window included.", "s"
    )
    age = Text(
        "Evaluation age", "Time since the newest evaluation of each model. It vanishes after three intervals.", "s"
    )
    failures = Text(
        "Failed evaluations", "Evaluations in the last hour that failed, by model; the log says why.", "short"
    )
    skipped = Text(
        "Skipped blocks",
        "Blocks of rows a second in the ring that have other columns than the reference: after a change of its columns "
        "the old rows are not tested.",
        "cps",
    )
    reference = Text("Reference rows", "Rows of each model's reference; 0 where there is none.", "short")
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
            graph(reference, Query(f"min by ({MODEL}) ({selected('driftgauge_reference_rows')})", MODEL_LEGEND)),
        ),
    )


def _detector() -> tuple[dashboard.Panel, dashboard.Panel]:
    met = Text(
        "Detector",
        "Rows a second that the sequential detector met, and, as dashed lines, those that left the window before it "
        "could: more came between two evaluations than a window holds.",
        "rowsps",
    )
    restarts = Text(
        "Detector resets",
        "Times in the last hour that a detector forgot its evidence, as with each new reference.",
        "short",
    )
    return (
        graph(
            met,
            Query(_by_kind(rate("driftgauge_detector_rows_total")), f"{{{{kind}}}} {MODEL_LEGEND}"),
            Query(_by_kind(rate("driftgauge_detector_skipped_rows_total")), f"skipped {{{{kind}}}} {MODEL_LEGEND}"),
            overrides={"^skipped": [DASHED]},
        ),
        graph(
            restarts,
            Query(
                _by_kind(f"increase({selected('driftgauge_detector_resets_total')}[1h])"),
                f"{{{{kind}}}} {MODEL_LEGEND}",
            ),
        ),
    )


def _by_kind(vector: str) -> str:
    """Requests and responses apart."""
    return total(vector, f"{MODEL}, kind")


def _processes() -> Row:
    builds = Text("Builds", "Which versions run, and how many processes of each.", "short")
    cpu = Text("CPU of driftgauge", "Cores that each process uses.", "none")
    memory = Text("Memory of driftgauge", "Resident memory of each process.", "bytes")
    files = Text("Open files", "File descriptors of each process, connections included, and the limit.", "short")
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
