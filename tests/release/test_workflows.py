"""The workflows and the scripts that they run: valid, pinned, with few permissions, and bound to no registry."""

import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.parts import PARTS

ROOT = Path(__file__).parents[2]
WORKFLOWS = sorted((ROOT / ".github/workflows").glob("*.yml"))
SCRIPTS = [path for path in sorted((ROOT / ".ci").iterdir()) if path.is_file()]

each_workflow = pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)


def linter(name: str, part: str = "linters") -> str:
    """The path of a linter; skips the test if there is none."""
    path = PARTS / part / ("bin" if part == "linters" else "") / name
    if not path.exists():
        pytest.skip(f"{path} is missing; `bash .ci/parts {part}` installs it")
    return str(path)


def run(*command: str, **env: str) -> subprocess.CompletedProcess[str]:
    """Run a command in the root of the repository to its end."""
    environment = {**os.environ, **env}
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=120, env=environment)


def workflow(path: Path) -> dict[str, Any]:
    """A workflow; YAML 1.1 reads its key `on` as True."""
    read: dict[str, Any] = yaml.safe_load(path.read_text())
    return read


def steps(path: Path) -> dict[str, dict[str, Any]]:
    """The named steps of all jobs."""
    jobs = workflow(path)["jobs"].values()
    return {step["name"]: step for job in jobs for step in job.get("steps", ()) if "name" in step}


@each_workflow
def test_the_schema_of_github_accepts_a_workflow(path: Path) -> None:
    """The schema comes with check-jsonschema."""
    done = run(linter("check-jsonschema"), "--builtin-schema", "vendor.github-workflows", str(path))

    assert 0 == done.returncode, done.stdout + done.stderr


def test_the_schema_of_github_accepts_what_renews_the_actions() -> None:
    """Dependabot's settings, by the schema that comes with check-jsonschema; zizmor finds no weakness in them."""
    settings = ".github/dependabot.yml"
    schema = run(linter("check-jsonschema"), "--builtin-schema", "vendor.dependabot", settings)
    weakness = run(linter("zizmor"), "--offline", "--no-progress", settings)

    assert (0, 0) == (schema.returncode, weakness.returncode), schema.stdout + weakness.stdout


@each_workflow
def test_actionlint_finds_nothing(path: Path) -> None:
    """Expressions, contexts, names of runners, and the shell of each step by shellcheck."""
    done = run(linter("actionlint", "programs"), "-shellcheck", linter("shellcheck"), "-no-color", str(path))

    assert (0, "") == (done.returncode, done.stdout), done.stderr


@each_workflow
def test_zizmor_finds_no_weakness(path: Path) -> None:
    """Injected templates, kept credentials, excessive permissions and the like."""
    done = run(linter("zizmor"), "--offline", "--no-progress", str(path))

    assert 0 == done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize("path", [*SCRIPTS, ROOT / "sidecar/healthcheck.sh"], ids=lambda path: path.name)
def test_shellcheck_finds_nothing_in_a_script(path: Path) -> None:
    """Every script of CI, and the one in the image."""
    done = run(linter("shellcheck"), str(path))

    assert (0, "") == (done.returncode, done.stdout)


@each_workflow
def test_actions_are_pinned_by_commit(path: Path) -> None:
    """With the version as a comment; the only other thing that is used is a workflow of this repository."""
    used = re.findall(r"uses: (.*)", path.read_text())
    pinned = re.compile(r"[\w-]+/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$|\./\.github/workflows/ci\.yml\b")

    assert used
    assert [] == [one for one in used if not pinned.match(one)]


def test_images_are_pinned_by_digest() -> None:
    """The one that the checks run in, BuildKit, the scanner of packages, and the base."""
    text = "\n".join(path.read_text() for path in [*WORKFLOWS, *SCRIPTS, ROOT / "Dockerfile"])
    named = re.findall(r"docker\.io/([\w/-]+)(?::[\w.-]+)(@sha256:[0-9a-f]{64})?", text)

    assert {"library/golang", "moby/buildkit", "docker/buildkit-syft-scanner", "library/python"} == {
        one for one, _ in named
    }
    assert [] == [one for one, digest in named if not digest]


def test_nothing_builds_with_an_image_that_is_not_named() -> None:
    """Docker would take BuildKit and its scanner by tags of its own."""
    build = steps(ROOT / ".github/workflows/release.yml")["Build the images"]
    commands = "\n".join(path.read_text() for path in [*WORKFLOWS, *SCRIPTS])

    assert build["env"]["BUILDKIT"].startswith("docker.io/moby/buildkit:")
    assert re.findall("buildx create .*", commands) == re.findall("buildx create .*image=[$]BUILDKIT.*", build["run"])
    assert "--sbom" not in commands
    assert "scanner=docker.io/docker/buildkit-syft-scanner:" in commands
    assert '"type=sbom,generator=$scanner"' in commands


def test_only_two_jobs_may_do_more_than_read() -> None:
    """Signing needs an identity, and the release of GitHub the right to write."""
    more = {
        (path.name, name): {scope for scope, access in job.get("permissions", {}).items() if access != "read"}
        for path in WORKFLOWS
        for name, job in workflow(path)["jobs"].items()
    }

    assert all({"contents": "read"} == workflow(path)["permissions"] for path in WORKFLOWS)
    assert {
        ("release.yml", "publish"): {"id-token"},
        ("release.yml", "github-release"): {"contents"},
    } == {job: scopes for job, scopes in more.items() if scopes}


@each_workflow
def test_every_job_has_a_time_limit(path: Path) -> None:
    """Also, a second run for the same ref waits for the first, or replaces it."""
    read = workflow(path)

    assert "group" in read["concurrency"]
    assert [] == [name for name, job in read["jobs"].items() if "uses" not in job and "timeout-minutes" not in job]


def test_the_image_is_built_and_tested_on_both_architectures_before_anything_is_published() -> None:
    """On runners of that architecture, after all checks."""
    jobs = workflow(ROOT / ".github/workflows/release.yml")["jobs"]
    built = {one["architecture"] for one in jobs["image"]["strategy"]["matrix"]["include"]}

    assert {"amd64", "arm64"} == built
    assert "checks" in jobs["image"]["needs"]
    assert "image" in jobs["publish"]["needs"]


def test_a_release_without_a_registry_stops_with_one_sentence() -> None:
    """The step is run as it stands: it fails without the variable and passes with it."""
    script = steps(ROOT / ".github/workflows/release.yml")["Stop if there is no registry"]["run"]
    without, with_one = (
        run("bash", "-eo", "pipefail", "-c", script, REGISTRY=one) for one in ("", "registry.example/team")
    )

    assert (1, 0) == (without.returncode, with_one.returncode)
    assert without.stdout.startswith("::error::Set the repository's variable REGISTRY")
    assert 1 == without.stdout.count("\n")


def test_nothing_names_a_registry_of_ours() -> None:
    """The images that are named are official ones and Docker's own on Docker Hub, which are pulled, not pushed to."""
    text = "\n".join(path.read_text() for path in [*WORKFLOWS, *SCRIPTS, ROOT / "Dockerfile"])

    assert {"docker.io/docker", "docker.io/library", "docker.io/moby"} == set(re.findall(r"docker\.io/\w+", text))
    assert not re.search(r"ghcr\.io|quay\.io|gcr\.io|azurecr\.io|\.dkr\.ecr\.", text)


@each_workflow
def test_every_script_of_a_workflow_exists(path: Path) -> None:
    """Each is named with its path from the root."""
    named = set(re.findall(r"\.ci/[\w-]+", path.read_text()))

    assert named
    assert named <= {f".ci/{one.name}" for one in SCRIPTS}
