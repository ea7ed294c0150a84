"""A real Alertmanager, and a real Prometheus that evaluates alert rules and sends to it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

from tests.support.parts import program
from tests.support.ports import free_port
from tests.support.processes import Child, get
from tests.support.prometheus import Prometheus
from tests.support.waiting import wait_until


@dataclass(frozen=True)
class Notice:
    """One alert in Alertmanager.

    Args:
        labels: Labels of the alert.
        annotations: Annotations of the alert.
        state: `active`, or `suppressed` where another alert inhibits it.
    """

    labels: dict[str, str]
    annotations: dict[str, str]
    state: str


class Alertmanager(Child):
    """Receives alerts until the `with` block ends.

    Args:
        config: Its configuration, as YAML.
        directory: For its configuration and data.
    """

    def __init__(self, config: str, directory: Path) -> None:
        self.url = f"http://127.0.0.1:{free_port()}"
        path = directory / "alertmanager.yml"
        path.write_text(config)
        super().__init__(
            [
                program("prometheus-alertmanager"),
                f"--config.file={path}",
                f"--storage.path={directory / 'alertmanager'}",
                f"--web.listen-address={urlsplit(self.url).netloc}",
                "--cluster.listen-address=",
            ]
        )

    def notices(self, alert: str) -> list[Notice]:
        """The alerts with this name."""
        query = urlencode({"filter": f'alertname="{alert}"'})
        response = json.loads(get(f"{self.url}/api/v2/alerts?{query}"))
        return [Notice(one["labels"], one["annotations"], one["status"]["state"]) for one in response]

    def wait_for(self, alert: str, state: str = "active", deadline_seconds: float = 60) -> list[Notice]:
        """Wait until an alert with this name is in a state; returns all that are.

        Raises:
            TimeoutError: After the deadline.
        """
        return wait_until(
            lambda: [notice for notice in self.notices(alert) if notice.state == state],
            f"{alert} to be {state} in Alertmanager",
            deadline_seconds,
        )


class AlertingPrometheus(Prometheus):
    """A Prometheus that scrapes and evaluates rules every second until the `with` block ends.

    Args:
        targets: Job name -> URL of the port whose `/metrics` is scraped.
        directory: For its configuration and data.
        rules: The rules file.
        alertmanager_url: Where alerts are sent; `None` for nowhere.
        flags: More flags of the program.
    """

    def __init__(
        self,
        targets: Mapping[str, str],
        directory: Path,
        rules: Path | None = None,
        alertmanager_url: str | None = None,
        flags: tuple[str, ...] = (),
    ) -> None:
        self.url = f"http://127.0.0.1:{free_port()}"
        config = directory / "prometheus.yml"
        config.write_text(json.dumps(_config(targets, rules, alertmanager_url)))  # JSON is YAML
        Child.__init__(
            self,
            [
                program("prometheus"),
                f"--config.file={config}",
                f"--storage.tsdb.path={directory / 'data'}",
                f"--web.listen-address={urlsplit(self.url).netloc}",
                *flags,
            ],
        )

    def query_range(self, expression: str, start: float, end: float, step_seconds: float) -> list[dict[str, Any]]:
        """The series of a range query: `metric`, and `values` as pairs of a time and a text.

        Raises:
            HTTPError: The expression is wrong: status 400.
        """
        query = {"query": expression, "start": start, "end": end, "step": step_seconds}
        response = json.loads(get(f"{self.url}/api/v1/query_range?{urlencode(query)}"))
        found: list[dict[str, Any]] = response["data"]["result"]
        return found

    def label_values(self, label: str, selector: str) -> list[str]:
        """The values of a label in the series of a selector."""
        response = json.loads(get(f"{self.url}/api/v1/label/{label}/values?{urlencode({'match[]': selector})}"))
        found: list[str] = response["data"]
        return found


def _config(targets: Mapping[str, str], rules: Path | None, alertmanager_url: str | None) -> dict[str, object]:
    jobs = [{"job_name": job, "static_configs": [{"targets": [urlsplit(url).netloc]}]} for job, url in targets.items()]
    config: dict[str, object] = {
        "global": {"scrape_interval": "1s", "scrape_timeout": "1s", "evaluation_interval": "1s"},
        "scrape_configs": jobs,
    }
    if rules is not None:
        config["rule_files"] = [str(rules)]
    if alertmanager_url is not None:
        peers = [{"static_configs": [{"targets": [urlsplit(alertmanager_url).netloc]}]}]
        config["alerting"] = {"alertmanagers": peers}
    return config
