"""The port for labels: who reaches it, with which token, and that it is not there by default."""

import pytest

from tests.support.helm import RefusedError, Values, render, scenario
from tests.support.manifests import kubernetes_faults, kubernetes_versions
from tests.support.network_policy import Pod, admits

PORT = 9465


def test_there_is_no_port_by_default() -> None:
    """Neither the pod nor the Service has it, and the policy admits no one to it."""
    release = render({})
    assert PORT not in [port["containerPort"] for port in release.logger["ports"]]
    assert PORT not in [port["port"] for port in release.one("Service")["spec"]["ports"]]
    assert "DRIFTGAUGE_LABELS_PORT" not in release.variables
    assert not admits(release.one("NetworkPolicy"), Pod("monitoring", {}), PORT)


def test_the_port_is_that_of_the_logger_and_its_service() -> None:
    """The option, the port of the container and that of the Service are the same."""
    release = scenario("labels")
    assert str(PORT) == release.variables["DRIFTGAUGE_LABELS_PORT"]
    assert PORT in [port["containerPort"] for port in release.logger["ports"]]
    (port,) = [one for one in release.one("Service", "drift-driftgauge")["spec"]["ports"] if one["name"] == "labels"]
    assert (PORT, "labels") == (port["port"], port["targetPort"])


@pytest.mark.parametrize(
    ("values", "admitted", "refused"),
    [
        ({}, Pod("monitoring", {"app": "shop"}), Pod("shop", {"app": "shop"})),
        (
            {"from": [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "shop"}}}]},
            Pod("shop", {"app": "shop"}),
            Pod("monitoring", {"app": "shop"}),
        ),
    ],
)
def test_who_may_post_labels(values: Values, admitted: Pod, refused: Pod) -> None:
    """By default pods of the release's namespace, else the named peers alone; every Kubernetes accepts it."""
    policy = render({"labels": {"enabled": True, **values}}).one("NetworkPolicy", "drift-driftgauge")
    assert admits(policy, admitted, PORT)
    assert not admits(policy, refused, PORT)
    assert [] == [fault for one in kubernetes_versions() for fault in kubernetes_faults(policy, one)]


def test_the_token_is_a_file() -> None:
    """The Secret is mounted whole, so that a token that is replaced needs no restart."""
    release = scenario("labels")
    volumes = release.one("Deployment")["spec"]["template"]["spec"]["volumes"]
    assert {"name": "labels-token", "secret": {"secretName": "driftgauge-labels"}} in volumes
    assert "/etc/driftgauge/labels-token/token" == release.variables["DRIFTGAUGE_LABELS_TOKEN_FILE"]


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"labels": {"existingSecret": "a"}}, "labels.existingSecret and labels.from: need labels.enabled"),
        ({"labels": {"from": [{"podSelector": {}}]}}, "need labels.enabled"),
        ({"labels": {"enabled": True}, "logger": {"enabled": False}}, "labels.enabled: needs logger.enabled"),
    ],
)
def test_impossible_values(values: Values, sentence: str) -> None:
    """Values that mean nothing together are refused with one sentence."""
    with pytest.raises(RefusedError) as caught:
        render(values)
    assert sentence in str(caught.value)
