"""The PrometheusRule: the alerts of files/alerts.yaml, as values change them."""

import subprocess
from pathlib import Path

import pytest
import yaml

from tests.support.helm import CHART, Manifest, Release, Values, render
from tests.support.manifests import custom_faults
from tests.support.parts import program

ALERTS = CHART / "files" / "alerts.yaml"
DEFAULTS = yaml.safe_load((CHART / "values.yaml").read_text())["prometheusRule"]
REFERENCES = {"references": {"existingClaim": "references"}}


def file_groups() -> list[Manifest]:
    """The groups of the file for a plain Prometheus."""
    groups: list[Manifest] = yaml.safe_load(ALERTS.read_text())["groups"]
    return groups


def with_rule(rule: Values, **values: object) -> Release:
    """A release with references and a PrometheusRule; it has the address that the file has."""
    return render({**REFERENCES, **values, "prometheusRule": {"enabled": True, **rule}}, "driftgauge", "monitoring")


def groups(release: Release) -> list[Manifest]:
    """The groups of the PrometheusRule."""
    found: list[Manifest] = release.one("PrometheusRule")["spec"]["groups"]
    return found


def alerts(release: Release) -> dict[str, Manifest]:
    """The rules of the PrometheusRule by name."""
    return {rule["alert"]: rule for group in groups(release) for rule in group["rules"]}


def differences(first: Release, second: Release) -> dict[str, list[str]]:
    """Alert -> the parts in which two releases differ, among alerts of both."""
    theirs = alerts(second)
    found = {name: [key for key in rule if rule[key] != theirs[name][key]] for name, rule in alerts(first).items()}
    return {name: keys for name, keys in found.items() if keys}


def test_the_prometheus_rule_has_every_alert_of_the_file() -> None:
    """Without values the groups are those of the file, so the values name the thresholds that the file has."""
    assert file_groups() == groups(with_rule({}))


def test_runbook_urls_name_the_logger_of_the_release() -> None:
    """By default they are absolute, and lead to the admin port, which serves the runbooks."""
    release = render(
        {**REFERENCES, "prometheusRule": {"enabled": True}, "clusterDomain": "corp.example"}, "gauge", "models"
    )
    (port,) = [one["port"] for one in release.one("Service")["spec"]["ports"] if one["name"] == "metrics"]

    assert (
        f"http://gauge-driftgauge.models.svc.corp.example:{port}/runbooks/drift#driftgaugemodeldrift"
        == alerts(release)["DriftgaugeModelDrift"]["annotations"]["runbook_url"]
    )


@pytest.mark.parametrize(
    ("base", "address"),
    [
        ("https://dg.example.com/runbooks", "https://dg.example.com/runbooks/drift#driftgaugemodeldrift"),
        ("https://dg.example.com/runbooks/", "https://dg.example.com/runbooks/drift#driftgaugemodeldrift"),
        ("https://git.example/run/{name}.md", "https://git.example/run/drift.md#driftgaugemodeldrift"),
    ],
)
def test_runbooks_may_be_somewhere_else(base: str, address: str) -> None:
    """The base is before the page's name, or has a place for it."""
    release = with_rule({"runbookBaseUrl": base})

    assert address == alerts(release)["DriftgaugeModelDrift"]["annotations"]["runbook_url"]


BOUND = {"DriftgaugeLatencyHigh": 0.25, "DriftgaugeEvaluationStale": 1250}
"""Thresholds with a rule of their own: a limit of a bucket, and three intervals of evaluation."""


@pytest.mark.parametrize("name", DEFAULTS["thresholds"])
def test_a_threshold_changes_one_number_of_one_alert(name: str) -> None:
    """The expression has the other number in the same place; no other alert and no text changes."""
    default, other = DEFAULTS["thresholds"][name], BOUND.get(name, 0.125)
    before, after = with_rule({}), with_rule({"thresholds": {name: other}})

    assert {name: ["expr"]} == differences(before, after)
    assert alerts(before)[name]["expr"].replace(f"> {default}\n", f"> {other}\n") == alerts(after)[name]["expr"]


@pytest.mark.parametrize("name", DEFAULTS["thresholds"])
def test_no_text_repeats_a_threshold_that_values_change(name: str) -> None:
    """Summary and description give the alert's value, which is right with every threshold."""
    annotations = alerts(with_rule({}))[name]["annotations"]

    assert "$value" in annotations["summary"] + annotations["description"]
    assert not [number for number in ("5 %", "1 s", "more than half", "15 minutes ago") if number in str(annotations)]


def test_numbers_are_written_out() -> None:
    """A long threshold has no exponent that Helm would make of it."""
    rule = alerts(with_rule({"thresholds": {"DriftgaugeEvaluationStale": 2_592_000}}))["DriftgaugeEvaluationStale"]

    assert "> 2592000\n" in rule["expr"]


def test_prometheus_accepts_the_rules_with_other_thresholds(tmp_path: Path) -> None:
    """All of them at once: each expression can still be parsed."""
    release = with_rule({"thresholds": dict.fromkeys(DEFAULTS["thresholds"], 1e-7) | BOUND})
    file = tmp_path / "rules.yaml"
    file.write_text(yaml.safe_dump({"groups": groups(release)}))
    done = subprocess.run([program("promtool"), "check", "rules", file], check=False, capture_output=True, text=True)

    assert (0, "") == (done.returncode, done.stderr)
    assert len(DEFAULTS["thresholds"]) - len(BOUND) == str(groups(release)).count("> 1e-7")


def test_high_error_rate_is_a_warning_unless_values_make_it_a_page() -> None:
    """The ratio alert pages for the same fault; whoever has the article's routes sets its severity."""
    default, chosen = with_rule({}), with_rule({"severities": {"HighErrorRate": "critical"}})

    assert {"HighErrorRate": ["labels"]} == differences(default, chosen)
    assert ["warning", "critical"] == [alerts(one)["HighErrorRate"]["labels"]["severity"] for one in (default, chosen)]
    assert "critical" == alerts(default)["DriftgaugeErrorRatioHigh"]["labels"]["severity"]


def test_an_alert_may_be_left_out() -> None:
    """It is left out by name; a group without alerts is left out too."""
    names = [rule["alert"] for rule in file_groups()[0]["rules"]]

    assert file_groups()[1:] == groups(with_rule({"disabled": names}))


@pytest.mark.parametrize(
    ("values", "there"),
    [
        ({}, False),
        ({"podMonitor": {"enabled": True}}, True),
        ({"references": {"existingConfigMap": "r"}}, True),
    ],
)
def test_missing_references_alarm_where_some_are_meant_to_be(values: Values, there: bool) -> None:  # noqa: FBT001
    """Without references and proxies the alert would fire forever, and only this one is left out."""
    written = {rule["alert"] for group in file_groups() for rule in group["rules"]}
    rendered = alerts(render({**values, "prometheusRule": {"enabled": True}}))

    assert (set() if there else {"DriftgaugeReferenceMissing"}) == written - set(rendered)


def test_one_value_sets_the_label_that_kube_prometheus_stack_selects_by() -> None:
    """All three kinds get it, their own labels stay, and the operator accepts the objects."""
    kinds = {"serviceMonitor": "ServiceMonitor", "podMonitor": "PodMonitor", "prometheusRule": "PrometheusRule"}
    values = {key: {"enabled": True, "labels": {"team": "ml"}} for key in kinds}
    release = render({**values, "monitoring": {"release": "kps"}})
    objects = [release.one(kind) for kind in kinds.values()]

    assert [("kps", "ml")] * 3 == [
        (one["metadata"]["labels"]["release"], one["metadata"]["labels"]["team"]) for one in objects
    ]
    assert [] == [fault for one in objects for fault in custom_faults(one)]
    assert "release" not in release.one("Deployment")["metadata"]["labels"]


def test_labels_of_a_kind_win_over_the_common_one() -> None:
    """Two installations of the operator may select by different labels."""
    values = {"monitoring": {"release": "kps"}, "podMonitor": {"enabled": True, "labels": {"release": "other"}}}

    assert "other" == render(values).one("PodMonitor")["metadata"]["labels"]["release"]


@pytest.mark.parametrize("kind", ["serviceMonitor", "podMonitor", "prometheusRule"])
def test_the_notes_mention_the_label_while_nothing_sets_it(kind: str) -> None:
    """Without labels on a kind that is enabled its Prometheus may ignore it."""
    plain = {kind: {"enabled": True}}
    labelled = {kind: {"enabled": True, "labels": {"prometheus": "main"}}}
    mentioned = [
        "monitoring.release is empty" in render(values).notes
        for values in ({}, plain, labelled, {**plain, "monitoring": {"release": "kps"}})
    ]

    assert [False, True, False, False] == mentioned
