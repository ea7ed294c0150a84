"""Real programs as child processes of a test: started on free ports, awaited, stopped by their own process id."""

import contextlib
import http.client
import os
import signal
import socket
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.error import HTTPError

from driftgauge.config.environment import FALLBACKS
from tests.support.ports import free_port
from tests.support.scrape import Samples
from tests.support.waiting import wait_until

_ROOT = Path(__file__).parents[2]
_END_SECONDS = 30


def get(url: str, timeout_seconds: float = 10) -> bytes:
    """GET; returns the body of a response with a status code below 400.

    Raises:
        OSError: No response, or one with another status code.
    """
    try:
        with urllib.request.urlopen(url, timeout=timeout_seconds) as response:  # noqa: S310 - loopback only
            body: bytes = response.read()
            return body
    except HTTPError as error:
        error.close()
        raise
    except http.client.HTTPException as error:
        raise ConnectionError(f"{url} sent an incomplete response") from error


class Child:
    """A program that runs until the `with` block ends.

    Args:
        argv: The program and its arguments.
        env: Variables in addition to those of this process.
        cwd: Its working directory; by default the root of the repository.
        hidden: Variables of this process that the child must not get.
    """

    def __init__(
        self,
        argv: Sequence[str | Path],
        env: Mapping[str, str] | None = None,
        cwd: Path = _ROOT,
        hidden: Sequence[str] = (),
    ) -> None:
        self._argv = [str(word) for word in argv]
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 - open as long as the child runs, closed in __exit__
        self._process = subprocess.Popen(
            self._argv,
            cwd=cwd,
            env={name: value for name, value in os.environ.items() if name not in hidden} | dict(env or {}),
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=subprocess.STDOUT,
        )

    def __enter__(self) -> Self:
        """Return the running child."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop the child if it still runs; its output becomes a note of a failed test (not of a skipped one)."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.terminate()
        self.kill()
        if isinstance(error, Exception):
            error.add_note(f"{' '.join(self._argv)} wrote:\n{self.stderr[-4000:]}")
        self._log.close()

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    @property
    def stderr(self) -> str:
        """Its output so far, of standard output and standard error."""
        size = os.fstat(self._log.fileno()).st_size
        return os.pread(self._log.fileno(), size, 0).decode(errors="replace")

    def exit_code(self) -> int | None:
        """The exit code, or `None` while it runs."""
        return self._process.poll()

    def await_response(self, url: str, deadline_seconds: float = 30) -> None:
        """Wait until a GET of `url` succeeds.

        Raises:
            RuntimeError: The child has ended.
            TimeoutError: After the deadline.
        """

        def responds() -> bool:
            self._require_running()
            get(url)
            return True

        wait_until(responds, f"a response of {url}", deadline_seconds)

    def await_port(self, port: int, deadline_seconds: float = 30) -> None:
        """Wait until something listens on a port of the loopback address.

        Raises:
            RuntimeError: The child has ended.
            TimeoutError: After the deadline.
        """

        def accepts() -> bool:
            self._require_running()
            socket.create_connection(("127.0.0.1", port), timeout=5).close()
            return True

        wait_until(accepts, f"a listener on port {port}", deadline_seconds)

    def _require_running(self) -> None:
        if self.exit_code() is not None:
            raise RuntimeError(f"{self._argv} ended with {self.exit_code()}:\n{self.stderr}")

    def wait(self, deadline_seconds: float = _END_SECONDS) -> int:
        """Wait until it ends by itself; returns the exit code."""
        return self._process.wait(deadline_seconds)

    def terminate(self, deadline_seconds: float = _END_SECONDS) -> int:
        """Send SIGTERM; returns the exit code, which is negative if a signal ended the child.

        Raises:
            subprocess.TimeoutExpired: It did not end in time.
        """
        self._process.terminate()
        return self.wait(deadline_seconds)

    def signal(self, number: signal.Signals) -> None:
        """Send a signal, and return at once."""
        self._process.send_signal(number)

    def kill(self) -> None:
        """Kill it if it still runs."""
        self._process.kill()
        self._process.wait()


class Driftgauge(Child):
    """driftgauge as a child process, on free ports that are both open when the `with` block begins.

    Args:
        mode: `proxy` or `logger`.
        flags: More flags of the command line. The ports are chosen here, and the drain delay is 0 unless a flag
            sets it.
        env: Variables in addition to those of this process.
    """

    def __init__(self, mode: str, *flags: str | Path, env: Mapping[str, str] | None = None) -> None:
        self.port, self.admin_port = free_port(), free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.admin_url = f"http://127.0.0.1:{self.admin_port}"
        ports = ("--port", str(self.port), "--admin-port", str(self.admin_port))
        argv = [sys.executable, "-m", "driftgauge", mode, *ports, *flags]
        own = {"DRIFTGAUGE_DRAIN_DELAY_SECONDS": "0"} | dict(env or {})
        # Only flags and `env` are options of the process under test, not the variables of this process.
        hidden = [name for name in os.environ if name.startswith("DRIFTGAUGE_")]
        super().__init__(argv, own, hidden=[*hidden, *FALLBACKS.values()])

    def __enter__(self) -> Self:
        """Wait until `/healthz` succeeds and the data port is open; returns the child."""
        try:
            self.await_response(f"{self.admin_url}/healthz")
            self.await_port(self.port)
        except BaseException as error:
            self.__exit__(type(error), error, None)
            raise
        return self

    def metrics(self) -> Samples:
        """Scrape now; returns the samples."""
        return Samples.parse(get(f"{self.admin_url}/metrics").decode())

    def wait_for(
        self,
        condition: Callable[[Samples], bool],
        what: str,
        deadline_seconds: float = 30,
    ) -> Samples:
        """Scrape until a condition is true; returns the samples.

        Raises:
            TimeoutError: After the deadline; it names `what`.
        """

        def probe() -> Samples | None:
            samples = self.metrics()
            return samples if condition(samples) else None

        return wait_until(probe, what, deadline_seconds)
