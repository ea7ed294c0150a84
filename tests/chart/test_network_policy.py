"""The NetworkPolicies: who reaches logger and Redis with the default values, and what the logger reaches."""

import pytest

from tests.support.helm import Manifest, Release, Values, render, scenario
from tests.support.manifests import kubernetes_faults, kubernetes_versions
from tests.support.network_policy import Pod, admits

KSERVE = {"serving.kserve.io/inferenceservice": "wine", "component": "predictor"}
STANDARD = Pod("models", KSERVE)
KNATIVE = Pod("models", {**KSERVE, "serving.knative.dev/revision": "wine-predictor-00001"})
PROMETHEUS = Pod("monitoring", {"app.kubernetes.io/name": "prometheus", "prometheus": "kps-prometheus"})
ACTIVATOR = Pod("knative-serving", {"app": "activator"})
NOTEBOOK = Pod("models", {"app": "notebook"})


def policy(release: Release) -> Manifest:
    """The policy of the logger."""
    return release.one("NetworkPolicy", "drift-driftgauge")


def reached(release: Release, sender: Pod) -> list[str]:
    """The ports of the logger that a pod reaches, by name."""
    ports = {port["name"]: port["containerPort"] for port in release.logger["ports"]}
    return [name for name, port in ports.items() if admits(policy(release), sender, port)]


def test_the_default_policy_selects_the_pods_of_the_logger() -> None:
    """It is there without any value, and every Kubernetes version accepts it."""
    release = render({})
    selected = policy(release)["spec"]["podSelector"]["matchLabels"].items()

    assert selected <= release.one("Deployment")["spec"]["template"]["metadata"]["labels"].items()
    assert [] == [fault for one in kubernetes_versions() for fault in kubernetes_faults(policy(release), one)]


@pytest.mark.parametrize(
    ("sender", "ports"),
    [
        (STANDARD, ["http", "metrics"]),
        (KNATIVE, ["http", "metrics"]),
        (PROMETHEUS, ["metrics"]),
        (ACTIVATOR, ["metrics"]),
        (NOTEBOOK, ["metrics"]),
    ],
)
def test_by_default_only_predictors_post_events_and_every_pod_scrapes(sender: Pod, ports: list[str]) -> None:
    """KServe's agent is in the predictor's pod in both modes; a Prometheus may be anywhere."""
    assert ports == reached(render({}), sender)


def test_the_test_hook_reaches_both_ports() -> None:
    """`helm test` works with the default values, and with named peers."""
    for release in (render({}), scenario("network-policy")):
        hook = release.one("Pod")["metadata"]

        assert ["http", "metrics"] == reached(release, Pod(hook["namespace"], hook["labels"]))


def test_named_peers_replace_the_default_ones() -> None:
    """Predictors of another namespace, and pods that are not Prometheus, are no longer admitted."""
    release = scenario("network-policy")

    assert ["http"] == reached(release, STANDARD)
    assert [] == reached(release, Pod("staging", KSERVE))
    assert ["metrics"] == reached(release, PROMETHEUS)
    assert [] == reached(release, Pod("monitoring", {"app": "grafana"}))


def test_one_value_opens_everything() -> None:
    """Without the policy any pod reaches the logger."""
    assert [] == render({"networkPolicy": {"enabled": False}}).of_kind("NetworkPolicy")


def test_events_may_come_from_addresses() -> None:
    """Peers of the values are used as they are, beside the test hook."""
    peers = [{"ipBlock": {"cidr": "10.0.0.0/8"}}]
    rule = policy(render({"networkPolicy": {"eventsFrom": peers}}))["spec"]["ingress"][0]

    assert peers == rule["from"][1:]


def test_only_the_logger_reaches_the_redis_of_the_chart() -> None:
    """Its NetworkPolicy admits the logger's pods on one port, and allows no egress."""
    release = scenario("redis-internal")
    redis = release.one("NetworkPolicy", "drift-driftgauge-redis")
    labels = release.one("Deployment")["spec"]["template"]["metadata"]["labels"]

    assert admits(redis, Pod("monitoring", labels), 6379)
    assert not admits(redis, Pod("models", labels), 6379)
    assert not admits(redis, PROMETHEUS, 6379)
    assert ["Ingress", "Egress"] == redis["spec"]["policyTypes"]
    assert "egress" not in redis["spec"]


@pytest.mark.parametrize(
    ("redis", "port", "expected"),
    [
        ({"url": "redis://r"}, None, [6379]),
        ({"url": "redis://[::1]/0"}, None, [6379]),
        ({"url": "rediss://u@r:6390/0"}, None, [6390]),
        ({"url": "redis://r:80"}, 6400, [6400]),
        ({"existingSecret": {"name": "s", "urlKey": "url"}}, 6400, [6400]),
        ({"url": "redis+sentinel://u@a,b:5,c/m"}, None, [26379, 5, 6379]),
        ({"url": "rediss+sentinel://a/m"}, 6390, [26379, 6390]),
        ({"url": "redis+cluster://a,b:7001"}, None, [6379, 7001]),
        ({"url": "redis+cluster://a,b:7001"}, 7002, [6379, 7001, 7002]),
        ({"internal": {"enabled": True, "networkPolicy": False}}, None, [6379]),
    ],
)
def test_egress_of_the_logger_is_limited_to_redis(redis: Values, port: int | None, expected: list[int]) -> None:
    """The policy allows name servers and the ports of Redis, and of Sentinels."""
    names, server = policy(render({"redis": redis, "networkPolicy": {"redisPort": port}}))["spec"]["egress"]

    assert [(53, "UDP"), (53, "TCP"), (5353, "UDP"), (5353, "TCP")] == [
        (one["port"], one["protocol"]) for one in names["ports"]
    ]
    assert expected == [one["port"] for one in server["ports"]]


def test_a_logger_without_redis_has_no_egress() -> None:
    """The policy applies to egress and names no peer."""
    spec = policy(render({}))["spec"]

    assert ["Ingress", "Egress"] == spec["policyTypes"]
    assert "egress" not in spec


@pytest.mark.parametrize("redis", [{}, {"url": "redis://r"}])
def test_further_egress_follows_name_servers_and_redis(redis: Values) -> None:
    """Object storage is reached by name, so name servers are allowed with it."""
    rule = {"ports": [{"port": 443, "protocol": "TCP"}]}
    egress = policy(render({"redis": redis, "networkPolicy": {"egress": [rule]}}))["spec"]["egress"]

    assert rule == egress[-1]
    assert 53 == egress[0]["ports"][0]["port"]
    assert (3 if redis else 2) == len(egress)


def test_an_empty_rule_opens_egress() -> None:
    """Kubernetes accepts it, and it allows every address and port."""
    opened = policy(render({"networkPolicy": {"egress": [{}]}}))

    assert {} == opened["spec"]["egress"][-1]
    assert [] == [fault for one in kubernetes_versions() for fault in kubernetes_faults(opened, one)]
