"""Values that are valid each and impossible together are refused with one sentence."""

import re

import pytest

from driftgauge.config.options import LoggerConfig
from tests.support.helm import RefusedError, Values, render

REDIS = {"url": "redis://redis"}
SECRET = {"name": "login"}
HALVES = {"minAvailable": 1, "maxUnavailable": 1}
DRAIN_SECONDS = (
    LoggerConfig.model_fields["drain_delay_seconds"].default
    + 2 * LoggerConfig.model_fields["drain_timeout_seconds"].default
)


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"replicaCount": 2}, "replicaCount: more than 1 needs Redis"),
        ({"autoscaling": {"enabled": True}}, "autoscaling.enabled: needs Redis"),
        (
            {"redis": REDIS, "autoscaling": {"enabled": True, "minReplicas": 9}},
            "autoscaling.minReplicas: must not be more than",
        ),
        (
            {"references": {"inline": {"a.csv": "a"}, "existingClaim": "b"}},
            "references.inline and references.existingClaim exclude each other",
        ),
        (
            {"references": {"existingConfigMap": "a", "volume": {"secret": {"secretName": "b"}}}},
            "references.existingConfigMap and references.volume exclude each other",
        ),
        ({"references": {"directory": "a"}}, "references.directory: needs references.existingClaim"),
        ({"references": {"existingConfigMap": "a", "directory": "b"}}, "references.directory: needs"),
        ({"references": {"restartOnChange": True}}, "references.restartOnChange: needs references.inline"),
        (
            {"references": {"existingConfigMap": "a", "restartOnChange": True}},
            "references.restartOnChange: needs references.inline",
        ),
        ({"references": {"inline": {"a.csv": "1\n" * 500_000}}}, "references.inline: a ConfigMap holds 1 MiB"),
        ({"redis": REDIS | {"internal": {"enabled": True}}}, "redis.url and redis.internal.enabled exclude each other"),
        ({"redis": REDIS | {"existingSecret": SECRET | {"urlKey": "url"}}}, "redis.existingSecret.urlKey excludes"),
        (
            {"redis": {"internal": {"enabled": True}, "existingSecret": SECRET | {"urlKey": "url"}}},
            "redis.existingSecret.urlKey excludes",
        ),
        ({"redis": {"url": "redis://user:secret@redis"}}, "redis.url: must hold no password"),
        ({"redis": {"url": "rediss://:secret@redis:6380/0"}}, "redis.url: must hold no password"),
        ({"redis": {"url": "redis://redis/0?password=secret"}}, "redis.url: must hold no password"),
        ({"redis": {"url": "rediss://redis?db=1&password=secret"}}, "redis.url: must hold no password"),
        ({"redis": {"url": "redis+sentinel://u:p@a:1,b:2/m"}}, "redis.url: must hold no password"),
        ({"redis": REDIS | {"tls": {"certSecret": "own"}}}, "redis.tls.certSecret: needs a rediss:// address"),
        ({"redis": REDIS | {"sentinelUsername": "u"}}, "need a redis+sentinel:// address"),
        ({"redis": REDIS | {"existingSecret": SECRET | {"sentinelPasswordKey": "p"}}}, "need a redis+sentinel://"),
        ({"redis": {"url": "redis://u@redis", "username": "u"}}, "redis.username: the URL has a user already"),
        ({"redis": {"internal": {"enabled": True}, "username": "u"}}, "redis.username: the URL has a user already"),
        ({"redis": {"username": "u"}}, "redis.username: needs redis.url"),
        ({"redis": REDIS | {"existingSecret": {"asFiles": True}}}, "redis.existingSecret.asFiles: needs"),
        ({"redis": {"existingSecret": {"urlKey": "url"}}}, "redis.existingSecret.urlKey: needs redis.existingSecret"),
        ({"redis": REDIS | {"existingSecret": SECRET | {"passwordKey": ""}}}, "needs passwordKey or urlKey"),
        ({"redis": {"existingSecret": SECRET}}, "or there is no Redis to log in to"),
        ({"redis": REDIS | {"tls": {"caSecret": "ca"}}}, "redis.tls.caSecret: needs a rediss:// address"),
        (
            {"redis": {"existingSecret": SECRET | {"urlKey": "url"}, "tls": {"caSecret": "ca"}}},
            "redis.tls.caSecret: needs a rediss:// address",
        ),
        ({"redis": {"internal": {"persistence": {"enabled": True}}}}, "redis.internal.persistence.enabled: needs"),
        ({"podDisruptionBudget": {"enabled": True} | HALVES}, "podDisruptionBudget: give one of"),
        (
            {"podDisruptionBudget": {"enabled": True, "maxUnavailable": None}},
            "podDisruptionBudget: give one of",
        ),
        (
            {"podDisruptionBudget": {"enabled": True, "minAvailable": 1, "maxUnavailable": None}},
            "podDisruptionBudget.minAvailable: must be less than the 1 replicas",
        ),
        (
            {"podDisruptionBudget": {"enabled": True, "minAvailable": "50%", "maxUnavailable": None}},
            "podDisruptionBudget.minAvailable: must be less than the 1 replicas",
        ),
        (
            {
                "replicaCount": 2,
                "redis": REDIS,
                "podDisruptionBudget": {"enabled": True, "minAvailable": "51%", "maxUnavailable": None},
            },
            "podDisruptionBudget.minAvailable: must be less than the 2 replicas",
        ),
        ({"podDisruptionBudget": {"enabled": True, "maxUnavailable": 0}}, "a budget that never spares a pod"),
        (
            {"podDisruptionBudget": {"enabled": True, "minAvailable": "100%", "maxUnavailable": None}},
            "a budget that never spares a pod",
        ),
        ({"config": {"min_rows": 2001}}, "config.min_rows: must not be more than config.window_rows"),
        ({"config": {"window_rows": 199}}, "config.min_rows: must not be more than config.window_rows"),
        (
            {"terminationGracePeriodSeconds": int(DRAIN_SECONDS)},
            f"config.drain_delay_seconds + 2 * config.drain_timeout_seconds ({DRAIN_SECONDS:g})",
        ),
        ({"config": {"drain_delay_seconds": 30}}, "terminationGracePeriodSeconds: must be more than"),
        ({"prometheusRule": {"disabled": ["HighErorRate"]}}, 'there is no alert "HighErorRate"'),
        ({"prometheusRule": {"severities": {"HighErorRate": "page"}}}, 'severities: there is no alert "HighErorRate"'),
        ({"initContainers": [{"name": "a", "image": "b"}]}, "initContainers: need networkPolicy.egress"),
        ({"references": {"volume": {"emptyDir": {}}}}, "references.volume.emptyDir: needs initContainers"),
        ({"extraEnv": [{"name": "DRIFTGAUGE_PORT", "value": "1"}]}, "the chart sets DRIFTGAUGE_PORT already"),
        (
            {"config": {"evaluation_interval_seconds": 600}, "prometheusRule": {"enabled": True}},
            "prometheusRule.thresholds.DriftgaugeEvaluationStale: must be at least three times",
        ),
        ({"extraEnv": [{"name": "driftgauge_port", "value": "1"}]}, "the chart sets DRIFTGAUGE_PORT already"),
        ({"extraEnv": [{"name": "DRIFTGAUGE_REDIS_URL", "value": "redis://r"}]}, "DRIFTGAUGE_REDIS_URL belongs in"),
        (
            {"extraEnv": [{"name": "driftgauge_redis_url", "valueFrom": {"secretKeyRef": {"name": "a", "key": "b"}}}]},
            "driftgauge_redis_url belongs in redis.url or redis.existingSecret",
        ),
        ({"extraArgs": ["--redis-url", "redis://r"]}, "--redis-url belongs in redis.url"),
        ({"extraArgs": ["--redis_url=redis://r"]}, "--redis-url belongs in redis.url"),
        ({"logger": {"enabled": False}, "replicaCount": 3}, "replicaCount: needs logger.enabled"),
        ({"logger": {"enabled": False}, "service": {"type": "NodePort"}}, "service.type: needs logger.enabled"),
        ({"logger": {"enabled": False}, "podLabels": {"a": "b"}}, "podLabels: needs logger.enabled"),
        (
            {"redis": {"existingSecret": {"name": "login", "urlKey": "url"}}},
            "redis.existingSecret.urlKey: needs networkPolicy.redisPort",
        ),
        (
            {
                "redis": {"existingSecret": SECRET | {"urlKey": "url"}},
                "networkPolicy": {"egress": [{"ports": [{"port": 443}]}]},
            },
            "redis.existingSecret.urlKey: needs networkPolicy.redisPort",
        ),
        (
            {"redis": {"existingSecret": SECRET | {"urlKey": "url"}}, "networkPolicy": {"egress": []}},
            "redis.existingSecret.urlKey: needs networkPolicy.redisPort",
        ),
        (
            {"config": {"alpha": 0.1}, "extraEnv": [{"name": "DRIFTGAUGE_ALPHA", "value": "1"}]},
            "the chart sets DRIFTGAUGE_ALPHA already",
        ),
        ({"podMonitor": {"enabled": True, "scrapeTimeout": "31s"}}, "podMonitor.scrapeTimeout: must not be more than"),
        ({"serviceMonitor": {"interval": "1m", "scrapeTimeout": "1h"}}, "serviceMonitor.scrapeTimeout: must not be"),
        ({"service": {"nodePort": 30080}}, "need service.type NodePort or LoadBalancer"),
        (
            {"service": {"type": "NodePort", "loadBalancerSourceRanges": ["10.0.0.0/8"]}},
            "service.loadBalancerSourceRanges: needs service.type LoadBalancer",
        ),
        (
            {"service": {"type": "NodePort"}},
            "service.type NodePort: needs the senders in networkPolicy.eventsFrom",
        ),
        ({"redis": {"internal": {"enabled": True, "maxmemory": "1gb"}}}, "redis.internal.maxmemory: must be less than"),
        (
            {"redis": {"internal": {"enabled": True, "maxmemory": "256mb"}}},
            "redis.internal.maxmemory: must be less than",
        ),
        (
            {"redis": {"internal": {"enabled": True, "resources": {"limits": {"memory": 200_000_000}}}}},
            "redis.internal.maxmemory: must be less than",
        ),
        ({"fullnameOverride": "1st"}, 'the full name "1st" cannot name a Service'),
    ],
)
def test_an_impossible_combination_is_refused_with_a_sentence(values: Values, sentence: str) -> None:
    """Nothing is rendered; the error is one sentence with the key to change and the rule."""
    with pytest.raises(RefusedError, match=re.escape(sentence)) as refused:
        render(values)

    assert str(refused.value).rstrip().endswith(".")


@pytest.mark.parametrize(
    "values",
    [
        {"config": {"min_rows": 2000}},
        {"config": {"window_rows": 200}},
        {"terminationGracePeriodSeconds": int(DRAIN_SECONDS) + 1},
        {"config": {"drain_timeout_seconds": 0.5}, "terminationGracePeriodSeconds": 7},
        {"redis": {"url": "redis://user@redis/0"}, "replicaCount": 2},
        {"redis": {"url": "redis+sentinel://user@a:26379,b:26379/m", "sentinelUsername": "u"}, "replicaCount": 2},
        {
            "redis": {
                "url": "rediss+cluster://a,b:7001",
                "username": "u",
                "tls": {"certSecret": "own", "caSecret": "ca"},
            }
        },
        {
            "redis": {"existingSecret": SECRET | {"urlKey": "url"}},
            "networkPolicy": {"redisPort": 6379},
            "replicaCount": 2,
        },
        {"podDisruptionBudget": {"enabled": True, "maxUnavailable": "50%"}},
        {"podDisruptionBudget": {"enabled": True, "minAvailable": "0%", "maxUnavailable": None}},
        {
            "replicaCount": 2,
            "redis": REDIS,
            "podDisruptionBudget": {"enabled": True, "minAvailable": "50%", "maxUnavailable": None},
        },
        {"redis": {"url": "redis://password@redis/0?client_name=password"}},
        {"podMonitor": {"interval": "1m", "scrapeTimeout": "60s"}},
        {"podMonitor": {"interval": "1s", "scrapeTimeout": "1000ms"}},
        {"redis": {"internal": {"enabled": True, "maxmemory": "255mb"}}},
        {"redis": {"internal": {"enabled": True, "maxmemory": "1gb", "resources": {"limits": {"memory": "1.5Gi"}}}}},
        {"redis": {"internal": {"enabled": True, "maxmemory": "1gb", "resources": {"limits": {"memory": None}}}}},
        {"redis": {"internal": {"maxmemory": "1gb"}}},
        {"redis": {"existingSecret": SECRET | {"urlKey": "url"}}, "networkPolicy": {"egress": [{}]}},
        {"redis": {"existingSecret": SECRET | {"urlKey": "url"}}, "networkPolicy": {"enabled": False}},
        {
            "config": {"evaluation_interval_seconds": 600},
            "prometheusRule": {"enabled": True, "disabled": ["DriftgaugeEvaluationStale"]},
        },
        {
            "config": {"evaluation_interval_seconds": 600},
            "prometheusRule": {"enabled": True, "thresholds": {"DriftgaugeEvaluationStale": 1800}},
        },
        {"service": {"type": "NodePort"}, "networkPolicy": {"enabled": False}},
        {"extraEnv": [{"name": "DRIFTGAUGE_ALPHA", "value": "0.1"}]},
    ],
)
def test_values_at_the_limits_are_accepted(values: Values) -> None:
    """The limits are those of driftgauge's defaults."""
    assert render(values).objects
