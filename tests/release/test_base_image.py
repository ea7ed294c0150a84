"""The base of the image, and the images that CI uses: named by digest, which one command renews."""

import re
import shutil
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]
FILES = ("Dockerfile", ".ci/push-image", ".github/workflows/ci.yml", ".github/workflows/release.yml")
BASE = re.compile(r"^ARG BASE_IMAGE=(docker\.io/library/python:3\.11-slim-\w+)@(sha256:[0-9a-f]{64})$", re.MULTILINE)
IMAGE = re.compile(r"(docker\.io/[\w/-]+:[\w.-]+)@(sha256:[0-9a-f]{64})")
OTHER = "sha256:" + "0" * 63 + "1"


def texts(folder: Path) -> dict[str, str]:
    """The files that name images."""
    return {name: (folder / name).read_text() for name in FILES}


def digests() -> dict[str, str]:
    """Image with its tag -> digest, as the repository has them."""
    return dict(IMAGE.findall("\n".join(texts(ROOT).values())))


def renew(folder: Path, registry: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Run the command in a copy of its files; the only client on PATH is a `crane` that knows `registry`."""
    for name in (".ci/base-digest", *FILES):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, folder / name)
    programs = folder / "bin"
    programs.mkdir()
    for name in ("bash", "dirname", "grep", "sed"):
        (programs / name).symlink_to(shutil.which(name) or name)
    known = "\n".join(f"  {tag}) echo '{printed}' ;;" for tag, printed in registry.items())
    (programs / "crane").write_text(f"#!{shutil.which('bash')}\ncase $2 in\n{known}\n  *) exit 1 ;;\nesac\n")
    (programs / "crane").chmod(0o755)
    command = ["bash", ".ci/base-digest"]
    env = {"PATH": str(programs)}
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=60, env=env)


def test_the_base_is_named_by_digest_once() -> None:
    """Both stages take it from the one argument, unless another image is named that has a compiler."""
    text = (ROOT / "Dockerfile").read_text()

    assert 1 == len(BASE.findall(text))
    assert "ARG BUILD_IMAGE=${BASE_IMAGE}\n" in text
    assert {"${BASE_IMAGE}", "${BUILD_IMAGE}"} == set(re.findall(r"^FROM (\S+)", text, re.MULTILINE))


def test_the_command_writes_the_digests_of_the_registry(tmp_path: Path) -> None:
    """Only the digests change, and each file stays as executable as it was."""
    done = renew(tmp_path, dict.fromkeys(digests(), OTHER))

    assert (0, "") == (done.returncode, done.stderr)
    assert {name: IMAGE.sub(rf"\1@{OTHER}", text) for name, text in texts(ROOT).items()} == texts(tmp_path)
    assert [(ROOT / name).stat().st_mode for name in FILES] == [(tmp_path / name).stat().st_mode for name in FILES]


def test_one_image_is_renewed_without_the_others(tmp_path: Path) -> None:
    """The digest of the base is new, the others are the newest."""
    [(base, old)] = BASE.findall((ROOT / "Dockerfile").read_text())
    done = renew(tmp_path, digests() | {base: OTHER})

    assert len(digests()) - 1 == done.stdout.count("is the newest")
    assert {name: text.replace(old, OTHER) for name, text in texts(ROOT).items()} == texts(tmp_path)


def test_digests_that_are_the_newest_stay(tmp_path: Path) -> None:
    """The command says so for each image and writes nothing."""
    done = renew(tmp_path, digests())

    assert 4 == len(digests()) == done.stdout.count("is the newest")
    assert texts(ROOT) == texts(tmp_path)


def test_what_is_no_digest_is_not_written(tmp_path: Path) -> None:
    """An error page or an empty response ends the command with 1."""
    done = renew(tmp_path, dict.fromkeys(digests(), "<html>"))

    assert 1 == done.returncode
    assert "no digest" in done.stderr
    assert texts(ROOT) == texts(tmp_path)
