"""The Prometheus and the Alertmanager of examples/observability, with its files and commands, on free ports."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import pytest

from tests.support.boards import rules
from tests.support.compose import Service
from tests.support.echo_model import EchoModel
from tests.support.ports import free_port
from tests.support.processes import Driftgauge, get
from tests.support.waiting import wait_until

EXAMPLE = Path(__file__).parents[2] / "examples" / "observability"
COMPOSE = EXAMPLE / "compose.yaml"
Tree = dict[str, Any]


@dataclass(frozen=True)
class Running:
    """The services that run, a driftgauge that is scraped, and what Slack received.

    Args:
        prometheus: The address of Prometheus.
        alertmanager: The address of Alertmanager.
        messages: The bodies that were sent to the webhook.
    """

    prometheus: str
    alertmanager: str
    messages: list[Tree]


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """Prometheus and Alertmanager with the files and the commands of the example, on free ports."""
    messages: list[Tree] = []

    def receive(body: bytes) -> bytes:
        messages.append(json.loads(body))
        return b"ok"

    ports = {f"127.0.0.1:{port}": f"127.0.0.1:{free_port()}" for port in (9090, 9093)}
    queries, alerts = (f"http://{address}" for address in ports.values())
    webhook = (EXAMPLE / "slack_url.example").read_text().strip()
    with EchoModel(response=receive) as slack, Driftgauge("logger") as scraped:
        replaced = {**ports, webhook: f"{slack.url}/hook", "127.0.0.1:9464": f"127.0.0.1:{scraped.admin_port}"}
        directory = tmp_path_factory.mktemp("observability")
        with (
            Service(COMPOSE, "alertmanager", "prometheus-alertmanager", directory / "a", replaced) as alertmanager,
            Service(COMPOSE, "prometheus", "prometheus", directory / "p", replaced) as prometheus,
        ):
            prometheus.await_response(f"{queries}/-/ready")
            alertmanager.await_response(f"{alerts}/-/ready")
            yield Running(queries, alerts, messages)


def data_of(url: str) -> Any:  # noqa: ANN401 - each address has its own shape
    """The data of a response of Prometheus."""
    return json.loads(get(url))["data"]


def test_prometheus_scrapes_driftgauge(running: Running) -> None:
    """The target is up, under a job whose name the alert on targets looks for."""

    def up() -> list[Tree]:
        targets = data_of(f"{running.prometheus}/api/v1/targets")["activeTargets"]
        return [target for target in targets if target["health"] == "up"]

    (target,) = wait_until(up, "a target that is up", 60)

    assert "driftgauge" == target["labels"]["job"]


def test_prometheus_evaluates_the_rules_of_the_chart(running: Running) -> None:
    """All are loaded, and each has been evaluated without an error."""

    def evaluated() -> list[Tree]:
        groups = data_of(f"{running.prometheus}/api/v1/rules")["groups"]
        found = [rule for group in groups for rule in group["rules"]]
        return found if all(rule["health"] != "unknown" for rule in found) else []

    found = wait_until(evaluated, "an evaluation of every rule", 60)

    assert {(rule["alert"], "ok") for rule in rules()} == {(rule["name"], rule["health"]) for rule in found}


def test_prometheus_knows_alertmanager(running: Running) -> None:
    """It has found the address to which it sends alerts."""

    def known() -> list[Tree]:
        return list(data_of(f"{running.prometheus}/api/v1/alertmanagers")["activeAlertmanagers"])

    (found,) = wait_until(known, "an active Alertmanager", 60)

    assert f"{running.alertmanager}/api/v2/alerts" == found["url"]


def test_an_alert_reaches_slack(running: Running) -> None:
    """The message has the summary, the description and a runbook that opens; one of severity info is not sent."""
    (runbook,) = (rule["annotations"]["runbook_url"] for rule in rules() if rule["alert"] == "DriftgaugeModelDrift")
    annotations = {"summary": "wine has drifted", "description": "Two features.", "runbook_url": runbook}
    alerts = [
        {"labels": {"alertname": name, "severity": severity}, "annotations": annotations}
        for name, severity in (("DriftgaugeCannotTell", "info"), ("DriftgaugeModelDrift", "warning"))
    ]
    body = json.dumps(alerts).encode()
    headers = {"Content-Type": "application/json"}
    request = Request(f"{running.alertmanager}/api/v2/alerts", body, headers)  # noqa: S310 - loopback only
    urlopen(request, timeout=10).close()  # noqa: S310 - loopback only
    (attachment,) = wait_until(lambda: running.messages, "a message", 60)[0]["attachments"]

    assert ("DriftgaugeModelDrift", "warning") == (attachment["title"], attachment["color"])
    assert all(annotations[name] in attachment["text"] for name in ("summary", "description"))
    assert b"DriftgaugeModelDrift" in get(attachment["text"].split("Runbook: ")[1].strip())
    assert 1 == len(running.messages)
