"""What has come in: payloads by outcome, events by service, and the newest scrape."""

import time
from typing import Final

from driftgauge.cli.doctor.finding import Finding, ok, warn
from driftgauge.cli.doctor.running_process import RunningProcess
from driftgauge.errors import Reason
from driftgauge.inference.payload import Outcome

_MAX_SERVICES: Final = 20
_OLD_SECONDS: Final = 300

ADVICE: Final = {
    Reason.QUEUE_FULL: "more came at once than queue_payloads and queue_bytes hold: raise them, or add CPU",
    Reason.QUEUE_TIMEOUT: "the container has too little CPU for its traffic: raise its limit",
    Reason.NO_REFERENCE: "the model has no reference: set reference, or file one in reference_dir",
    Reason.OTHER_MODEL: "the model server knows no such model: correct the client's path",
    Reason.STORAGE: "Redis was away or refused: see the line on Redis",
    Reason.SHUTDOWN: "the process ended while they waited: raise drain_timeout_seconds",
    Reason.INTERNAL: "a bug or too little memory in driftgauge: see its log",
    Reason.TOO_LARGE: "bodies are longer than max_payload_bytes or max_event_bytes: raise it",
    Reason.TOO_COMPLEX: "bodies have too many values or take too long to read: see the log",
    Reason.MALFORMED: "bodies are no valid JSON of V1 or V2, or events are none: see the log",
    Reason.UNSUPPORTED: "bodies have a form that driftgauge does not read: see the log",
    Reason.WRONG_WIDTH: "rows have other columns than the reference: build the reference from what the model is sent",
    Reason.WRONG_TYPE: "values are of another type than in the reference: compare both; the log has an example",
    Reason.INFINITE: "values are infinite",
    Reason.EMPTY: "requests have no rows: paths that are no inferences, or empty inputs",
    Reason.DUPLICATE: "events came twice: two loggers, or a transformer and a predictor, send the same inference",
    Reason.INCOMPLETE: "clients left, or the model server broke off, before the end",
    Reason.FAILED: "the model responded with an error",
}
"""What to do about each reason why a payload is not used."""

_TOO_MANY_MODELS: Final = "the models are more than max_models: raise it, or file their references"
"""What to do about `OTHER_MODEL` where models were refused."""

_TOO_MANY_REVISIONS: Final = (
    "a model has more live revisions than are kept apart: see the log, and who sends its events"
)
"""What to do about `OTHER_MODEL` where revisions were refused."""


def check_traffic(process: RunningProcess, mode: str) -> list[Finding]:
    """The payloads of the running process, its newest scrape, and in logger mode the events of each service."""
    return [
        *_check_payloads(process, mode),
        *_check_sampling(process),
        *(_check_events(process) if mode == "logger" else ()),
        _check_scrape(process),
    ]


def _check_payloads(process: RunningProcess, mode: str) -> list[Finding]:
    counts = process.totals("driftgauge_payloads_total", "outcome", "reason", "kind")
    if not counts:
        hint = "send one to the data port" if mode == "proxy" else "see logger.url of the InferenceService"
        return [warn("payloads", f"no inference has come since the start: {hint}")]
    found = []
    for (outcome, reason, kind), number in sorted(counts.items()):
        if outcome in {Outcome.DROPPED, Outcome.REJECTED}:
            were = "was" if number == 1 else "were"
            sentence = f"{_counted(number, kind)} {were} {outcome} as {reason}: {_advice(process, reason)}"
            found.append(warn("payloads", sentence))
        else:
            found.append(ok("payloads", f"{_counted(number, kind)} {outcome.replace('_', ' ')}"))
    return found


def _check_sampling(process: RunningProcess) -> list[Finding]:
    """The models of which less is read than is configured."""
    sampling = process.status.get("sampling")
    if not isinstance(sampling, dict):  # a version that does not lower the ratio
        return []
    configured, advice = sampling["sample_ratio"], "give the container more CPU, or add replicas"
    return [
        warn(
            "sampling",
            f"{one['sample_ratio']:.2g} of the inferences of {one['model']} are read, not {configured:g}: more come "
            f"than can be read; {advice}",
        )
        for one in sampling["lowered"][:_MAX_SERVICES]
    ]


def _counted(number: float, kind: str) -> str:
    return f"{number:.0f} {kind}" if number == 1 else f"{number:.0f} {kind}s"


def _advice(process: RunningProcess, reason: str) -> str:
    if reason == Reason.OTHER_MODEL and process.totals("driftgauge_refused_models_total"):
        return _TOO_MANY_MODELS
    if reason == Reason.OTHER_MODEL and process.totals("driftgauge_refused_revisions_total"):
        return _TOO_MANY_REVISIONS
    return ADVICE[Reason(reason)] if reason in list(Reason) else "see the log"


def _check_events(process: RunningProcess) -> list[Finding]:
    counts = process.totals("request_count", "inference_service_namespace", "inference_service")
    if not counts:
        return [warn("events", "no event of a request has come: see logger.url of the InferenceService")]
    most = sorted(counts.items(), key=lambda one: -one[1])
    found = [ok("events", f"{'/'.join(filter(None, name))}: {_counted(number, 'request')}") for name, number in most]
    unread = process.totals("driftgauge_unreadable_annotations_total").get((), 0)
    if unread:
        sentence = f"the annotations of {unread:.0f} could not be read, so their revision is not known: see the log"
        found.insert(0, warn("events", sentence))
    more = [ok("events", f"and {len(found) - _MAX_SERVICES} services more")] if len(found) > _MAX_SERVICES else []
    return found[:_MAX_SERVICES] + more


def _check_scrape(process: RunningProcess) -> Finding:
    scrape = process.status.get("last_scrape")
    if not process.status:
        return warn("scrape", "the running version does not say who scraped it")
    if not isinstance(scrape, dict):
        if process.status.get("merge_metrics"):
            return warn("scrape", "not known: with merge_metrics the data port may be scraped; the admin port was not")
        advice = "check the ServiceMonitor or PodMonitor, its labels, and the NetworkPolicy"
        return warn("scrape", f"no one has read {process.admin_url}/metrics since the start: {advice}")
    age_seconds = max(0.0, time.time() - float(scrape["time"]))
    who = f"{scrape['user_agent'] or 'a client'} at {scrape['address'] or 'an unknown address'}"
    if age_seconds > _OLD_SECONDS:
        return warn(
            "scrape", f"the last one was {age_seconds:.0f} s ago, by {who}: check that Prometheus still finds it"
        )
    return ok("scrape", f"{age_seconds:.0f} s ago by {who}")
