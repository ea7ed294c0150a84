"""values.schema.json refuses unknown keys everywhere, has the options, and reports a typo by its path."""

import json
import re
from collections.abc import Iterator

import pytest
import yaml

from charts.values.options import SET_BY_CHART, logger_options
from driftgauge.config.options import LoggerConfig
from driftgauge.metrics.model_metrics import LATENCY_BUCKETS
from tests.support.helm import CHART, SCENARIOS, Manifest, RefusedError, Values, render, scenario_values
from tests.support.parts import package

SCHEMA = json.loads((CHART / "values.schema.json").read_text())
DEFAULTS = yaml.safe_load((CHART / "values.yaml").read_text())

KUBERNETES_OWN = {
    *(f"references.volume.{kind}" for kind in ("csi", "emptyDir", "ephemeral", "projected", "secret")),
    "affinity",
    "extraEnv[].valueFrom",
    "initContainers[]",
    "extraVolumes[]",
    "extraManifests[]",
    "serviceMonitor.tlsConfig",
    "podMonitor.tlsConfig",
    "podMonitor.authorization",
}
"""Objects of Kubernetes' API and of monitors that are used unchanged; the API server checks them at the install."""


def objects(schema: Manifest, path: str = "") -> Iterator[tuple[str, Manifest]]:
    """Every schema of an object, with its path; `[]` stands for the items of a list."""
    types = schema.get("type")
    if "object" in ([types] if isinstance(types, str) else types or []):
        yield path, schema
    for name, inner in schema.get("properties", {}).items():
        yield from objects(inner, f"{path}.{name}".lstrip("."))
    if "items" in schema:
        yield from objects(schema["items"], f"{path}[]")


def values_under(path: str, value: object) -> Values:
    """Values with a value at a path."""
    for key in reversed(path.split(".")):
        value = [value] if key.endswith("[]") else value
        value = {key.removesuffix("[]"): value}
    assert isinstance(value, dict)
    return value


CLOSED = [path for path, one in objects(SCHEMA) if path and one.get("additionalProperties") is False]


def test_the_schema_is_valid() -> None:
    """It is valid for draft 7, which every Helm 3 reads."""
    package("jsonschema").Draft7Validator.check_schema(SCHEMA)

    assert "http://json-schema.org/draft-07/schema#" == SCHEMA["$schema"]


def test_every_object_is_closed() -> None:
    """Objects have fixed keys, or texts and quantities under any key; the exceptions are objects of Kubernetes."""
    open_ones = {path for path, one in objects(SCHEMA) if one.get("additionalProperties", True) is True}

    assert {"global"} | KUBERNETES_OWN == open_ones


def test_every_key_has_a_description() -> None:
    """The table of values in the documentation shows the descriptions."""
    silent = [
        f"{path}.{name}"
        for path, one in objects(SCHEMA)
        for name, inner in one.get("properties", {}).items()
        if not inner.get("description")
    ]

    assert [] == silent


def test_every_key_of_the_schema_has_a_default() -> None:
    """values.yaml has every key, except the options in `config` and the contents of free objects."""

    def missing(schema: Manifest, values: Manifest, path: str) -> Iterator[str]:
        for name, inner in schema.get("properties", {}).items():
            here = f"{path}.{name}".lstrip(".")
            if name not in values:
                yield here
            elif here not in {"config", "references.volume"} and isinstance(values[name], dict):
                yield from missing(inner, values[name], here)

    assert ["global"] == list(missing(SCHEMA, DEFAULTS, ""))


def test_the_options_are_those_of_the_logger() -> None:
    """Limits, defaults and descriptions are those of `driftgauge options`, copied by `python -m charts.values`."""
    assert logger_options() == SCHEMA["properties"]["config"]["properties"]


def test_the_options_of_the_chart_are_options_of_the_logger() -> None:
    """Together with those that the chart sets itself they are all options of the logger."""
    assert set(LoggerConfig.model_fields) == SET_BY_CHART | set(SCHEMA["properties"]["config"]["properties"])


def test_a_typo_at_the_top_is_refused_by_name() -> None:
    """An install with `replicas` instead of `replicaCount` fails."""
    with pytest.raises(RefusedError, match="'replicas' not allowed"):
        render({"replicas": 2})


@pytest.mark.parametrize("path", CLOSED)
def test_a_typo_is_reported_by_its_path(path: str) -> None:
    """An unknown key is refused at every level; the error has the object and the key."""
    with pytest.raises(RefusedError) as refused:
        render(values_under(path, {"typo": 1}))

    pointer = "/" + path.replace("[]", "/0").replace(".", "/")
    assert f"at '{pointer}': additional properties 'typo' not allowed" in str(refused.value)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("replicaCount", "two"),
        ("replicaCount", 0),
        ("image.digest", "sha256:1234"),
        ("image.tag", "a b"),
        ("image.repository", "registry.example/driftgauge:1.2"),
        ("image.repository", "ml/Driftgauge"),
        ("image.repository", "ml//driftgauge"),
        ("image.repository", "ml/driftgauge/"),
        ("redis.internal.image.repository", "registry.example:5000/redis:7"),
        ("commonLabels.team", "ml platform!"),
        ("podLabels.team", "a" * 64),
        ("image.pullPolicy", "Sometimes"),
        ("config.window_rows", "many"),
        ("config.window_rows", 0),
        ("config.alpha", 1),
        ("config.correction", "bonferoni"),
        ("config.decision", "pvalue"),
        ("config.false_alarm_interval", "a month"),
        ("config.false_alarm_interval", 1),
        ("config.drift_tolerance", 1),
        ("config.allow_capture", "yes"),
        ("config.log_level", "loud"),
        ("references.existingConfigMap", "Not_A_Name"),
        ("references.directory", "../etc"),
        ("references.directory", "/etc"),
        ("redis.url", "http://redis"),
        ("redis.url", "redis://$(HOSTNAME)"),
        ("redis.internal.maxmemory", "1Gi"),
        ("redis.internal.persistence.size", "big"),
        ("runAsUser", 0),
        ("service.port", 70000),
        ("service.port", 9464),
        ("serviceMonitor.interval", "30"),
        ("podDisruptionBudget.maxUnavailable", "200%"),
        ("resources.limits.memory", "much"),
        ("nodeSelector.zone", 1),
        ("nodeSelector.zone", "a b"),
        ("dashboards.label", "grafana dashboard"),
        ("dashboards.labelValue", "a b"),
        ("clusterDomain", ""),
        ("service.type", "ExternalName"),
        ("podMonitor.scrapeTimeout", "10"),
        ("monitoring.release", "not a label"),
        ("prometheusRule.thresholds.DriftgaugeErrorRatioHigh", 5),
        ("prometheusRule.thresholds.DriftgaugeLatencyHigh", 3),
        ("prometheusRule.severities.HighErrorRate", ""),
    ],
)
def test_a_wrong_value_is_reported_by_its_path(path: str, value: object) -> None:
    """Type, range and format are checked before anything is rendered."""
    with pytest.raises(RefusedError) as refused:
        render(values_under(path, value))

    assert f"at '/{path.replace('.', '/')}'" in str(refused.value)


@pytest.mark.parametrize("key", ["my team", "-team", "a/b/c", "Example.com/team", "k" * 64, f"example.com/{'k' * 64}"])
@pytest.mark.parametrize("path", ["commonLabels", "podLabels", "nodeSelector", "podMonitor.labels"])
def test_a_key_that_is_no_label_is_refused(path: str, key: str) -> None:
    """A name has up to 63 characters, after the domain that it may have; the error has the key."""
    with pytest.raises(RefusedError, match=re.escape(f"invalid propertyName '{key}'")):
        render(values_under(path, {key: "ml"}))


@pytest.mark.parametrize("key", ["k" * 63, f"example.com/{'k' * 63}", "app.kubernetes.io/part-of", "A_b.c"])
def test_keys_of_labels_may_have_a_domain(key: str) -> None:
    """The longest name, with a domain and without, is a label."""
    assert "ml" == render({"commonLabels": {key: "ml"}}).one("Service")["metadata"]["labels"][key]


@pytest.mark.parametrize(
    "name",
    [
        "driftgauge",
        "registry.example:5000/ml/driftgauge",
        "host:5000/name",
        "localhost/driftgauge",
        "Registry.example/ml-team/drift_gauge/a__b.c",
        "ghcr.io/a--b/driftgauge",
    ],
)
def test_a_registry_may_have_a_port(name: str) -> None:
    """A colon before the first slash is no tag."""
    (pod,) = (one for one in render({"image": {"repository": name}}).objects if one["kind"] == "Deployment")

    assert pod["spec"]["template"]["spec"]["containers"][0]["image"].startswith(f"{name}:")


def test_latency_thresholds_are_buckets() -> None:
    """A quantile between two buckets is interpolated: an alert at a limit of one is exact."""
    thresholds = SCHEMA["properties"]["prometheusRule"]["properties"]["thresholds"]["properties"]

    assert list(LATENCY_BUCKETS) == thresholds["DriftgaugeLatencyHigh"]["enum"]


@pytest.mark.parametrize("file", ["wine.txt", "Wine.csv", "a/b/c.csv", "../x.csv", "wine", "cellar/.csv", "1wine.csv"])
def test_a_reference_that_no_model_can_have_is_refused(file: str) -> None:
    """The logger finds the model by the file's name."""
    with pytest.raises(RefusedError, match="at '/references/inline': additional properties"):
        render({"references": {"inline": {file: "a\n1\n"}}})


@pytest.mark.parametrize("argument", ["--port=1", "--port", "--admin-port=1", "--admin_port"])
def test_arguments_do_not_change_the_ports(argument: str) -> None:
    """The Service leads to the ports that the chart sets."""
    with pytest.raises(RefusedError, match="at '/extraArgs/0'"):
        render({"extraArgs": [argument]})


@pytest.mark.parametrize("volume", [{"hostPath": {"path": "/"}}, {"nfs": {"server": "x", "path": "/"}}])
def test_a_volume_that_the_restricted_standard_forbids_is_refused(volume: Values) -> None:
    """The install fails, because the pod would never be admitted."""
    with pytest.raises(RefusedError, match="at '/references/volume'"):
        render({"references": {"volume": volume}})


@pytest.mark.parametrize("name", SCENARIOS)
def test_a_scenario_has_a_description(name: str) -> None:
    """Each file starts with a sentence, and its values are valid."""
    assert SCENARIOS[name].read_text().startswith("# ")
    assert render(scenario_values(name)).objects
