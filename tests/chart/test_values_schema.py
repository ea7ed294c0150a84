"""values.schema.json: closed everywhere, in step with the options, and a typo is told by its path."""

import json
from collections.abc import Iterator
from enum import StrEnum

import pytest
import yaml

from driftgauge.config.documents import as_json_schema
from driftgauge.config.options import LoggerConfig
from driftgauge.drift.budget import Decision
from driftgauge.drift.statistics.correction import Correction
from tests.support.helm import CHART, SCENARIOS, Manifest, RefusedError, Values, render, scenario_values

SCHEMA = json.loads((CHART / "values.schema.json").read_text())
DEFAULTS = yaml.safe_load((CHART / "values.yaml").read_text())

RENDERED_ELSEWHERE = {"port", "admin_port", "reference", "reference_dir", "redis_url", "redis_password"}
"""Options that the chart sets itself, so that ports, mounts and Secrets fit them."""

CHOICES: dict[str, type[StrEnum]] = {"#/$defs/Correction": Correction, "#/$defs/Decision": Decision}
"""Options that are one of a few words; the chart's schema says these in place."""

KUBERNETES_OWN = {f"references.volume.{kind}" for kind in ("csi", "ephemeral", "projected", "secret")}
"""Objects of Kubernetes' API that go into the pod as they are; the API server checks them at the same install."""


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
    """Values that hold something at a path."""
    for key in reversed(path.split(".")):
        value = [value] if key.endswith("[]") else value
        value = {key.removesuffix("[]"): value}
    assert isinstance(value, dict)
    return value


CLOSED = [path for path, one in objects(SCHEMA) if path and one.get("additionalProperties") is False]


def test_the_schema_is_one() -> None:
    """It keeps the rules of draft 7, which every Helm 3 reads."""
    pytest.importorskip("jsonschema").Draft7Validator.check_schema(SCHEMA)

    assert "http://json-schema.org/draft-07/schema#" == SCHEMA["$schema"]


def test_every_object_is_closed() -> None:
    """Fixed keys alone, or texts and quantities under keys of the user's; the exceptions are Kubernetes' own."""
    open_ones = {path for path, one in objects(SCHEMA) if one.get("additionalProperties", True) is True}

    assert {"global"} | KUBERNETES_OWN == open_ones


def test_every_key_says_what_it_is() -> None:
    """The table of values in the documentation is made of these sentences."""
    silent = [
        f"{path}.{name}"
        for path, one in objects(SCHEMA)
        for name, inner in one.get("properties", {}).items()
        if not inner.get("description")
    ]

    assert [] == silent


def test_every_key_of_the_schema_has_a_default() -> None:
    """values.yaml shows every key that there is, the options in `config` and the insides of free objects apart."""

    def missing(schema: Manifest, values: Manifest, path: str) -> Iterator[str]:
        for name, inner in schema.get("properties", {}).items():
            here = f"{path}.{name}".lstrip(".")
            if name not in values:
                yield here
            elif here not in {"config", "references.volume"} and isinstance(values[name], dict):
                yield from missing(inner, values[name], here)

    assert ["global"] == list(missing(SCHEMA, DEFAULTS, ""))


def test_the_options_are_those_of_the_logger() -> None:
    """Name, bounds, default and sentence of each as in `driftgauge options --format json-schema`."""
    known = json.loads(as_json_schema())["properties"]
    expected = {}
    for name in LoggerConfig.model_fields:
        option = {key: value for key, value in known[name].items() if key != "title"}
        choices = CHOICES.get(option.pop("$ref", ""))
        if choices is not None:
            option |= {"type": "string", "enum": [choice.value for choice in choices]}
        expected[name] = option
    for name in RENDERED_ELSEWHERE:
        del expected[name]

    assert expected == SCHEMA["properties"]["config"]["properties"]


def test_a_typo_at_the_top_is_refused_by_name() -> None:
    """An install with `replicas` instead of `replicaCount` fails."""
    with pytest.raises(RefusedError, match="'replicas' not allowed"):
        render({"replicas": 2})


@pytest.mark.parametrize("path", CLOSED)
def test_a_typo_is_told_by_its_path(path: str) -> None:
    """At every level, an unknown key is refused; the sentence names the object and the key."""
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
        ("clusterDomain", ""),
    ],
)
def test_a_wrong_value_is_told_by_its_path(path: str, value: object) -> None:
    """Type, range and form are looked at before anything is rendered."""
    with pytest.raises(RefusedError) as refused:
        render(values_under(path, value))

    assert f"at '/{path.replace('.', '/')}'" in str(refused.value)


@pytest.mark.parametrize("file", ["wine.txt", "Wine.csv", "a/b/c.csv", "../x.csv", "wine", "cellar/.csv", "1wine.csv"])
def test_a_reference_that_no_model_could_have_is_refused(file: str) -> None:
    """The file's name is how the logger finds its model."""
    with pytest.raises(RefusedError, match="at '/references/inline': additional properties"):
        render({"references": {"inline": {file: "a\n1\n"}}})


@pytest.mark.parametrize("volume", [{"hostPath": {"path": "/"}}, {"nfs": {"server": "x", "path": "/"}}])
def test_a_volume_that_the_restricted_standard_forbids_is_refused(volume: Values) -> None:
    """Better a sentence at install than a pod that is never admitted."""
    with pytest.raises(RefusedError, match="at '/references/volume'"):
        render({"references": {"volume": volume}})


@pytest.mark.parametrize("name", SCENARIOS)
def test_a_scenario_says_what_it_is_for(name: str) -> None:
    """Each file begins with a sentence, and its values are within the schema."""
    assert SCENARIOS[name].read_text().startswith("# ")
    assert render(scenario_values(name)).objects
