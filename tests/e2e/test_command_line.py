"""The command as a person types it: sentences, exit codes, nothing half-started."""

import contextlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.ports import free_port
from tests.support.processes import Child, Driftgauge
from tests.support.waiting import wait_until


def driftgauge(*words: str | Path, **env: str) -> subprocess.CompletedProcess[str]:
    """Run the command to its end."""
    return subprocess.run(
        [sys.executable, "-m", "driftgauge", *map(str, words)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={**os.environ, **env},
    )


@pytest.mark.parametrize("mode", ["proxy", "logger"])
def test_wrong_options_are_listed_all_at_once_and_nothing_starts(mode: str) -> None:
    """One line for each fault, exit code 2."""
    done = driftgauge(mode, "--alpha=7", "--window-rows=none", "--nope", DRIFTGAUGE_PROT="1")

    assert done.returncode == 2
    assert ["--nope", "DRIFTGAUGE_PROT", "window_rows", "alpha"] == [
        line.removeprefix("driftgauge: ").split(":")[0] for line in done.stderr.splitlines()
    ]


def test_no_command_shows_the_usage() -> None:
    """Exit code 2."""
    done = driftgauge()

    assert done.returncode == 2
    assert "COMMAND" in done.stderr


def test_an_option_that_only_the_other_mode_has_is_unknown() -> None:
    """A flag that does nothing would be a lie."""
    done = driftgauge("logger", "--upstream-url=http://127.0.0.1:1")

    assert done.returncode == 2
    assert "--upstream-url: unknown option of driftgauge logger" in done.stderr


def test_a_port_that_is_in_use_is_reported() -> None:
    """One sentence that names the option, exit code 2."""
    with Driftgauge("logger", "--drain-delay-seconds=0") as logger:
        data = driftgauge("logger", f"--port={logger.port}", f"--admin-port={free_port()}")
        admin = driftgauge("logger", f"--port={free_port()}", f"--admin-port={logger.admin_port}")

    assert (2, 2) == (data.returncode, admin.returncode)
    assert "driftgauge: port: cannot listen" in data.stderr
    assert "driftgauge: admin_port: cannot listen" in admin.stderr


def test_the_exit_code_of_the_health_check() -> None:
    """0 while the process lives, 1 when nothing listens, also when the port comes from the environment."""
    with Driftgauge("logger", "--drain-delay-seconds=0") as logger:
        port = str(logger.admin_port)
        by_flag = driftgauge("healthcheck", "--admin-port", port)
        by_environment = driftgauge("healthcheck", DRIFTGAUGE_ADMIN_PORT=port)
    gone = driftgauge("healthcheck", "--admin-port", port)

    assert (0, 0, 1) == (by_flag.returncode, by_environment.returncode, gone.returncode)


def test_the_health_check_finds_a_process_that_listens_on_ipv6_alone() -> None:
    """With `host: "::"` nothing listens on 127.0.0.1."""
    port = str(free_port())
    flags = ("--host=::1", f"--port={free_port()}", f"--admin-port={port}", "--drain-delay-seconds=0")
    with Child([sys.executable, "-m", "driftgauge", "logger", *flags]):
        wait_until(lambda: driftgauge("healthcheck", "--admin-port", port).returncode == 0 or None, "a healthy process")


def test_the_version_is_printed() -> None:
    """One line."""
    assert driftgauge("--version").stdout.startswith("driftgauge ")


@pytest.mark.parametrize(
    ("window", "code", "words"),
    [
        ("alcohol\n" + "9.5\n10.5\n" * 100, 0, "No drift"),
        ("alcohol\n" + "12.5\n13.5\n" * 100, 1, "alcohol"),
        ("ph\n3\n", 2, "alcohol"),
        ("", 2, "empty"),
    ],
)
def test_the_exit_code_of_check(tmp_path: Path, window: str, code: int, words: str) -> None:
    """0 no drift, 1 drift, 2 cannot tell."""
    (tmp_path / "reference.csv").write_text("alcohol\n" + "9.5\n10.5\n" * 100)
    (tmp_path / "window.csv").write_text(window)

    done = driftgauge("check", tmp_path / "reference.csv", tmp_path / "window.csv")

    assert done.returncode == code
    assert words in done.stdout + done.stderr


@pytest.mark.parametrize("header", ["n" * 200_000, ",".join(f"{'n' * 70}{number}" for number in range(2_000))])
def test_check_of_a_wide_header_is_no_traceback(tmp_path: Path, header: str) -> None:
    """A header that csv's own limit refuses, or nearly so: a sentence and 2, never 1, which says drift."""
    (tmp_path / "reference.csv").write_text(f"{header}\n1\n")

    done = driftgauge("check", tmp_path / "reference.csv", tmp_path / "reference.csv")

    assert done.returncode == 2
    assert done.stderr.startswith(f"{tmp_path / 'reference.csv'}: line ")


def test_check_refuses_a_level_that_is_none(tmp_path: Path) -> None:
    """A significance level lies between 0 and 1."""
    done = driftgauge("check", tmp_path / "a.csv", tmp_path / "b.csv", "--alpha=5")

    assert done.returncode == 2
    assert "alpha: must be between 0 and 1" in done.stderr


def test_check_refuses_to_write_a_page_to_a_terminal(tmp_path: Path) -> None:
    """One sentence that names -o, exit code 2, nothing on the terminal."""
    (tmp_path / "a.csv").write_text("alcohol\n" + "9.5\n10.5\n" * 100)
    controller, terminal = os.openpty()
    try:
        done = subprocess.run(
            [sys.executable, "-m", "driftgauge", "check", tmp_path / "a.csv", tmp_path / "a.csv", "--format", "html"],
            stdout=terminal,
            stderr=subprocess.PIPE,
            text=True,
            timeout=60,
            check=False,
        )
    finally:
        os.close(terminal)
        os.close(controller)

    assert 2 == done.returncode
    sentence = "format: a page is for a browser, not for a terminal: write it with -o report.html"
    assert f"driftgauge: {sentence}\n" == done.stderr


def read_terminal(controller: int) -> bytes:
    """All that is written to a terminal until its last writer has closed it."""
    shown = b""
    with contextlib.suppress(OSError):  # Linux reports the end as EIO
        while piece := os.read(controller, 65_536):
            shown += piece
    return shown


def test_a_terminal_sees_the_progress_of_a_build(tmp_path: Path) -> None:
    """The steps are shown on standard error while it works, and standard output has the reference alone."""
    (tmp_path / "a.csv").write_text("alcohol\n" + "9.5\n10.5\n" * 50_000)
    controller, terminal = os.openpty()
    argv = [sys.executable, "-m", "driftgauge", "reference", "build", "a.csv", "-o", "a.npz"]
    env = {**os.environ, "TERM": "xterm-256color", "COLUMNS": "100"}
    try:
        with (tmp_path / "out").open("wb") as out:
            child = subprocess.Popen(argv, cwd=tmp_path, stdout=out, stderr=terminal, env=env)
        os.close(terminal)
        shown = read_terminal(controller)
        code = child.wait(60)
    finally:
        os.close(controller)

    assert 0 == code
    assert b"computing the distributions" in shown
    assert b"\x1b" not in (tmp_path / "out").read_bytes()
