"""Services of a compose file as child processes: their files are copied to where the mounts would put them."""

import os
import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from tests.support.parts import program
from tests.support.processes import Child

Tree = dict[str, Any]


def mounts(compose: Path, service: str) -> dict[str, Path]:
    """Absolute path in the container -> file or directory of the repository, for the bind mounts and secrets.

    Args:
        compose: The compose file.
        service: The name of the service.
    """
    tree: Tree = yaml.safe_load(compose.read_text())
    found = {}
    for volume in tree["services"][service].get("volumes", []):
        source, target, *_ = volume.split(":")
        if source.startswith("."):
            found[target] = (compose.parent / source).resolve()
    for secret in tree["services"][service].get("secrets", []):
        source = with_defaults(tree["secrets"][secret]["file"])
        found[f"/run/secrets/{secret}"] = (compose.parent / source).resolve()
    return found


def with_defaults(text: str, environment: Mapping[str, str] = os.environ) -> str:
    """The text with each `${NAME:-default}` replaced, as Compose does."""
    return re.sub(r"\$\{(\w+):-([^}]*)\}", lambda found: environment.get(found[1]) or found[2], text)


class Service(Child):
    """A service of a compose file that runs until the `with` block ends, with its own command and copies of its files.

    Args:
        compose: The compose file.
        service: The name of the service.
        binary: The program to which the image's entry point corresponds.
        directory: Stands for the root of the container's file system.
        replaced: Text -> its replacement, in the command and in all files: other ports, other addresses.
    """

    def __init__(self, compose: Path, service: str, binary: str, directory: Path, replaced: Mapping[str, str]) -> None:
        tree: Tree = yaml.safe_load(compose.read_text())
        targets = mounts(compose, service)
        # Paths of the container become those of the directory, in commands and in files.
        absolute = {target: str(directory) + target for target in targets}
        for target, source in targets.items():
            _copy(source, Path(absolute[target]), {**absolute, **replaced})
        options = [
            re.sub(r"^(--[\w.]+=)(?=/)", rf"\g<1>{directory}", option)
            for option in tree["services"][service]["command"]
        ]
        super().__init__([program(binary), *(_replace(option, replaced) for option in options)])


def _copy(source: Path, target: Path, replaced: Mapping[str, str]) -> None:
    """Copy a file or a directory, with replacements in the files' text."""
    if source.is_dir():
        shutil.copytree(source, target)
    else:
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)
    for path in (one for one in [target, *target.rglob("*")] if one.is_file()):
        path.write_text(_replace(path.read_text(), replaced))


def _replace(text: str, replaced: Mapping[str, str]) -> str:
    """The text with all replacements."""
    for old, new in replaced.items():
        text = text.replace(old, new)
    return text
