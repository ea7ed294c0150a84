"""A real Prometheus as a child process, which scrapes targets every second and evaluates PromQL."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode, urlsplit

from tests.support.parts import program
from tests.support.ports import free_port
from tests.support.processes import Child, get
from tests.support.waiting import wait_until


@dataclass(frozen=True)
class Series:
    """One series in the result of an instant query."""

    labels: dict[str, str]
    value: float


class Prometheus(Child):
    """Scrapes until the `with` block ends.

    Args:
        targets: Job name -> URL of the port whose `/metrics` is scraped.
        directory: For its configuration and data.
    """

    def __init__(self, targets: Mapping[str, str], directory: Path) -> None:
        self.url = f"http://127.0.0.1:{free_port()}"
        config = directory / "prometheus.yml"
        config.write_text(json.dumps(_config(targets)))  # JSON is YAML
        super().__init__(
            [
                program("prometheus"),
                f"--config.file={config}",
                f"--storage.tsdb.path={directory / 'data'}",
                f"--web.listen-address={urlsplit(self.url).netloc}",
            ]
        )

    def query(self, expression: str) -> list[Series]:
        """Run an instant query; returns its series."""
        response = json.loads(get(f"{self.url}/api/v1/query?{urlencode({'query': expression})}"))
        return [Series(one["metric"], float(one["value"][1])) for one in response["data"]["result"]]

    def wait_for(self, expression: str, deadline_seconds: float = 60) -> list[Series]:
        """Repeat an instant query until it has a result; returns its series.

        Raises:
            TimeoutError: After the deadline.
        """
        return wait_until(lambda: self.query(expression), f"a series of {expression}", deadline_seconds)


def _config(targets: Mapping[str, str]) -> dict[str, object]:
    jobs = [{"job_name": job, "static_configs": [{"targets": [urlsplit(url).netloc]}]} for job, url in targets.items()]
    return {"global": {"scrape_interval": "1s", "scrape_timeout": "1s"}, "scrape_configs": jobs}
