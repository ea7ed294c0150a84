"""Renders the chart with Helm's own engine.

The engine is in the package `helm-python-sdk`, which contains Helm's Go code; neither `helm` nor a cluster is needed.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from tests.support.parts import package

CHART = Path(__file__).parents[2] / "charts" / "driftgauge"
SCENARIOS = {path.name.removesuffix("-values.yaml"): path for path in sorted(CHART.glob("ci/*-values.yaml"))}

PROXIES_ALONE = "proxies-only"
LOGGERS = [name for name in SCENARIOS if name != PROXIES_ALONE]
"""The scenarios that install a logger."""

YAML_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""The safe loader, in C if libyaml is available; without it, a CRD takes seconds."""

Values = Mapping[str, Any]
Manifest = dict[str, Any]


class RefusedError(Exception):
    """Helm refused to install, with this message."""


@dataclass(frozen=True)
class Release:
    """What an installation sends to the cluster, and what it prints.

    Args:
        name: Name of the release.
        namespace: Namespace of the release.
        texts: Path of a template -> its rendered text.
    """

    name: str
    namespace: str
    texts: Mapping[str, str]

    @property
    def notes(self) -> str:
        """What an installation prints."""
        return self.texts["driftgauge/templates/NOTES.txt"]

    @property
    def objects(self) -> list[Manifest]:
        """Every object, in the order of the names of the templates."""
        manifests = [text for path, text in self.texts.items() if path.endswith(".yaml")]
        return [found for text in manifests for found in yaml.load_all(text, Loader=YAML_LOADER) if found]

    def of_kind(self, kind: str) -> list[Manifest]:
        """The objects of a kind."""
        return [found for found in self.objects if found["kind"] == kind]

    def one(self, kind: str, name: str | None = None) -> Manifest:
        """The only object of a kind, or the one that has a name.

        Raises:
            LookupError: There is none, or more than one.
        """
        found = [one for one in self.of_kind(kind) if name in (None, one["metadata"]["name"])]
        if len(found) != 1:
            raise LookupError(f"{len(found)} objects are {kind} {name or ''}, not one")
        return found[0]

    @property
    def logger(self) -> Manifest:
        """The container of the logger."""
        return only_container(self.one("Deployment"))

    @property
    def variables(self) -> dict[str, str]:
        """The logger's environment variables, without those from Secrets."""
        return {one["name"]: one["value"] for one in self.logger["env"] if "value" in one}


def only_container(workload: Manifest) -> Manifest:
    """The only container of a Deployment or StatefulSet."""
    (container,) = workload["spec"]["template"]["spec"]["containers"]
    found: Manifest = container
    return found


def engine() -> Any:  # noqa: ANN401 - the package may not be installed
    """Helm's engine; skips the test if it is not installed."""
    return package("helm_python")


@cache
def load(chart: Path = CHART) -> Any:  # noqa: ANN401
    """The chart as Helm loads it; each is loaded once."""
    return engine().Chart.load(str(chart))


def render(values: Values, name: str = "drift", namespace: str = "monitoring", chart: Path = CHART) -> Release:
    """Render the chart.

    Args:
        values: As in a file given with `--values`.
        name: Name of the release.
        namespace: Namespace of the release.
        chart: Directory of another version of the chart.

    Raises:
        RefusedError: The schema or the chart refuses the values.
    """
    helm = engine()
    loaded = load(chart)
    given = json.loads(json.dumps(values))
    try:
        loaded.validate_schema(given)
        return Release(name, namespace, loaded.render(given, name=name, namespace=namespace))
    except helm.HelmError as error:
        raise RefusedError(str(error)) from error


def scenario_values(name: str) -> Manifest:
    """The values of a supported scenario."""
    return yaml.safe_load(SCENARIOS[name].read_text()) or {}


def scenario(name: str) -> Release:
    """The release of a supported scenario."""
    return render(scenario_values(name))
