"""Everything together: a proxy and a logger with traffic that shifts, a real Prometheus and a real Alertmanager."""

import hashlib
import json
import math
import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.support.agent import Event, pair, post
from tests.support.alerting import AlertingPrometheus, Alertmanager
from tests.support.boards import ALERTS
from tests.support.cluster_exporter import ClusterExporter
from tests.support.echo_model import EchoModel
from tests.support.ports import free_port
from tests.support.processes import Driftgauge
from tests.support.redis_server import RedisServer
from tests.support.traffic import ask, body_of

NAMESPACE, SERVICE = "cellar", "wine"
_FAST = (
    "--min-rows=20",
    "--window-rows=400",  # the rows between two shifts: all processes share the window
    "--baseline-rows=50",
    "--false-alarm-interval=1h",  # so that so few rows can alarm
    "--evaluation-interval-seconds=0.5",
    "--reference-poll-seconds=0.5",
    "--flush-interval-seconds=0.1",
)
_RUNBOOK = Path(__file__).parents[2] / "sidecar" / "driftgauge" / "page" / "runbooks" / "drift.md"
_ROUNDS = 4
"""How often the fifty rows are sent to each of proxy and logger: together enough to know how much neighbouring rows
resemble each other. The reference has them as often: enough to detect half a standard deviation."""

_FAILED = 24
"""Enough for 0.05 a second over the 5 minutes of the rule."""


@dataclass(frozen=True)
class FullStack:
    """The running parts.

    Args:
        prometheus: Has scraped all processes, before and after the shift.
        alertmanager: Has the alerts.
        start: Unix time at which all processes had been scraped, before the first request.
    """

    prometheus: AlertingPrometheus
    alertmanager: Alertmanager
    start: float


def shortened(rules: str, seconds: int) -> str:
    """The rules with every `for` shortened to some seconds; expressions are unchanged."""
    return re.sub(r"^( +for:) \w+$", rf"\1 {seconds}s", rules, flags=re.MULTILINE)


def inhibitions() -> str:
    """The Alertmanager configuration from the runbook."""
    found = re.search(r"```yaml\n(route:.*?)```", _RUNBOOK.read_text(), re.DOTALL)
    if found is None:
        raise ValueError(f"{_RUNBOOK} has no block of YAML that begins with route:")
    return found[1]


@contextmanager
def full_stack(directory: Path) -> Iterator[FullStack]:
    """Start everything, send unchanged rows, shifted rows, and requests to a replica without a model.

    In between the reference is replaced by one with the same rows that has the model's predictions too.
    """
    references = _references(directory)
    rules = directory / "alerts.yaml"
    rules.write_text(shortened(ALERTS.read_text(), seconds=3))
    with ExitStack() as stack:
        redis = stack.enter_context(RedisServer())
        common = (*_FAST, "--redis-url", redis.url)
        model = stack.enter_context(EchoModel(response=_scores))
        mounted = ("--namespace", NAMESPACE, "--inference-service", SERVICE, "--reference", references / "wine.csv")
        proxy, orphan = (
            stack.enter_context(Driftgauge("proxy", "--upstream-url", url, *mounted, *common))
            for url in (model.url, f"http://127.0.0.1:{free_port()}")
        )
        away = f"http://127.0.0.1:{free_port()}"
        kept = ("--reference-dir", references, "--pair-ttl-seconds=2", "--forward-url", away, "--event-url", away)
        logger = stack.enter_context(Driftgauge("logger", *kept, *common))
        pod = stack.enter_context(ClusterExporter(NAMESPACE, f"{SERVICE}-predictor-6d4cf56db6-x2x7p"))
        alertmanager = stack.enter_context(Alertmanager(inhibitions(), directory))
        targets = {
            "driftgauge-proxy": proxy.admin_url,
            "driftgauge-proxy-orphan": orphan.admin_url,
            "driftgauge-logger": logger.admin_url,
            "cadvisor": pod.url,
        }
        prometheus = stack.enter_context(AlertingPrometheus(targets, directory, rules, alertmanager.url))
        start = _wait_for_targets(prometheus, len(targets))
        _send(proxy, logger, shift=0)
        prometheus.wait_for("count(driftgauge_drift == 0) == 3")
        prometheus.wait_for("count(driftgauge_drifted_predictions == 0) >= 2")
        _replace_reference(references / "wine.csv", prometheus)
        _send(proxy, logger, shift=5)
        for _ in range(_FAILED):
            ask(orphan.port, body_of([[9.0, 3.0]]))
        prometheus.wait_for("count(driftgauge_drift == 1) == 3")
        prometheus.wait_for("count(driftgauge_drifted_predictions > 0) == 3")
        prometheus.wait_for(f'sum(request_error_count{{code="502"}}) == {_FAILED}')
        yield FullStack(prometheus, alertmanager, start)


def _replace_reference(path: Path, prometheus: AlertingPrometheus) -> None:
    """Replace the reference, and wait until all processes test against it and the detector knows the rows so far.

    Without the wait the detector could start with a window of both populations, and take it for one in which rows
    depend on each other so much that no distance alarms.
    """
    content = _reference(with_responses=True)
    path.write_text(content)
    digest = hashlib.sha256(content.encode()).hexdigest()
    prometheus.wait_for(f'count(driftgauge_reference_info{{hash="{digest}"}}) == 3')
    prometheus.wait_for('sum(driftgauge_detector_rows_total{kind="request"}) >= 400')
    prometheus.wait_for("sum(increase(driftgauge_detector_resets_total[1m])) > 0")


def _wait_for_targets(prometheus: AlertingPrometheus, targets: int) -> float:
    """Wait until every target is scraped successfully; returns the time."""
    prometheus.wait_for(f"count(up == 1) == {targets}")
    return prometheus.wait_for("min(timestamp(up))")[0].value


def _rows(shift: float) -> list[list[float | None]]:
    """Fifty rows of alcohol and ph, one ph missing; the shift moves only alcohol.

    Their order gives the first rows the same spread as all of them, so that only the shift may alarm.
    """
    steps = [17 * number % 50 for number in range(50)]
    rows: list[list[float | None]] = [[round(9 + shift + 0.1 * n, 3), round(3 + 0.01 * n, 3)] for n in steps]
    rows[7][1] = None
    return rows


def _references(directory: Path) -> Path:
    """Make a directory with the reference of the model, filed by its name."""
    found = directory / "references"
    found.mkdir()
    (found / "wine.csv").write_text(_reference(with_responses=False))
    return found


def _reference(*, with_responses: bool) -> str:
    """The unchanged rows, several times, as CSV; the model's predictions are in columns named by its outputs."""
    names = ["alcohol", "ph"]
    if with_responses:
        names += ["prediction:prediction_confidence", "prediction:prediction_class"]
    lines = [",".join(names)]
    for alcohol, ph in _ROUNDS * _rows(0):
        if alcohol is not None and ph is not None:
            values = [alcohol, ph, *_confidence_and_class(alcohol)]
            lines.append(",".join(map(str, values[: len(names)])))
    return "\n".join(lines) + "\n"


def _confidence_and_class(alcohol: float) -> tuple[float, int]:
    """The larger of the model's two scores, and its class."""
    score = _score(alcohol)
    return max(score, 1 - score), int(score > 1 - score)


def _score(alcohol: float) -> float:
    return 1 / (1 + math.exp(13 - alcohol))


def _scores(body: bytes) -> bytes:
    """The model's response: two scores, computed from the alcohol."""
    (row,) = json.loads(body)["instances"]
    score = _score(row[0])
    return json.dumps({"predictions": [[1 - score, score]]}).encode()


def _send(proxy: Driftgauge, logger: Driftgauge, shift: float) -> None:
    """Send every row through the proxy and, as events, to the logger, several times; one request has no response."""
    for number, row in enumerate(_ROUNDS * _rows(shift)):
        body = json.dumps({"instances": [row]}).encode()
        ask(proxy.port, body)
        post(logger.port, *pair(body, _scores(body), f"{shift}-{number}"))
    post(logger.port, Event("request", b'{"instances":[["no number", 3.1]]}', f"{shift}-alone"))
