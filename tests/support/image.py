"""Runs the built image as Kubernetes' restricted profile does: its own user, a read-only root, no init process.

`.ci/image` unpacks the image. A runtime like runc needs control groups, which a build machine may not have. So
`unshare` makes the namespaces, and the root file system is bound read-only before `chroot`.
"""

import json
import os
import shutil
import signal
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.support.parts import PARTS
from tests.support.processes import Child
from tests.support.waiting import wait_until

_SOURCE = Path(__file__).parents[2] / "sidecar" / "driftgauge"

_ENTER = """
set -e
root=$1 mounted=$2 user=$3
shift 3
mount --bind "$root" "$root"
mount -t proc proc "$root/proc"
mount --bind -o ro "$mounted" "$root/mnt"
mount -o remount,bind,ro "$root"
exec env -i "$@"
"""
"""Prepares the mounts of a new namespace, then executes the command; `$@` begins with the variables."""


@dataclass(frozen=True)
class Image:
    """An unpacked image.

    Args:
        root: The folder with its file system.
        config: Its configuration in Docker's form.
    """

    root: Path
    config: dict[str, Any]

    @property
    def packages(self) -> Path:
        """The folder of packages of its virtual environment."""
        return next((self.root / "opt/driftgauge/lib").glob("python3*/site-packages"))

    def command(self, argv: Sequence[str], mounted: Path, env: Mapping[str, str]) -> list[str]:
        """The command that starts `argv` in the image as its user; `mounted` is at /mnt, read-only."""
        variables = [*self.config["Env"], *(f"{name}={value}" for name, value in env.items())]
        space = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", "-c", _ENTER, "sh"]
        user = self.config["User"]
        root = str(self.root)
        return [*space, root, str(mounted), user, *variables, "chroot", f"--userspec={user}", root, *argv]

    def run(
        self, argv: Sequence[str], mounted: Path, env: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run a command to its end, and capture its output."""
        command = self.command(argv, mounted, env or {})
        return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


def built_image(name: str = "image") -> Image:
    """The image of the code under test; skips if there is none, or if it contains other code.

    Args:
        name: The folder to which `.ci/image` unpacked it: `image` or `image-parquet`.
    """
    root = PARTS / name / "rootfs"
    if not root.is_dir():
        pytest.skip(f"{root} is missing; `bash .ci/image` builds it")
    if os.getuid() != 0 or shutil.which("unshare") is None:
        pytest.skip("running an image needs root, and unshare of util-linux; `sudo make test` runs it")
    config = json.loads((PARTS / name / "config.json").read_text())["Docker"]["config"]
    image = Image(root, config)
    if _code(image.packages / "driftgauge") != _code(_SOURCE):
        pytest.skip(f"{root} contains other code than this checkout; `bash .ci/image` builds it again")
    return image


def _code(package: Path) -> dict[str, bytes]:
    """The text of every module of a package."""
    return {str(path.relative_to(package)): path.read_bytes() for path in package.rglob("*.py")}


class Container(Child):
    """The image's entry point with arguments, as process 1 of a new namespace.

    Args:
        image: The image to run.
        arguments: The arguments after the entry point.
        mounted: The folder that is mounted at /mnt, read-only.
        env: Variables in addition to those of the image.
    """

    def __init__(self, image: Image, arguments: Sequence[str], mounted: Path, env: Mapping[str, str]) -> None:
        super().__init__(image.command([*image.config["Entrypoint"], *arguments], mounted, env))

    @property
    def main_pid(self) -> int:
        """The id of process 1 outside its namespace."""
        children = Path(f"/proc/{self.pid}/task/{self.pid}/children")
        return int(wait_until(children.read_text, "process 1 of the container").split()[0])

    def terminate(self, deadline_seconds: float = 30) -> int:
        """Send SIGTERM to process 1, as a kubelet does; returns the exit code."""
        if self.exit_code() is None:
            os.kill(self.main_pid, signal.SIGTERM)
        return self.wait(deadline_seconds)
