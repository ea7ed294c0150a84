"""The Sidecar health board: what driftgauge costs, what it loses, and whether it evaluates."""

from charts.dashboards.board import Row, Tree, board, model_variables
from charts.dashboards.evaluations import evaluation, replicas
from charts.dashboards.panels import graph, grid, number, states
from charts.dashboards.promql import (
    CALL_LEGEND,
    MODEL_LEGEND,
    PROCESS,
    PROCESS_LEGEND,
    lowest,
    quantile,
    rate,
    selected,
    total,
)
from charts.dashboards.queries import Query
from charts.dashboards.style import DASHED, FULL, GREEN, HALF, ON_OR_SUSPENDED, ORANGE, RED, THIRD, UP_OR_DOWN, Text
from charts.dashboards.units import (
    BYTES,
    CORES,
    SECONDS,
    SHARE,
    STATE,
    count,
    per_second,
)


def sidecar_health() -> Tree:
    """Make the board: does driftgauge run, what does it add to a request, what does it drop, does it evaluate?"""
    return board(
        "sidecar-health",
        "driftgauge / Sidecar health",
        "driftgauge itself: its share of the latency, its queue and its losses, Redis, evaluations, its processes.",
        (
            _now(),
            _overhead(),
            _queue(),
            _forwarding(),
            _changes(),
            _labels(),
            _redis(),
            evaluation(),
            replicas(),
            _processes(),
        ),
        model_variables(),
    )


def _now() -> Row:
    up = Text("Up", "Share of the selected jobs' targets that can be scraped.", SHARE)
    overhead = Text(
        "p99 overhead", "The proxy's own share of a request's time, p99 of all selected models together.", SECONDS
    )
    full = Text("Fullest queue", "The highest share of its queue that a process uses.", SHARE)
    lost = Text(
        "Dropped",
        "Payloads a second that driftgauge dropped. The requests themselves are not affected.",
        per_second("payloads"),
    )
    redis = Text("Redis", "Down if the last call of any kind and process failed; none without Redis.", STATE)
    failed = Text("Failed evaluations", "Evaluations that failed in the last hour.", count("evaluations"))
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
            number(redis, f"min(driftgauge_redis_up{{{PROCESS}}})", ((None, RED), (1, GREEN)), names=UP_OR_DOWN),
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
        SECONDS,
    )
    share = Text(
        "Overhead as a share of latency",
        "Mean overhead divided by mean latency, by model.",
        SHARE,
    )
    in_flight = Text(
        "Requests in flight", "Inference requests that have begun and not ended, by model.", count("requests")
    )
    resent = Text(
        "Requests sent again",
        "Requests a second that met the end of an idle connection and were sent on a new one, by what became of them. "
        "`failed`: the model server may have executed them twice.",
        per_second("requests"),
    )
    suspended = Text(
        "Sending again",
        "Suspended for a minute after a second try that failed: a process sends no request again.",
        STATE,
    )
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
            graph(
                resent,
                Query(
                    f"sum by (outcome) (rate(driftgauge_resent_requests_total{{{PROCESS}}}[$__rate_interval]))",
                    "{{outcome}}",
                ),
            ),
            states(
                suspended,
                Query(f"driftgauge_resend_suspended{{{PROCESS}}}", PROCESS_LEGEND),
                width=HALF,
                names=ON_OR_SUSPENDED,
            ),
        ),
    )


def _queue() -> Row:
    waiting = Text(
        "Queue",
        "Payloads that wait for the pipeline, and the capacity, by process. Before it is full the sample ratio falls.",
        count("payloads"),
    )
    outcomes = Text(
        "Payloads by outcome",
        "Payloads a second by outcome; the four outcomes add up to all payloads.",
        per_second("payloads"),
    )
    dropped = Text(
        "Dropped payloads",
        "Payloads a second that driftgauge dropped, by reason: queue_full, queue_timeout, storage (Redis), "
        "no_reference, other_model, shutdown, internal.",
        per_second("payloads"),
    )
    ratio = Text(
        "Sample ratio",
        "Share of the inferences that are read, by model, in the process that reads the least. It is lower than "
        "`sample_ratio` while more come than can be read; their ids decide which are left out.",
        SHARE,
    )
    rejected = Text(
        "Rejected payloads",
        "Payloads a second that could not be read or do not fit the reference, by reason.",
        per_second("payloads"),
    )
    unpaired = Text(
        "Unpaired requests and responses",
        "Requests without a response a second, and responses without a request, at the logger. Not an error rate: "
        "KServe sends no event for a failed response, and its agent drops events when its queue is full.",
        per_second("payloads"),
    )
    refused = Text(
        "Refused connections",
        "Connections to the data port a second that were closed with 503, because `max_connections` were open, by "
        "process.",
        per_second("connections"),
    )
    models = Text(
        "Refused models and revisions",
        "Events and requests a second that count as `(other)`, because `max_models` models have places, or too many "
        "revisions of their model have requests, by process; they may have invented names. Events whose annotations "
        "cannot be read count without a revision.",
        per_second("payloads"),
    )
    unauthorized = Text(
        "Refused without a token",
        "Requests a second that were refused with 401, because they present no valid token, by port and process.",
        per_second("requests"),
    )
    handshakes = Text(
        "Failed TLS handshakes",
        "TLS handshakes a second that failed, by port and reason. `closed` includes probes that only connect.",
        per_second("handshakes"),
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
                Query(f"driftgauge_queue_payloads{{{PROCESS}}}", PROCESS_LEGEND),
                Query(f"driftgauge_queue_capacity{{{PROCESS}}}", f"capacity {PROCESS_LEGEND}"),
                width=THIRD,
                overrides={"^capacity": [DASHED]},
            ),
            graph(outcomes, Query(total(rate("driftgauge_payloads_total"), "outcome"), "{{outcome}}"), width=THIRD),
            graph(unpaired, Query(total(rate("driftgauge_unpaired_total")), MODEL_LEGEND), width=THIRD),
            graph(dropped, Query(by_reason["dropped"], "{{reason}} {{kind}}"), width=THIRD),
            graph(ratio, Query(lowest(selected("driftgauge_sample_ratio")), MODEL_LEGEND), width=THIRD, limits=(0, 1)),
            graph(rejected, Query(by_reason["rejected"], "{{reason}} {{kind}}"), width=THIRD),
            graph(
                refused,
                Query(f"rate(driftgauge_refused_connections_total{{{PROCESS}}}[$__rate_interval])", PROCESS_LEGEND),
            ),
            graph(
                models,
                Query(f"rate(driftgauge_refused_models_total{{{PROCESS}}}[$__rate_interval])", PROCESS_LEGEND),
                Query(
                    f"rate(driftgauge_refused_revisions_total{{{PROCESS}}}[$__rate_interval])",
                    f"revisions {PROCESS_LEGEND}",
                ),
                Query(
                    f"rate(driftgauge_unreadable_annotations_total{{{PROCESS}}}[$__rate_interval])",
                    f"unreadable annotations {PROCESS_LEGEND}",
                ),
            ),
            graph(
                unauthorized,
                Query(
                    f"rate(driftgauge_unauthorized_requests_total{{{PROCESS}}}[$__rate_interval])",
                    f"{{{{port}}}} {PROCESS_LEGEND}",
                ),
            ),
            graph(
                handshakes,
                Query(
                    "sum by (port, reason) "
                    f"(rate(driftgauge_tls_handshake_failures_total{{{PROCESS}}}[$__rate_interval]))",
                    "{{port}} {{reason}}",
                ),
            ),
        ),
    )


def _forwarding() -> Row:
    outcomes = Text(
        "Events sent on",
        "Events a second that the logger sent on to each target of `forward_url`, and those dropped, by reason.",
        per_second("events"),
    )
    waiting = Text("Events that wait", "Events that wait for a target or are being sent, by process.", count("events"))
    memory = Text("Memory of events that wait", "Memory of the events that wait for a target, by process.", BYTES)
    by_outcome = (
        f"sum by (target, outcome, reason) (rate(driftgauge_forwarded_events_total{{{PROCESS}}}[$__rate_interval]))"
    )
    legend = f"{{{{target}}}} {PROCESS_LEGEND}"
    return Row(
        "Events sent on",
        (
            graph(outcomes, Query(by_outcome, "{{target}} {{outcome}} {{reason}}"), width=THIRD),
            graph(waiting, Query(f"driftgauge_forward_queue_events{{{PROCESS}}}", legend), width=THIRD),
            graph(memory, Query(f"driftgauge_forward_queue_bytes{{{PROCESS}}}", legend), width=THIRD),
        ),
    )


def _changes() -> Row:
    outcomes = Text(
        "Events on changes",
        "Events on changes of verdicts in the last hour, by what became of them. Empty without `event_url`.",
        count("events"),
    )
    waiting = Text("Changes that wait", "Events that wait until `event_url` accepts them, by process.", count("events"))
    by_outcome = f"sum by (outcome) (increase(driftgauge_events_total{{{PROCESS}}}[1h]))"
    return Row(
        "Events on changes",
        (
            graph(outcomes, Query(by_outcome, "{{outcome}}"), width=HALF),
            graph(waiting, Query(f"driftgauge_events_pending{{{PROCESS}}}", PROCESS_LEGEND), width=HALF),
        ),
    )


def _labels() -> Row:
    waiting = Text(
        "Labels that wait",
        "Labels that wait in a process: queued to be matched, or early, for a response that has not come yet. Empty "
        "without `labels_port`.",
        count("labels"),
    )
    query = Query(f"driftgauge_labels_waiting{{{PROCESS}}}", f"{{{{state}}}} {PROCESS_LEGEND}")
    return Row("Labels", (graph(waiting, query, width=FULL),))


def _redis() -> Row:
    up = Text(
        "Redis",
        "Up while the last call of this kind to Redis succeeded, by process. Empty if rows are in memory.",
        STATE,
    )
    errors = Text(
        "Failed calls to Redis",
        "Calls a second that failed or took too long, by process and call.",
        per_second("calls"),
    )
    skipped = Text(
        "Skipped and replaced keys",
        "Keys with malformed names that a process skipped at its start, and keys that it replaced (dashed), because "
        "their values were not those of driftgauge. Other programs may use the same Redis.",
        count("keys"),
    )
    return Row(
        "Redis",
        (
            states(up, Query(f"driftgauge_redis_up{{{PROCESS}}}", CALL_LEGEND), width=THIRD, names=UP_OR_DOWN),
            graph(
                errors,
                Query(f"rate(driftgauge_redis_errors_total{{{PROCESS}}}[$__rate_interval])", CALL_LEGEND),
                width=THIRD,
            ),
            graph(
                skipped,
                Query(f"driftgauge_redis_skipped_keys_total{{{PROCESS}}}", PROCESS_LEGEND),
                Query(f"driftgauge_redis_replaced_keys_total{{{PROCESS}}}", f"replaced {PROCESS_LEGEND}"),
                width=THIRD,
                overrides={"^replaced": [DASHED]},
            ),
        ),
    )


def _processes() -> Row:
    builds = Text("Builds", "The versions that run, and the number of processes of each.", count("processes"))
    cpu = Text("CPU of driftgauge", "Cores that each process uses.", CORES)
    memory = Text("Memory of driftgauge", "Resident memory of each process.", BYTES)
    files = Text(
        "Open files", "File descriptors of each process, including connections, and the limit (dashed).", count("files")
    )
    build = "count by (cluster, job, version, python_version)"
    return Row(
        "Processes",
        (
            grid(
                builds,
                {"Processes": Query(f"{build} (driftgauge_build_info{{{PROCESS}}})")},
                {"cluster": "Cluster", "job": "Job", "version": "Version", "python_version": "Python"},
                {},
            ),
            graph(
                cpu,
                Query(f"rate(process_cpu_seconds_total{{{PROCESS}}}[$__rate_interval])", PROCESS_LEGEND),
                width=THIRD,
            ),
            graph(memory, Query(f"process_resident_memory_bytes{{{PROCESS}}}", PROCESS_LEGEND), width=THIRD),
            graph(
                files,
                Query(f"process_open_fds{{{PROCESS}}}", PROCESS_LEGEND),
                Query(f"process_max_fds{{{PROCESS}}}", f"limit {PROCESS_LEGEND}"),
                width=THIRD,
                overrides={"^limit": [DASHED]},
            ),
        ),
    )
