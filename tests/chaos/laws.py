"""What must hold after every fault, once the senders have stopped, by metrics, the senders' counts, and Redis."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial

import numpy as np
from numpy.typing import NDArray

from tests.chaos import ring
from tests.chaos.replica import KINDS, Replica
from tests.chaos.stage import COLUMNS, FLUSH_SECONDS, MODELS, UNREPORTED_SECONDS, WINDOW_ROWS, Stage
from tests.support.scrape import Samples
from tests.support.waiting import wait_until

LOG_LINES = 20
"""Most log lines of one process about one fault."""

_SETTLE_SECONDS = 15
_APPEND_SECONDS = 0.5
"""How long a payload may be under way to Redis after its flush began, when its process is killed."""

_TOLERANCE = 1e-12


@dataclass(slots=True)
class Findings:
    """What was measured after a fault.

    Args:
        broken: One sentence for each law that did not hold, with its figures.
        sent: Payloads that replicas took, of both kinds.
        lost: Of these, how many are not among the rows that were appended to Redis.
        counted: How many of the lost ones a living replica counts as dropped, rejected or sampled out.
        killed: How many were taken by replicas that were killed, and not appended.
        double: Rows that were fed to a detector more than once.
        log: The log lines of the process that wrote the most.
        slowest_seconds: The slowest inference.
        failed: Inferences that failed though the model and their own replica lived.
        repeated: Inferences that the model computed twice.
        twice: Halves that count as unpaired and as one of a pair.
        recovery_seconds: From the end of the fault until all was well; `None` if it never was.
        reasons: Why payloads were not accepted.
    """

    broken: list[str] = field(default_factory=list)
    sent: int = 0
    lost: int = 0
    counted: int = 0
    killed: int = 0
    double: int = 0
    log: Sequence[str] = ()
    slowest_seconds: float = 0.0
    failed: int = 0
    repeated: int = 0
    twice: int = 0
    recovery_seconds: float | None = None
    reasons: dict[str, int] = field(default_factory=dict)


def examine(stage: Stage, reference: NDArray[np.float64], findings: Findings) -> None:
    """Check all laws on a stage whose senders have stopped, and complete the findings."""
    _check_inferences(stage, findings)
    for replica in stage.replicas:
        _check_outcomes(replica, findings)
    for (namespace, service), running in zip(MODELS, (stage.loggers, stage.proxies), strict=True):
        retired = [one for one in stage.retired if one.spec[0] == running[0].spec[0]]
        for kind in KINDS:
            stream = ring.stream_name(namespace, service, kind)
            _check_ring(stage, _Model(stream, service, kind, running, retired), findings)
        _check_statistics(stage, ring.stream_name(namespace, service, "request"), running, reference, findings)
    _check_pairs(stage, findings)
    _check_logs(stage, findings)


@dataclass(frozen=True, slots=True)
class _Model:
    """One stream, and the replicas that append to it."""

    stream: str
    service: str
    kind: str
    running: list[Replica]
    retired: list[Replica]

    def total(self, name: str, **labels: str) -> int:
        """The sum of a counter over all replicas; of those that have ended, at their last scrape."""
        everyone = [*self.running, *self.retired]
        return round(sum(one.metrics().total(name, kind=self.kind, **labels) for one in everyone))

    def accepted(self) -> int:
        """Payloads that running replicas count as accepted."""
        one_kind = {"kind": self.kind, "outcome": "accepted"}
        return round(sum(one.metrics().total("driftgauge_payloads_total", **one_kind) for one in self.running))


def _holds(probe: Callable[[], bool], deadline_seconds: float = _SETTLE_SECONDS) -> bool:
    """Whether a condition comes to hold within a limit."""
    try:
        return wait_until(probe, "a law", deadline_seconds)
    except TimeoutError:
        return False


def _check_inferences(stage: Stage, findings: Findings) -> None:
    observed = stage.senders.observed
    findings.failed = len(observed.failed)
    findings.slowest_seconds = observed.slowest_seconds
    if observed.failed:
        findings.broken.append(f"{len(observed.failed)} inferences failed, such as {observed.failed[0]}")
    sent = sum(one.taken["request"] + sum(one.failures.values()) for one in (*stage.proxies, *stage.retired))
    findings.repeated = max(0, stage.executed() - sent - observed.excused)
    if findings.repeated:
        findings.broken.append(f"the model computed {findings.repeated} inferences twice")
    if observed.undelivered:
        findings.broken.append(f"{len(observed.undelivered)} events were not taken, such as {observed.undelivered[0]}")


def _ended(samples: Samples, kind: str) -> int:
    return round(samples.total("driftgauge_payloads_total", kind=kind))


def _check_outcomes(replica: Replica, findings: Findings) -> None:
    """Sent is accepted + sampled out + dropped + rejected, on each replica and for each kind."""
    for kind in KINDS:
        failures = sum(replica.failures.values()) if kind == "request" else 0
        sent = replica.taken[kind] + failures
        findings.sent += sent

        def has_ended(kind: str = kind, sent: int = sent) -> bool:
            return _ended(replica.metrics(), kind) == sent

        if not _holds(has_ended):
            ended = _ended(replica.metrics(), kind)
            findings.broken.append(f"{replica.name}: {sent} {kind}s were sent and {ended} are counted")
    for sample in replica.metrics().matching("driftgauge_payloads_total"):
        if sample.labels["outcome"] != "accepted" and sample.value:
            reason = sample.labels["reason"] or sample.labels["outcome"]
            findings.reasons[reason] = findings.reasons.get(reason, 0) + round(sample.value)
            findings.counted += round(sample.value)
            findings.lost += round(sample.value)


def _check_ring(stage: Stage, model: _Model, findings: Findings) -> None:
    """The rows in Redis are those accepted; the detector was fed each once, or counted it as skipped."""
    _holds(lambda: ring.rows_appended(stage.redis, model.stream) >= model.accepted(), 5)
    appended, accepted = ring.rows_appended(stage.redis, model.stream), model.accepted()
    where = f"{model.service} {model.kind}s"
    if model.retired:
        _check_killed(model, appended - accepted, findings)
    elif appended != accepted:
        findings.broken.append(f"{where}: {accepted} rows were accepted and {appended} are in the ring")

    def seen() -> int:
        return model.total("driftgauge_detector_rows_total") + model.total("driftgauge_detector_skipped_rows_total")

    _holds(lambda: seen() >= appended, 5)
    stage.settle()
    fed, double = seen(), max(0, seen() - appended)
    findings.double += double
    # What a killed replica counted between its last scrape and its end is unknown, at most one look's rows.
    unknown = max((one.taken[model.kind] for one in model.retired), default=0)
    if double or fed + unknown < appended:
        findings.broken.append(f"{where}: {appended} rows are in the ring, and {fed} were fed or skipped")


def _check_killed(model: _Model, from_killed: int, findings: Findings) -> None:
    """A killed replica loses at most what it took in its last flush interval, a stopped one nothing."""
    taken = sum(one.taken[model.kind] for one in model.retired)
    killed = [one for one in model.retired if one.is_killed]
    limit = sum(one.taken_since(one.ended_at - FLUSH_SECONDS - _APPEND_SECONDS, model.kind) for one in killed)
    lost = taken - from_killed
    findings.sent += taken
    findings.lost += lost
    findings.killed += lost
    if not 0 <= lost <= limit:
        where = f"{model.service} {model.kind}s"
        findings.broken.append(f"{where}: replicas that ended lost {lost} of {taken}, at most {limit} are right")


def _check_statistics(
    stage: Stage, stream: str, running: list[Replica], reference: NDArray[np.float64], findings: Findings
) -> None:
    """D of each replica is scipy's of the rows in Redis, and all replicas have one verdict."""
    rows = ring.window(stage.redis, stream, WINDOW_ROWS)
    if len(rows) == 0:
        findings.broken.append(f"{stream}: no rows")
        return
    expected = ring.statistics(reference, rows, COLUMNS)

    def is_right(replica: Replica) -> bool:
        shown = _statistics(replica.metrics())
        return shown.keys() == expected.keys() and all(
            abs(shown[name] - value) < _TOLERANCE for name, value in expected.items()
        )

    for replica in running:
        if not _holds(partial(is_right, replica)):
            shown = _statistics(replica.metrics())
            findings.broken.append(f"{replica.name}: D is {shown} and scipy's is {expected}")
    verdicts = {_verdict(replica.metrics()) for replica in running}
    if len(verdicts) > 1:
        findings.broken.append(f"{stream}: {len(verdicts)} verdicts: {sorted(verdicts)}")


def _statistics(samples: Samples) -> dict[str, float]:
    found = samples.matching("driftgauge_feature_drift_statistic", test="ks")
    return {sample.labels["feature"]: sample.value for sample in found}


def _verdict(samples: Samples) -> tuple[str, ...]:
    return tuple(sample.labels["state"] for sample in samples.matching("driftgauge_state") if sample.value)


def _check_pairs(stage: Stage, findings: Findings) -> None:
    """Each half is one of a pair, or counted as unpaired, once its time is over, and never both.

    Where Redis lost its data, a half may count as unpaired though another logger has paired it: what that logger wrote
    down for this one is lost too, unless this one has read it.
    """
    if stage.retired:
        return  # a killed logger takes its counters along
    halves = sum(one.taken[kind] for one in stage.loggers for kind in KINDS)

    def joined() -> int:
        return round(
            sum(
                2 * samples.total("request_latency_seconds_count") + samples.total("driftgauge_unpaired_total")
                for samples in (one.metrics() for one in stage.loggers)
            )
        )

    _holds(lambda: joined() >= halves)
    stage.settle()  # more than one look at the pairs
    counted, unreported = joined(), _unreported(stage)
    findings.twice = max(0, counted - halves)
    if not halves <= counted <= halves + unreported:
        at_most = f", of which {unreported} may count twice" if unreported else ""
        findings.broken.append(
            f"{halves} halves of pairs were sent{at_most}, and {counted} are paired or counted as unpaired"
        )


def _unreported(stage: Stage) -> int:
    """Most halves that count twice since Redis lost reports of loggers: one of each pair of that time."""
    end = stage.lifted + UNREPORTED_SECONDS
    taken = sum(
        max(0, one.taken_since(stage.forgets_from, kind) - one.taken_since(end, kind))
        for one in stage.loggers
        for kind in KINDS
    )
    return taken // 2


def _check_logs(stage: Stage, findings: Findings) -> None:
    for replica in stage.replicas:
        lines = len(replica.log)
        findings.log = max(findings.log, replica.log, key=len)
        tracebacks = sum(line.startswith("Traceback") for line in replica.log)
        if lines > LOG_LINES:
            findings.broken.append(f"{replica.name} wrote {lines} log lines, {tracebacks} of them begin tracebacks")
        elif tracebacks:
            findings.broken.append(f"{replica.name} wrote {tracebacks} tracebacks")
