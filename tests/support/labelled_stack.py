"""Two proxies whose responses get labels, and a real Prometheus with the shipped rules and a real Alertmanager.

One model grades wines and prices them; nothing changes until the tasters change their minds. Of the other model only
one class is labelled.
"""

import http.client
import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tests.support.alerting import AlertingPrometheus, Alertmanager
from tests.support.boards import ALERTS
from tests.support.echo_model import EchoModel
from tests.support.full_stack import NAMESPACE, inhibitions, shortened
from tests.support.ports import free_port
from tests.support.processes import Driftgauge
from tests.support.traffic import PATH

GRADED, CHOSEN = "wine", "rose"
"""The model of which every row is labelled, and the one of which one class is."""

_ROWS = 2
_REQUESTS = 400
_FLAGS = (
    "--namespace",
    NAMESPACE,
    "--min-rows=100",
    "--window-rows=600",
    "--reference-ordered=true",
    "--false-alarm-interval=1h",  # so that so few rows can alarm
    "--evaluation-interval-seconds=1",
    "--flush-interval-seconds=0.05",
    "--label-ttl-seconds=300",  # short slices: what waits in memory is bounded for each
)

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class LabelledStack:
    """The running parts.

    Args:
        prometheus: Has scraped both proxies, before and after the tasters changed their minds.
        alertmanager: Has the alerts.
        start: Unix time at which both had been scraped, before the first request.
    """

    prometheus: AlertingPrometheus
    alertmanager: Alertmanager
    start: float


@contextmanager
def labelled_stack(directory: Path) -> Iterator[LabelledStack]:
    """Start everything, send rows with right and wrong labels as in the reference, then with many more wrong ones."""
    reference, rules = directory / "wine.csv", directory / "alerts.yaml"
    _write_reference(reference)
    rules.write_text(shortened(ALERTS.read_text(), seconds=1))
    ports = {GRADED: free_port(), CHOSEN: free_port()}
    with ExitStack() as stack:
        model = stack.enter_context(EchoModel(response=_respond))
        proxies = {
            name: stack.enter_context(
                Driftgauge(
                    "proxy",
                    *("--upstream-url", model.url, "--reference", reference, "--labels-port", str(port)),
                    *("--inference-service", name, *_FLAGS),
                )
            )
            for name, port in ports.items()
        }
        alertmanager = stack.enter_context(Alertmanager(inhibitions(), directory))
        targets = {f"driftgauge-{name}": proxy.admin_url for name, proxy in proxies.items()}
        prometheus = stack.enter_context(AlertingPrometheus(targets, directory, rules, alertmanager.url))
        prometheus.wait_for("count(up == 1) == 2")
        start = prometheus.wait_for("min(timestamp(up))")[0].value
        for name, port in ports.items():
            _send(proxies[name], port, name, seed=2, right=0.9, only=6 if name == CHOSEN else None)
        prometheus.wait_for(f'count(driftgauge_outcome_state{{inference_service="{GRADED}",state="ok"}} == 1) == 4')
        prometheus.wait_for('count(driftgauge_outcome_cannot_tell{reason="selected"}) >= 1')
        for seed in (3, 4):
            _send(proxies[GRADED], ports[GRADED], GRADED, seed=seed, right=0.4, only=None)
        prometheus.wait_for("driftgauge_performance_drift == 1")
        prometheus.wait_for("driftgauge_concept_drift == 1")
        yield LabelledStack(prometheus, alertmanager, start)


def _rows(dice: np.random.Generator, number: int) -> Floats:
    """The alcohol of wines."""
    return np.round(dice.normal(10.0, 1.0, number), 3)


def _grades(alcohol: Floats) -> Floats:
    """The model's grades: strong wines get a 6, others a 5."""
    return np.where(alcohol > 10, 6.0, 5.0)


def _labels(dice: np.random.Generator, alcohol: Floats, right: float) -> tuple[Floats, Floats]:
    """The tasters' grades, of which a share agrees with the model, and prices, whose noise is larger if few agree."""
    grades = _grades(alcohol)
    agree = dice.random(alcohol.size) < right
    return np.where(agree, grades, 11 - grades), alcohol + dice.normal(0.0, 1.5 - right, alcohol.size)


def _write_reference(path: Path) -> None:
    dice = np.random.default_rng(1)
    alcohol = _rows(dice, 4_000)
    labels, prices = _labels(dice, alcohol, 0.9)
    rows = np.column_stack([alcohol, _grades(alcohol), labels, alcohol, prices])
    head = "alcohol,prediction:grade,label:grade,prediction:price,label:price"
    np.savetxt(path, rows, delimiter=",", header=head, comments="", fmt="%.6g")


def _respond(body: bytes) -> bytes:
    """The model's response: grades and prices."""
    alcohol = np.array(json.loads(body)["instances"], dtype=np.float64)[:, 0]
    outputs = [
        {"name": "grade", "datatype": "INT64", "shape": [alcohol.size], "data": _grades(alcohol).astype(int).tolist()},
        {"name": "price", "datatype": "FP64", "shape": [alcohol.size], "data": alcohol.tolist()},
    ]
    return json.dumps({"outputs": outputs}).encode()


def _send(proxy: Driftgauge, labels_port: int, name: str, seed: int, right: float, only: float | None) -> None:
    """Send wines, wait until their responses can be labelled, and post the labels of all, or of one predicted class."""
    dice = np.random.default_rng(seed)
    before = proxy.metrics().total("driftgauge_payloads_total", kind="response")
    bodies = []
    connection = http.client.HTTPConnection("127.0.0.1", proxy.port, timeout=20)
    for number in range(_REQUESTS):
        alcohol = _rows(dice, _ROWS)
        headers = {"Content-Type": "application/json", "X-Request-Id": f"{name}-{seed}-{number}"}
        for _ in range(2 if number == 0 else 1):  # the first id comes again: the newest response counts
            connection.request("POST", PATH, json.dumps({"instances": alcohol[:, np.newaxis].tolist()}), headers)
            connection.getresponse().read()
        grades, prices = _labels(dice, alcohol, right)
        wanted = _grades(alcohol) == only if only is not None else np.ones(_ROWS, dtype=np.bool_)
        bodies += [
            {
                "id": headers["X-Request-Id"],
                "row": row,
                "label": {"grade": int(grades[row]), "price": float(prices[row])},
            }
            for row in np.flatnonzero(wanted).tolist()
        ]
    connection.close()
    proxy.wait_for(
        lambda samples: samples.total("driftgauge_payloads_total", kind="response") >= before + _REQUESTS + 1,
        "responses that wait",
    )
    _post(labels_port, name, bodies)


def _post(port: int, name: str, labels: list[dict[str, object]]) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    url = f"/labels?namespace={NAMESPACE}&inference_service={name}"
    connection.request("POST", url, json.dumps(labels), {"Content-Type": "application/json"})
    response = connection.getresponse()
    text = response.read()
    connection.close()
    assert (202, 2 * len(labels)) == (response.status, json.loads(text)["accepted"]), text
