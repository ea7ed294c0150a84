"""Writes the objects of the Kustomize base and of its components from the chart's output."""

import copy
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml

from tests.support.helm import CHART, Manifest, Values, render

HERE = Path(__file__).parent
DASHBOARDS = CHART / "files" / "dashboards"
RELEASE = ("driftgauge", "monitoring")
"""Name and namespace of the release that the base stands for."""

HEAD = "# Written by `python -m charts.kustomize` from the chart's output.\n"
OF_HELM = ("helm.sh/chart", "app.kubernetes.io/managed-by")
"""Labels that are not true without Helm."""

MONITORS: Values = {kind: {"enabled": True} for kind in ("serviceMonitor", "podMonitor", "prometheusRule")}
REDIS: Values = {"redis": {"internal": {"enabled": True}}}


def objects(values: Values) -> list[Manifest]:
    """The chart's output without the hook of `helm test`, and without labels that are not true without Helm."""
    found = copy.deepcopy(render(values, *RELEASE).objects)
    for one in found:
        for label in OF_HELM:
            one["metadata"]["labels"].pop(label)
    return [one for one in found if "helm.sh/hook" not in one["metadata"].get("annotations", {})]


def files() -> dict[Path, str]:
    """Every generated file with its text."""
    default = objects({})
    known = [_identity(one) for one in default]
    logger = [one for one in default if one["kind"] != "ConfigMap"]
    return {
        HERE / "base" / "logger.yaml": _documents(logger),
        **{
            path: _documents(one for one in objects(values) if _identity(one) not in known)
            for path, values in _COMPONENTS.items()
        },
        DASHBOARDS / "kustomization.yaml": _dashboards(one for one in default if one["kind"] == "ConfigMap"),
    }


def main() -> None:
    """Write all files, replacing existing ones."""
    for path, text in files().items():
        path.write_text(text)


_COMPONENTS = {
    HERE / "components" / "monitoring" / "monitors.yaml": MONITORS,
    HERE / "components" / "redis" / "redis.yaml": REDIS,
}


def _identity(one: Manifest) -> tuple[str, str]:
    return one["kind"], one["metadata"]["name"]


def _documents(found: Iterable[Manifest]) -> str:
    """Objects as YAML, without a namespace, which the kustomization sets."""
    without = copy.deepcopy(list(found))
    for one in without:
        del one["metadata"]["namespace"]
    return HEAD + yaml.safe_dump_all(without, sort_keys=False, width=120)


def _dashboards(maps: Iterable[Manifest]) -> str:
    """A kustomization that makes the ConfigMaps from the JSON beside it, so that no dashboard exists twice."""
    generators = [
        {
            "name": one["metadata"]["name"],
            "files": list(one["data"]),
            "options": {"disableNameSuffixHash": True, "labels": one["metadata"]["labels"]},
        }
        for one in maps
    ]
    content: dict[str, Any] = {
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "configMapGenerator": generators,
    }
    return HEAD + yaml.safe_dump(content, sort_keys=False, width=120)


if __name__ == "__main__":
    main()
