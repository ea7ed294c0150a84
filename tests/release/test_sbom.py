"""The bills of materials: every package that is installed or locked, with its version, licence and hashes."""

import json
import re
import subprocess
from collections.abc import Iterator
from email.parser import HeaderParser
from pathlib import Path
from typing import Any

import pytest
from packaging.markers import Marker

from driftgauge import __version__
from tests.support.image import Image, built_image
from tests.support.parts import PARTS

pytestmark = pytest.mark.real_server

ROOT = Path(__file__).parents[2]

Bill = dict[str, Any]
"""A bill of materials in CycloneDX's JSON."""


@pytest.fixture(scope="module")
def image() -> Image:
    """The image that `.ci/image` has built."""
    return built_image()


@pytest.fixture(scope="module")
def image_bill(image: Image, tmp_path_factory: pytest.TempPathFactory) -> Bill:
    """The bill of what is installed in the image."""
    return write_bill("image", tmp_path_factory.mktemp("bill"), str(image.root / "opt/driftgauge"))


@pytest.fixture(scope="module")
def wheel_bill(tmp_path_factory: pytest.TempPathFactory) -> Bill:
    """The bill of what the wheel is tested with."""
    return write_bill("wheel", tmp_path_factory.mktemp("bill"))


def write_bill(kind: str, folder: Path, *environment: str) -> Bill:
    """Write a bill in a network namespace that has no interface, and read it; skips the test if the tool is missing."""
    if not (PARTS / "tools/bin/cyclonedx-py").exists():
        pytest.skip("cyclonedx-py is missing; `bash .ci/parts tools` installs it")
    file = folder / f"{kind}.cdx.json"
    command = ["unshare", "--net", "bash", ".ci/sbom", kind, str(file), *environment]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=120)
    assert (0, "") == (done.returncode, done.stderr)
    bill: Bill = json.loads(file.read_text())
    return bill


def normal(name: str) -> str:
    """The name of a package as indexes compare it (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def versions(bill: Bill) -> set[tuple[str, str]]:
    """The packages of a bill, by name and version."""
    return {(normal(one["name"]), one["version"]) for one in bill["components"]}


def locked() -> dict[tuple[str, str], set[str]]:
    """The SHA-256 of all files of each package in the runtime lock, by name and version."""
    return {package: hashes for package, _, hashes in lock_entries()}


def lock_entries() -> Iterator[tuple[tuple[str, str], str, set[str]]]:
    """The entries of the runtime lock: name and version, the condition under which it is installed, and its hashes."""
    text = (ROOT / "requirements/runtime.lock").read_text()
    for name, version, rest in re.findall(r"^([\w.-]+)==([^\s;]+)(.*(?:\n    --hash.*)*)", text, re.MULTILINE):
        condition = rest.partition("\n")[0].strip(" ;\\")
        yield (normal(name), version), condition, set(re.findall(r"sha256:(\w+)", rest))


@pytest.mark.parametrize("name", ["image_bill", "wheel_bill"])
def test_a_bill_names_the_product(request: pytest.FixtureRequest, name: str) -> None:
    """CycloneDX 1.6, of this version of driftgauge and under its licence."""
    bill: Bill = request.getfixturevalue(name)
    product = bill["metadata"]["component"]

    assert ("CycloneDX", "1.6") == (bill["bomFormat"], bill["specVersion"])
    assert ("driftgauge", __version__) == (product["name"], product["version"])
    assert ["Apache-2.0"] == [one["license"]["id"] for one in product["licenses"]]


def test_the_bill_of_the_image_has_every_package_that_is_installed(image: Image, image_bill: Bill) -> None:
    """No more and no fewer than the image's environment has, in the same versions; the product is not its own part."""
    metadata = [HeaderParser().parsestr(path.read_text()) for path in image.packages.glob("*.dist-info/METADATA")]
    installed = {(normal(one["Name"]), one["Version"]) for one in metadata}

    assert installed - {("driftgauge", __version__)} == versions(image_bill)


def test_the_image_has_every_locked_package_that_its_python_needs(image: Image, image_bill: Bill) -> None:
    """In the version that is locked for the image's Python, and nothing else."""
    [python] = re.findall(r"^version = (.*)$", (image.root / "opt/driftgauge/pyvenv.cfg").read_text(), re.MULTILINE)
    of_image = {"python_full_version": python, "python_version": ".".join(python.split(".")[:2])}
    needed = {
        package for package, condition, _ in lock_entries() if not condition or Marker(condition).evaluate(of_image)
    }

    assert needed == versions(image_bill)


def test_every_package_of_the_image_has_a_licence(image_bill: Bill) -> None:
    """As an SPDX id or expression, or by the name that the package gives."""
    assert [] == [one["name"] for one in image_bill["components"] if not one.get("licenses")]


def test_the_bill_of_the_wheel_has_the_hashes_of_every_locked_file(wheel_bill: Bill) -> None:
    """Each locked version, with the SHA-256 of all its files."""
    found = {
        (normal(one["name"]), one["version"]): {
            digest["content"]
            for reference in one["externalReferences"]
            for digest in reference.get("hashes", ())
            if digest["alg"] == "SHA-256"
        }
        for one in wheel_bill["components"]
    }

    assert locked() == found
