"""The progress of an installation, with a program that prints what pip prints."""

import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]

PIP = """\
#!/bin/sh
for number in $(seq 40); do
  echo "Collecting package$number==1.0 (from -r some.lock (line $number))"
  echo "  Downloading package$number-1.0-py3-none-any.whl (30.1 MB)"
done
echo "Requirement already satisfied: package41==1.0 in place"
echo "Installing collected packages: package1, package2"
exit $EXIT_CODE
"""


def install(directory: Path, exit_code: int) -> subprocess.CompletedProcess[str]:
    """Install a lock of 41 packages with a pip that ends with this exit code."""
    pip, lock = directory / "pip", directory / "some.lock"
    pip.write_text(PIP)
    pip.chmod(0o755)
    lock.write_text("".join(f"package{number}==1.0 \\\n    --hash=sha256:00\n" for number in range(1, 42)))
    command: list[str | Path] = ["bash", ROOT / "requirements" / "install", pip, lock]
    return subprocess.run(
        command, env={"PATH": "/usr/bin:/bin", "EXIT_CODE": str(exit_code)}, capture_output=True, text=True, check=False
    )


def test_installation_prints_a_few_lines(tmp_path: Path) -> None:
    """Outside a terminal every twentieth package is a line, and the last line has their number."""
    done = install(tmp_path, exit_code=0)

    assert (0, "") == (done.returncode, done.stderr)
    assert ["  20 of 41 packages", "  40 of 41 packages"] == done.stdout.splitlines()[:-1]
    assert done.stdout.splitlines()[-1].startswith("  41 packages in ")


def test_failed_installation_fails(tmp_path: Path) -> None:
    """The exit code of pip is that of the installation, and no line says that it is complete."""
    done = install(tmp_path, exit_code=3)

    assert (3, "  40 of 41 packages") == (done.returncode, done.stdout.splitlines()[-1])
