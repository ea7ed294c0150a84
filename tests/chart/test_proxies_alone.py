"""`logger.enabled: false`, for those who run driftgauge as a proxy in predictor pods alone."""

import re

import pytest

from tests.support.helm import RefusedError, Values, render, scenario

OFF: Values = {"logger": {"enabled": False}}


def test_nothing_of_the_logger_is_installed() -> None:
    """Monitor of the proxies, alerts and dashboards stay; there is no pod."""
    assert {"ConfigMap", "PodMonitor", "PrometheusRule"} == {one["kind"] for one in scenario("proxies-only").objects}


def test_the_alerts_are_those_of_an_installation_with_a_logger() -> None:
    """Missing references alarm as well: proxies are meant to have them, whoever scrapes them."""
    rule = {"prometheusRule": {"enabled": True, "runbookBaseUrl": "https://r.example"}}
    alone, both = (
        render({**values, **rule}).one("PrometheusRule")["spec"]
        for values in (OFF, {"references": {"existingClaim": "references"}})
    )

    assert both == alone


def test_no_alert_links_to_a_logger_that_is_not_there() -> None:
    """Without an address of the runbooks `runbook_url` is left out, and the notes say how to set it."""
    release = render({**OFF, "prometheusRule": {"enabled": True}})
    rules = [rule for group in release.one("PrometheusRule")["spec"]["groups"] for rule in group["rules"]]

    assert [] == [rule for rule in rules if "runbook_url" in rule["annotations"]]
    assert "prometheusRule.runbookBaseUrl to an address" in release.notes
    assert "runbookBaseUrl" not in scenario("proxies-only").notes


def test_the_notes_do_not_describe_a_logger() -> None:
    """There is no URL for InferenceServices; whoever enables no monitor reads what to scrape."""
    notes = render(OFF).notes

    assert "logger.enabled is false" in notes
    assert "podMonitor.enabled is false" in notes
    assert "svc.cluster.local" not in notes


@pytest.mark.parametrize(
    "values",
    [
        {"config": {"window_rows": 500}},
        {"references": {"inline": {"wine.csv": "a\n1\n"}}},
        {"references": {"existingConfigMap": "r"}},
        {"redis": {"url": "redis://redis"}},
        {"redis": {"internal": {"enabled": True}}},
        {"redis": {"url": "redis://redis"}, "autoscaling": {"enabled": True}},
        {"podDisruptionBudget": {"enabled": True}},
        {"serviceMonitor": {"enabled": True}},
        {"replicaCount": 2},
        {"podLabels": {"team": "a"}},
        {"podAnnotations": {"team": "a"}},
        {"service": {"type": "NodePort"}},
        {"service": {"port": 8000}},
        {"service": {"nodePort": 30080}},
        {"service": {"loadBalancerSourceRanges": ["192.0.2.0/24"]}},
        {"networkPolicy": {"egress": []}},
        {"networkPolicy": {"eventsFrom": [{"podSelector": {}}]}},
        {"networkPolicy": {"metricsFrom": [{"podSelector": {}}]}},
        {"networkPolicy": {"redisPort": 6400}},
        {"extraEnv": [{"name": "A", "value": "b"}]},
        {"extraArgs": ["--log-level=debug"]},
        {"initContainers": [{"name": "a", "image": "b"}]},
        {"extraVolumes": [{"name": "a", "emptyDir": {}}]},
        {"extraVolumeMounts": [{"name": "a", "mountPath": "/a"}]},
    ],
)
def test_what_is_about_the_logger_is_refused(values: Values) -> None:
    """The sentence names one of the keys that have no effect."""
    with pytest.raises(RefusedError, match=r"(\S+): needs logger\.enabled, since it is about the logger") as refused:
        render({**OFF, **values})

    key = re.search(r"(\S+): needs logger\.enabled", str(refused.value))
    assert key is not None
    assert key[1].split(".")[0] in values
