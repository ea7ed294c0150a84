"""examples/observability: its files fit their schemas, and each other."""

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

pytest.importorskip(
    "grafana_foundation_sdk", reason="grafana_foundation_sdk is not installed; `make chart-test` installs it"
)

from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.cog.plugins import register_default_plugins
from grafana_foundation_sdk.models.dashboard import Dashboard
from jsonschema import Draft202012Validator

from driftgauge.config.options import Config
from tests.support.boards import ALERTS, FILES, boards, rules
from tests.support.compose import mounts
from tests.support.parts import program

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "observability"
COMPOSE = EXAMPLE / "compose.yaml"
SCHEMA = ROOT / "tests" / "data" / "compose-spec.json"
Tree = dict[str, Any]


def tree(path: Path) -> Tree:
    """A YAML file."""
    found: Tree = yaml.safe_load(path.read_text())
    return found


SERVICES: Tree = tree(COMPOSE)["services"]


def test_the_compose_file_fits_the_specification() -> None:
    """The JSON Schema is that of the Compose Specification; tests/data/README.md has its source."""
    schema = json.loads(SCHEMA.read_text())

    assert [] == [error.message for error in Draft202012Validator(schema).iter_errors(tree(COMPOSE))]


@pytest.mark.parametrize("service", SERVICES)
def test_images_have_an_exact_version(service: str) -> None:
    """An example that changes by itself breaks by itself."""
    assert re.fullmatch(r"[\w./-]+:v?\d+\.\d+\.\d+", SERVICES[service]["image"])


@pytest.mark.parametrize("service", SERVICES)
def test_nothing_listens_for_other_machines(service: str) -> None:
    """On the host's network every address has to be 127.0.0.1; Alertmanager's port for peers is closed."""
    words = [*SERVICES[service].get("command", []), *(SERVICES[service].get("environment") or {}).values()]
    addresses = [word for word in words if "listen-address" in word or re.fullmatch(r"[\d.]{7,}", word)]

    assert "host" == SERVICES[service]["network_mode"]
    assert addresses
    assert all(re.search(r"(127\.0\.0\.1(:\d+)?|cluster\.listen-address=)$", address) for address in addresses)


@pytest.mark.parametrize("service", SERVICES)
def test_mounted_files_exist(service: str) -> None:
    """Docker would make an empty directory of a missing file."""
    found = mounts(COMPOSE, service)

    assert found
    assert [] == [str(source) for source in found.values() if not source.exists()]


def test_prometheus_scrapes_the_port_of_the_demo() -> None:
    """The demo's page has the admin port that is driftgauge's default."""
    (group,) = yaml.safe_load((EXAMPLE / "targets" / "demo.yaml").read_text())

    assert [f"127.0.0.1:{Config.model_fields['admin_port'].default}"] == group["targets"]


def test_the_rules_are_those_of_the_chart() -> None:
    """The chart's file is mounted beside the configuration, which names it."""
    assert ALERTS == mounts(COMPOSE, "prometheus")["/etc/prometheus/alerts.yaml"]
    assert ["alerts.yaml"] == tree(EXAMPLE / "prometheus.yml")["rule_files"]


def test_grafana_queries_the_other_services() -> None:
    """Its data sources have the addresses at which Prometheus and Alertmanager listen."""
    sources = {one["type"]: one["url"] for one in tree(EXAMPLE / "grafana/datasources.yaml")["datasources"]}
    listen = {
        service: re.search(r"--web\.listen-address=(\S+)", " ".join(SERVICES[service]["command"]))
        for service in sources
    }

    assert sources == {service: f"http://{found[1]}" for service, found in listen.items() if found}


def test_grafana_knows_the_scrape_interval() -> None:
    """`$__rate_interval` is four scrape intervals: with a wrong one, rates would be empty."""
    (prometheus,) = (
        one for one in tree(EXAMPLE / "grafana/datasources.yaml")["datasources"] if one["type"] == "prometheus"
    )

    assert tree(EXAMPLE / "prometheus.yml")["global"]["scrape_interval"] == prometheus["jsonData"]["timeInterval"]


def test_grafana_finds_the_dashboards() -> None:
    """The provider's path is where the chart's dashboards are mounted, and the first page is one of them."""
    (provider,) = tree(EXAMPLE / "grafana/dashboards.yaml")["providers"]
    home = Path(SERVICES["grafana"]["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"])
    mounted = mounts(COMPOSE, "grafana")

    assert FILES / "dashboards" == mounted[provider["options"]["path"]]
    assert provider["options"]["path"] == str(home.parent)
    assert home.stem in boards()


@pytest.mark.parametrize("name", boards())
def test_dashboards_fit_the_schema_of_grafana(name: str) -> None:
    """The types of Grafana's own SDK read every key of a file, and write it again with the same value.

    They have no type for what only the Prometheus data source reads in annotations.
    """
    register_default_plugins()
    board = boards()[name]
    written = json.loads(JSONEncoder().encode(Dashboard.from_json(board)))

    assert set() == set(_lost(board, written)) - set(_of_prometheus(board))


def _of_prometheus(board: Tree) -> Iterator[str]:
    for number in range(len(board["annotations"].get("list", []))):
        yield from (f".annotations.list[{number}].{key}" for key in ("step", "titleFormat", "textFormat"))


def _lost(before: object, after: object, path: str = "") -> Iterator[str]:
    """The paths of what is missing or different; keys with defaults may be added."""
    if isinstance(before, dict) and isinstance(after, dict):
        for key, value in before.items():
            yield from _lost(value, after.get(key), f"{path}.{key}")
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for number, (old, new) in enumerate(zip(before, after, strict=True)):
            yield from _lost(old, new, f"{path}[{number}]")
    elif before != after:
        yield path


def test_alertmanager_accepts_its_configuration() -> None:
    """Amtool also parses the templates of the messages."""
    done = subprocess.run(
        [program("amtool"), "check-config", EXAMPLE / "alertmanager.yml"],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )

    assert (0, True) == (done.returncode, "2 receivers" in done.stdout)


def test_prometheus_accepts_its_configuration(tmp_path: Path) -> None:
    """Promtool checks the configuration together with the rules that it names."""
    for target, source in mounts(COMPOSE, "prometheus").items():
        copy = tmp_path / Path(target).name
        copy.write_text(source.read_text()) if source.is_file() else copy.mkdir()
    done = subprocess.run(
        [program("promtool"), "check", "config", tmp_path / "prometheus.yml"],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )

    assert (0, True) == (done.returncode, f"{len(rules())} rules found" in done.stdout)
