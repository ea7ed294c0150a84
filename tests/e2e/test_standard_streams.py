"""Commands whose output goes nowhere keep their exit code."""

import subprocess
import sys
from pathlib import Path

import pytest

CHECK = "check one.csv one.csv"
COMMANDS = (CHECK, f"{CHECK} --format json", "options", "reference show one.csv", "completion bash")


def shell(command: str, folder: Path) -> tuple[int, str]:
    """Run a line of bash beside a file that has not drifted; the exit code of its first command, and the errors."""
    (folder / "one.csv").write_text("a\n" + "".join(f"{number}\n" for number in range(300)))
    line = f'driftgauge() {{ {sys.executable} -m driftgauge "$@"; }}; {command}; exit ${{PIPESTATUS[0]}}'
    done = subprocess.run(["bash", "-c", line], cwd=folder, capture_output=True, text=True, timeout=60, check=False)
    return done.returncode, done.stderr


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("end", ["| true", ">&-", "2>&1 | true", ">&- 2>&-"])
def test_a_reader_that_has_gone_changes_nothing(command: str, end: str, tmp_path: Path) -> None:
    """The exit code is that of the command, and nothing is printed."""
    assert shell(f"driftgauge {command} {end}", tmp_path) == (0, "")


def test_a_full_disk_is_reported(tmp_path: Path) -> None:
    """Exit code 2, and a sentence that says that the report could not be written."""
    code, errors = shell(f"driftgauge {CHECK} >/dev/full", tmp_path)

    assert code == 2
    assert "cannot write" in errors
    assert "cannot test" not in errors
