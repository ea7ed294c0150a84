"""The steps of an installation in the README fit each other: image, ConfigMap, Service, runtime, references."""

import re
import shlex
import subprocess
from pathlib import Path
from shutil import copytree
from urllib.parse import urlsplit

import pytest

from tests.support.command_rules import values_of
from tests.support.helm import render
from tests.support.kserve_examples import documents, pods, predictor_of
from tests.support.markdown_blocks import ROOT
from tests.support.shell_commands import commands

README = ROOT / "README.md"
TEXTS = [command.text for command in commands(README) if not command.inline]
SEDS = [text for text in TEXTS if text.startswith("sed ")]
SERVICES = documents("README")
LOGGER = next(predictor_of(one)["logger"] for one in SERVICES if "logger" in predictor_of(one))


def words_of(start: str) -> list[str]:
    """The words of the README's command with this beginning."""
    return next(shlex.split(text) for text in TEXTS if text.startswith(start))


CONFIG_MAP = words_of("kubectl create configmap")[3]
FILES = [word.split("=")[1] for word in words_of("kubectl create configmap") if word.startswith("--from-file=")]


def test_the_logger_blocks_have_the_address_of_the_chart() -> None:
    """The Service that the README's `helm install` creates, and the URL that the chart's notes print."""
    words = words_of("helm install")
    release = render(values_of(words, README), words[2], "default")
    service = release.one("Service", words[2])
    host = f"{service['metadata']['name']}.default.svc.cluster.local"
    others = [predictor_of(one)["logger"] for one in documents("logger") if "logger" in predictor_of(one)]

    assert {host} == {urlsplit(one["url"]).hostname for one in (LOGGER, *others)}
    assert LOGGER["url"].rstrip("/") in release.notes


def test_the_chart_mounts_the_references_of_the_first_step() -> None:
    """The ConfigMap's name, and the image that was pushed."""
    values = values_of(words_of("helm install"), README)
    pushed = words_of("docker push")[2]

    assert CONFIG_MAP == values["references"]["existingConfigMap"]
    assert pushed == words_of("docker build")[3]
    assert values["image"]["repository"] == pushed.rpartition(":")[0]


def test_the_logger_is_scraped_and_has_alerts() -> None:
    """The README's logger has a ServiceMonitor and the rules, both with the label of kube-prometheus-stack."""
    words = words_of("helm install driftgauge-logger")
    alone = values_of(words_of("helm install driftgauge "), README)
    release = render(values_of(words, README), words[2], "default")
    found = [release.one(kind) for kind in ("ServiceMonitor", "PrometheusRule")]

    assert [alone["monitoring"]["release"]] * 2 == [one["metadata"]["labels"]["release"] for one in found]
    assert {"enabled": False} == alone["logger"]


@pytest.mark.parametrize("line", SEDS)
def test_the_manifests_get_the_image_that_was_pushed(line: str, tmp_path: Path) -> None:
    """The README's sed gives the sidecar of its manifest the image, as it would that of every other manifest."""
    examples = tmp_path / "examples" / "kserve"
    copytree(ROOT / "examples" / "kserve", examples)
    named, copy = re.findall(r"(\S+\.yaml) > (\S+)$", line)[0]
    others = [line.replace(named, str(path)).replace(copy, f"{path.stem}.copy") for path in examples.glob("*.yaml")]
    for command in (line, *others):
        subprocess.run(["sh", "-c", command], cwd=tmp_path, check=True)
    texts = [path.read_text() for path in (tmp_path / copy, *tmp_path.glob("*.copy"))]
    images = re.findall(r"image: (\S*driftgauge\S*)", "".join(texts))

    assert len(pods()) < len(images)
    assert {words_of("docker push")[2]} == set(images)
    assert (tmp_path / named).read_text() == (ROOT / named).read_text()


def test_the_copies_are_applied() -> None:
    """Each sed writes a copy, which the next `kubectl apply` takes; one for each way with a manifest."""
    copies = [line.rpartition("> ")[2] for line in SEDS]

    assert 2 == len(copies)
    assert copies == [text.rpartition("-f ")[2] for text in TEXTS if text.startswith("kubectl apply")]


def test_the_runtime_gets_the_image_of_the_users_server() -> None:
    """Before the runtime is applied, a command prints the image of the installed one; the text says where it goes."""
    applied = next(number for number, text in enumerate(TEXTS) if text.startswith("kubectl apply"))
    (container, _) = documents("clusterservingruntime")[0]["spec"]["containers"]

    assert any(text.startswith("kubectl get clusterservingruntime kserve-sklearnserver") for text in TEXTS[:applied])
    assert container["image"] in README.read_text()


def test_sidecars_mount_the_references_of_the_first_step() -> None:
    """The ConfigMap's name, and a key of it for the service `wine`, in every example with a reference."""
    volumes = [volume for pod in pods() for volume in pod.spec.get("volumes", [])]
    words = "\n".join(word for pod in pods() for word in pod.sidecar["args"])
    paths = re.findall(r"--reference=/mnt/reference/(\S+)", words)

    assert {CONFIG_MAP} == {volume["configMap"]["name"] for volume in volumes}
    assert set(FILES) == {path.replace("{{.Name}}", "wine") for path in paths}


def test_the_runtime_of_the_service_is_the_one_that_is_applied() -> None:
    """The line `runtime:` names the object of the file before it."""
    (runtime,) = [one for one in documents("clusterservingruntime") if one["kind"] == "ClusterServingRuntime"]
    named = [predictor_of(one)["model"]["runtime"] for one in SERVICES if "model" in predictor_of(one)]

    assert [runtime["metadata"]["name"]] == named
