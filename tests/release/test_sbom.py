"""The bills of materials: every package that is installed or locked, with its version, licence and hashes."""

import json
import re
import subprocess
from email.parser import HeaderParser
from pathlib import Path
from typing import Any

import pytest

from driftgauge import __version__
from tests.support.image import Image, built_image
from tests.support.parts import PARTS

pytestmark = pytest.mark.real_server

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def image() -> Image:
    """The image that `.ci/image` has built."""
    return built_image()


@pytest.fixture(scope="module")
def bills(image: Image, tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """Both bills by name, written in a network namespace that has no interface."""
    if not (PARTS / "tools/bin/cyclonedx-py").exists():
        pytest.skip("cyclonedx-py is missing; `bash .ci/parts tools` installs it")
    folder = tmp_path_factory.mktemp("bills")
    for arguments in (
        ["image", folder / "image.cdx.json", image.root / "opt/driftgauge"],
        ["wheel", folder / "wheel.cdx.json"],
    ):
        command = ["unshare", "--net", "bash", ".ci/sbom", *map(str, arguments)]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=120)
        assert (0, "") == (done.returncode, done.stderr)
    return {name: json.loads((folder / f"{name}.cdx.json").read_text()) for name in ("image", "wheel")}


def normal(name: str) -> str:
    """The name of a package as indexes compare it (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def versions(bill: dict[str, Any]) -> set[tuple[str, str]]:
    """The packages of a bill, by name and version."""
    return {(normal(one["name"]), one["version"]) for one in bill["components"]}


def locked() -> dict[tuple[str, str], set[str]]:
    """The SHA-256 of all files of each package in the runtime lock, by name and version."""
    text = (ROOT / "requirements/runtime.lock").read_text()
    packages = re.findall(r"^([\w.-]+)==([^\s;]+)(.*(?:\n    --hash.*)*)", text, re.MULTILINE)
    return {(normal(name), version): set(re.findall(r"sha256:(\w+)", rest)) for name, version, rest in packages}


@pytest.mark.parametrize("name", ["image", "wheel"])
def test_a_bill_names_the_product(bills: dict[str, dict[str, Any]], name: str) -> None:
    """CycloneDX 1.6, of this version of driftgauge and under its licence."""
    product = bills[name]["metadata"]["component"]

    assert ("CycloneDX", "1.6") == (bills[name]["bomFormat"], bills[name]["specVersion"])
    assert ("driftgauge", __version__) == (product["name"], product["version"])
    assert ["Apache-2.0"] == [one["license"]["id"] for one in product["licenses"]]


def test_the_bill_of_the_image_has_every_package_that_is_installed(
    image: Image, bills: dict[str, dict[str, Any]]
) -> None:
    """No more and no fewer than the image's environment has, in the same versions; the product is not its own part."""
    metadata = [HeaderParser().parsestr(path.read_text()) for path in image.packages.glob("*.dist-info/METADATA")]
    installed = {(normal(one["Name"]), one["Version"]) for one in metadata}

    assert installed - {("driftgauge", __version__)} == versions(bills["image"])


def test_the_image_has_every_locked_package_that_its_python_needs(bills: dict[str, dict[str, Any]]) -> None:
    """What is installed is what is locked; a package that is locked in several versions is there in one of them."""
    assert versions(bills["image"]) <= locked().keys()
    assert {name for name, _ in versions(bills["image"])} == {name for name, _ in locked()}


def test_every_package_of_the_image_has_a_licence(bills: dict[str, dict[str, Any]]) -> None:
    """As an SPDX id or expression, or by the name that the package gives."""
    assert [] == [one["name"] for one in bills["image"]["components"] if not one.get("licenses")]


def test_the_bill_of_the_wheel_has_the_hashes_of_every_locked_file(bills: dict[str, dict[str, Any]]) -> None:
    """Each locked version, with the SHA-256 of all its files."""
    found = {
        (normal(one["name"]), one["version"]): {
            digest["content"]
            for reference in one["externalReferences"]
            for digest in reference.get("hashes", ())
            if digest["alg"] == "SHA-256"
        }
        for one in bills["wheel"]["components"]
    }

    assert locked() == found
