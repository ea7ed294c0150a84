"""The objects that values render to: options, image, references, Redis, scaling, labels, dashboards."""

import json

import pytest

from driftgauge import __version__
from driftgauge.config.documents import as_json_schema
from driftgauge.config.environment import PREFIX
from tests.support.helm import (
    CHART,
    LOGGERS,
    Manifest,
    Release,
    Values,
    only_container,
    render,
    scenario,
    scenario_values,
)
from tests.support.kubelet import pod_of
from tests.support.manifests import is_custom, kubernetes_faults

OPTIONS = set(json.loads(as_json_schema())["properties"])
DIGEST = "sha256:" + "0" * 64


def volume(release: Release) -> Manifest:
    """The volume of the references."""
    (found,) = [one for one in pod_of(release).get("volumes", []) if one["name"] == "reference"]
    return {key: value for key, value in found.items() if key != "name"}


@pytest.mark.parametrize("name", LOGGERS)
def test_every_variable_is_an_option(name: str) -> None:
    """The logger refuses to start with an unknown variable, so none is rendered."""
    names = [one["name"] for one in scenario(name).logger["env"]]

    assert len(names) == len(set(names))
    assert {one.removeprefix(PREFIX).lower() for one in names if one.startswith(PREFIX)} <= OPTIONS


def test_every_option_of_the_map_becomes_its_variable() -> None:
    """`config` has the names of the options, and numbers are written out."""
    config = {"window_rows": 500, "alpha": 0.01, "log_level": "debug", "queue_bytes": 67108864, "sample_ratio": 0.0}
    variables = render({"config": config}).variables

    assert {
        "DRIFTGAUGE_WINDOW_ROWS": "500",
        "DRIFTGAUGE_ALPHA": "0.01",
        "DRIFTGAUGE_LOG_LEVEL": "debug",
        "DRIFTGAUGE_QUEUE_BYTES": "67108864",
        "DRIFTGAUGE_SAMPLE_RATIO": "0",
        "DRIFTGAUGE_PORT": "8080",
        "DRIFTGAUGE_ADMIN_PORT": "9464",
    } == variables


@pytest.mark.parametrize(
    ("image", "expected"),
    [
        ({}, f"driftgauge:{__version__}"),
        ({"tag": "1.2"}, "driftgauge:1.2"),
        ({"digest": DIGEST}, f"driftgauge@{DIGEST}"),
        ({"tag": "1.2", "digest": DIGEST}, f"driftgauge:1.2@{DIGEST}"),
        ({"repository": "registry.example.com:5000/ml/dg", "tag": "x"}, "registry.example.com:5000/ml/dg:x"),
    ],
)
def test_the_image_has_a_tag_or_a_digest(image: Values, expected: str) -> None:
    """The test hook has the same image as the logger."""
    release = render({"image": image})

    assert expected == release.logger["image"]
    assert expected == release.one("Pod")["spec"]["containers"][0]["image"]


def test_pull_secrets_are_in_every_pod() -> None:
    """Logger, Redis and test hook use the same registry."""
    release = render({"imagePullSecrets": ["login"], "redis": {"internal": {"enabled": True}}})
    pods = [one["spec"]["template"]["spec"] for one in release.of_kind("Deployment") + release.of_kind("StatefulSet")]

    assert [[{"name": "login"}]] * 3 == [pod["imagePullSecrets"] for pod in [*pods, release.one("Pod")["spec"]]]


def test_flat_references_are_mounted_whole() -> None:
    """Another model is another file in the volume, without a new pod."""
    before = render({"references": {"inline": {"wine.csv": "a\n1\n"}}})
    after = render({"references": {"inline": {"wine.csv": "a\n1\n", "iris.csv": "b\n1\n"}}})

    assert {"configMap": {"name": "drift-driftgauge-references"}} == volume(after)
    assert before.one("Deployment") == after.one("Deployment")
    assert {"wine.csv": "a\n1\n", "iris.csv": "b\n1\n"} == after.one("ConfigMap", "drift-driftgauge-references")["data"]


def test_references_of_a_namespace_are_mounted_in_its_directory() -> None:
    """A ConfigMap has no directories, so the volume's items make them."""
    release = render({"references": {"inline": {"cellar/wine.csv": "a\n", "wine.csv": "b\n"}}})

    assert {"cellar_wine.csv": "a\n", "wine.csv": "b\n"} == release.one("ConfigMap", "drift-driftgauge-references")[
        "data"
    ]
    assert [
        {"key": "cellar_wine.csv", "path": "cellar/wine.csv"},
        {"key": "wine.csv", "path": "wine.csv"},
    ] == volume(release)["configMap"]["items"]


@pytest.mark.parametrize(
    ("references", "expected", "directory"),
    [
        ({"existingConfigMap": "r"}, {"configMap": {"name": "r", "optional": True}}, "/mnt/reference"),
        ({"existingClaim": "r"}, {"persistentVolumeClaim": {"claimName": "r", "readOnly": True}}, "/mnt/reference"),
        (
            {"volume": {"secret": {"secretName": "r"}}, "directory": "a/b"},
            {"secret": {"secretName": "r"}},
            "/mnt/reference/a/b",
        ),
    ],
)
def test_references_come_from_any_of_the_volumes(references: Values, expected: Manifest, directory: str) -> None:
    """They are mounted read-only at one path; the logger starts without the ConfigMap."""
    release = render({"references": references})

    assert expected == volume(release)
    assert directory == release.variables["DRIFTGAUGE_REFERENCE_DIR"]
    assert [{"name": "reference", "mountPath": "/mnt/reference", "readOnly": True}] == release.logger["volumeMounts"]


@pytest.mark.parametrize(("restart", "same"), [(False, True), (True, False)])
def test_a_changed_reference_restarts_pods_only_if_asked(restart: bool, same: bool) -> None:  # noqa: FBT001
    """A restart would empty windows in memory, and the file is loaded without one."""
    first, second = (
        render({"references": {"inline": {"wine.csv": text}, "restartOnChange": restart}}).one("Deployment")
        for text in ("a\n1\n", "a\n2\n")
    )

    assert same is (first == second)


@pytest.mark.parametrize(
    ("redis", "url"),
    [
        ({"url": "redis://r:6380/1"}, "redis://r:6380/1"),
        ({"internal": {"enabled": True}}, "redis://drift-driftgauge-redis.monitoring.svc.cluster.local:6379/0"),
        (
            {"url": "rediss://r", "tls": {"caSecret": "ca"}},
            "rediss://r?ssl_ca_certs=/etc/driftgauge/redis-ca/ca.crt",
        ),
        (
            {"url": "rediss://r/0?ssl_check_hostname=false", "tls": {"caSecret": "ca", "caKey": "x"}},
            "rediss://r/0?ssl_check_hostname=false&ssl_ca_certs=/etc/driftgauge/redis-ca/x",
        ),
    ],
)
def test_the_logger_has_the_url_of_redis(redis: Values, url: str) -> None:
    """The URL is in the environment, the certificate in a volume."""
    release = render({"redis": redis})

    assert url == release.variables["DRIFTGAUGE_REDIS_URL"]
    assert ("tls" in redis) is ("redis-ca" in [one["name"] for one in pod_of(release).get("volumes", [])])


def test_the_password_of_redis_comes_from_its_secret() -> None:
    """The logger and the Redis of the chart use the same Secret and key."""
    release = render({"redis": {"existingSecret": {"name": "s", "passwordKey": "k"}, "internal": {"enabled": True}}})
    redis = only_container(release.one("StatefulSet"))
    logger = next(one for one in release.logger["env"] if one["name"] == "DRIFTGAUGE_REDIS_PASSWORD")

    assert {"secretKeyRef": {"name": "s", "key": "k"}} == logger["valueFrom"] == redis["env"][0]["valueFrom"]
    assert "REDIS_PASSWORD)" not in " ".join([*redis["command"], *redis["args"]])


def test_passwords_may_be_files_that_are_replaced() -> None:
    """No variable holds them, and both are in one volume."""
    release = scenario("redis-sentinel")
    mounts = {one["name"]: one["mountPath"] for one in release.logger["volumeMounts"]}

    assert release.variables["DRIFTGAUGE_REDIS_PASSWORD_FILE"] == f"{mounts['redis-login']}/password"
    assert release.variables["DRIFTGAUGE_REDIS_SENTINEL_PASSWORD_FILE"] == f"{mounts['redis-login']}/sentinel-password"
    assert {"DRIFTGAUGE_REDIS_PASSWORD", "DRIFTGAUGE_REDIS_SENTINEL_PASSWORD"}.isdisjoint(release.variables)
    assert ["driftgauge"] * 2 == [
        release.variables[f"DRIFTGAUGE_REDIS_{name}"] for name in ("USERNAME", "SENTINEL_USERNAME")
    ]


def test_the_logger_has_a_certificate_of_its_own() -> None:
    """Certificate and key are those of a Secret of the type kubernetes.io/tls."""
    release = scenario("redis-cluster")
    mounts = {one["name"]: one["mountPath"] for one in release.logger["volumeMounts"]}

    assert release.variables["DRIFTGAUGE_REDIS_CERT_FILE"] == f"{mounts['redis-cert']}/tls.crt"
    assert release.variables["DRIFTGAUGE_REDIS_KEY_FILE"] == f"{mounts['redis-cert']}/tls.key"


def test_an_autoscaler_owns_the_number_of_replicas() -> None:
    """The Deployment has none, because every upgrade would undo the scaling."""
    release = scenario("autoscaling")
    scaler = release.one("HorizontalPodAutoscaler")["spec"]

    assert "replicas" not in release.one("Deployment")["spec"]
    assert (2, 8) == (scaler["minReplicas"], scaler["maxReplicas"])
    assert release.one("Deployment")["metadata"]["name"] == scaler["scaleTargetRef"]["name"]
    assert 1 == release.one("PodDisruptionBudget")["spec"]["minAvailable"]


def test_replicas_are_spread_over_nodes_and_zones() -> None:
    """Each constraint selects the logger's own pods."""
    deployment = scenario("redis-external").one("Deployment")["spec"]
    spread = deployment["template"]["spec"]["topologySpreadConstraints"]

    assert ["kubernetes.io/hostname", "topology.kubernetes.io/zone"] == [one["topologyKey"] for one in spread]
    assert [deployment["selector"]] * 2 == [one["labelSelector"] for one in spread]


def test_a_rollout_starts_a_new_logger_before_it_stops_the_old_one() -> None:
    """KServe's agents send an event once, so it needs a logger that is ready."""
    assert {"maxSurge": 1, "maxUnavailable": 0} == scenario("minimal").one("Deployment")["spec"]["strategy"][
        "rollingUpdate"
    ]


def test_the_platform_may_choose_user_and_groups() -> None:
    """With null neither user nor groups are set, but `runAsNonRoot` is."""
    release = scenario("openshift")
    pods = [one["spec"]["template"]["spec"] for one in release.of_kind("Deployment") + release.of_kind("StatefulSet")]

    assert [{"runAsNonRoot", "seccompProfile"}] * 2 == [set(pod["securityContext"]) for pod in pods]


def test_names_that_yaml_would_convert_stay_text() -> None:
    """The release is 42, the namespace 1e3, and objects are called `on`."""
    everything = scenario_values("full") | {"fullnameOverride": "on", "priorityClassName": "null"}
    objects = render(everything, "42", "1e3").objects
    faults = [fault for one in objects if not is_custom(one) for fault in kubernetes_faults(one, "1.27.0")]

    assert [] == faults
    assert {"42"} == {one["metadata"]["labels"]["app.kubernetes.io/instance"] for one in objects}
    assert {"1e3"} == {one["metadata"]["namespace"] for one in objects}


def test_common_labels_are_on_all_objects_and_replace_none() -> None:
    """They cannot replace the chart's own labels."""
    release = render({"commonLabels": {"team": "ml", "app.kubernetes.io/name": "other"}})
    labels = [one["metadata"]["labels"] for one in release.objects]

    assert {("ml", "driftgauge")} == {(one["team"], one["app.kubernetes.io/name"]) for one in labels}


def test_each_dashboard_is_a_config_map_that_grafana_finds() -> None:
    """The JSON is that of the file; label, folder and namespace are those of the values."""
    files = {path.name: json.loads(path.read_text()) for path in sorted((CHART / "files/dashboards").glob("*.json"))}
    maps = [
        one for one in scenario("monitors").of_kind("ConfigMap") if "grafana_dashboard" in one["metadata"]["labels"]
    ]

    assert files == {name: json.loads(text) for one in maps for name, text in one["data"].items()}
    assert {"fleet.json", "model-drift.json", "outcomes.json", "sidecar-health.json"} == set(files)
    assert {("1", "grafana", "KServe")} == {
        (
            one["metadata"]["labels"]["grafana_dashboard"],
            one["metadata"]["namespace"],
            one["metadata"]["annotations"]["grafana_folder"],
        )
        for one in maps
    }


def test_the_service_monitor_finds_the_logger_alone() -> None:
    """Its selector matches the labels of the logger's Service, and not those of the Redis of the chart."""
    release = render({"serviceMonitor": {"enabled": True}, "redis": {"internal": {"enabled": True}}})
    monitor = release.one("ServiceMonitor")["spec"]
    found = [
        one
        for one in release.of_kind("Service")
        if monitor["selector"]["matchLabels"].items() <= one["metadata"]["labels"].items()
    ]

    assert ["drift-driftgauge"] == [one["metadata"]["name"] for one in found]
    assert monitor["endpoints"][0]["port"] in [port["name"] for port in found[0]["spec"]["ports"]]
