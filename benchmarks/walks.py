"""Counts the files and functions that four walks through the code pass: `python -m benchmarks.walks`.

A walk is run, not read: the real command serves one message (or evaluates one window, or loads one file) while every
call of a function of the package is recorded. docs/architecture.md describes the walks and has the figures.

    request     one V1 request through the proxy: data port -> response -> ring, the first one and the second
    event       one CloudEvent of KServe's agent to the logger: data port -> ring, the first one and the second
    window      one evaluation of 300 rows of three features and a scrape: ring -> report -> text of /metrics
    file        one CSV file -> sorted columns

`--list` prints each file in the order in which the walk reaches it, with its functions. `--package NAME` counts another
package of the same command line, such as one of an earlier version that PYTHONPATH names.
"""

import argparse
import importlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import FrameType
from typing import Any

from tests.support.ports import free_port

WALKS = ("request", "event", "window", "file")
"""Each runs in a process of its own."""

_PAUSE_SECONDS = 0.5
"""Within this time all that a message caused is done: rows are flushed to the ring after 50 ms."""

_EVENT_HEADERS = {
    "ce-specversion": "1.0",
    "ce-source": "http://localhost:9081/",
    "ce-type": "org.kubeflow.serving.inference.request",
    "ce-time": "2026-11-28T10:00:00.25Z",
    "ce-inferenceservicename": "wine",
    "ce-namespace": "default",
    "ce-component": "predictor",
    "ce-endpoint": "",
}


@dataclass(slots=True)
class Walk:
    """What one walk passed.

    Args:
        name: What was walked.
        functions: `file:function` in the order of the first call.
        calls: How many calls there were in all.
    """

    name: str
    functions: list[str] = field(default_factory=list)
    calls: int = 0

    @property
    def files(self) -> list[str]:
        """The files, in the order in which they were reached."""
        return list(dict.fromkeys(one.partition(":")[0] for one in self.functions))


class Recorder:
    """Records calls of functions below a folder, in every thread that starts after it.

    Args:
        folder: Of the package.
    """

    def __init__(self, folder: Path) -> None:
        self._prefix = f"{folder}/"
        self._walk: Walk | None = None
        self._seen: set[str] = set()

    def install(self) -> None:
        """Watch this thread and all later ones."""
        threading.setprofile(self._profile)
        sys.setprofile(self._profile)

    @staticmethod
    def uninstall() -> None:
        """Watch no longer."""
        threading.setprofile(None)
        sys.setprofile(None)

    def record(self, name: str, work: Callable[[], object]) -> Walk:
        """Run `work`, and record what it calls and causes."""
        self._seen.clear()
        self._walk = walk = Walk(name)
        work()
        self._walk = None
        return walk

    def _profile(self, frame: FrameType, event: str, _: object) -> None:
        walk, code = self._walk, frame.f_code
        if walk is None or event != "call" or not code.co_filename.startswith(self._prefix):
            return
        walk.calls += 1
        if code.co_name.startswith("<"):  # comprehensions, lambdas and generator expressions are part of their function
            return
        name = f"{code.co_filename.removeprefix(self._prefix)}:{code.co_qualname}"
        if name not in self._seen:
            self._seen.add(name)
            walk.functions.append(name)


class _Model(BaseHTTPRequestHandler):
    """A model server with one response."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        """Predict one number for each row."""
        rows = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["instances"]
        body = json.dumps({"predictions": [1.5] * len(rows)}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 the library's signature
        """Write nothing."""


def main() -> int:
    """Print the table, or one walk as JSON."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("--package", default="driftgauge")
    parser.add_argument("--list", action="store_true", help="also print the files and functions of each walk")
    parser.add_argument("--walk", choices=WALKS, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.walk:
        sys.stdout.write(json.dumps([asdict(walk) for walk in _run(arguments.walk, arguments.package)]) + "\n")
        return 0
    walks = [walk for name in WALKS for walk in run_in_a_process(name, arguments.package)]
    sys.stdout.write("| walk | files | functions | calls |\n|---|---:|---:|---:|\n")
    for walk in walks:
        sys.stdout.write(f"| {walk.name} | {len(walk.files)} | {len(walk.functions)} | {walk.calls:,} |\n")
    if arguments.list:
        for walk in walks:
            sys.stdout.write(f"\n{walk.name}\n")
            for file in walk.files:
                names = [one.partition(":")[2] for one in walk.functions if one.startswith(f"{file}:")]
                sys.stdout.write(f"  {file}: {', '.join(names)}\n")
    return 0


def run_in_a_process(name: str, package: str) -> list[Walk]:
    """The walks of one name, each counted in the same new process."""
    argv = [sys.executable, "-m", "benchmarks.walks", "--walk", name, "--package", package]
    done = subprocess.run(argv, check=True, stdout=subprocess.PIPE, text=True)  # noqa: S603 - itself
    return [Walk(**one) for one in json.loads(done.stdout.splitlines()[-1])]


def _run(name: str, package: str) -> Iterator[Walk]:
    folder = Path(str(importlib.import_module(package).__file__)).parent
    recorder = Recorder(folder)
    with tempfile.TemporaryDirectory() as scratch:
        reference = Path(scratch) / "reference.csv"
        lines = [f"{number * 0.37 % 11:.2f},{number * 0.73 % 7:.2f},{number * 1.19 % 13:.2f}" for number in range(500)]
        reference.write_text("\n".join(["a,b,c", *lines]) + "\n")
        if name == "file":
            yield _walk_file(recorder, reference, package)
        else:
            yield from _walk_server(recorder, name, reference, package)


def _walk_file(recorder: Recorder, reference: Path, package: str) -> Walk:
    importlib.import_module(f"{package}.__main__")
    module = "reference.dataset" if package == "driftgauge" else "reference.load"  # the latter in versions before 0.2
    load: Callable[[Path, float], object] = importlib.import_module(f"{package}.{module}").load_reference
    recorder.install()
    walk = recorder.record("file -> sorted columns", lambda: load(reference, 0.0))
    recorder.uninstall()
    return walk


def _walk_server(recorder: Recorder, name: str, reference: Path, package: str) -> Sequence[Walk]:
    """Serve in this thread, where signals arrive, and send from another one."""
    run: Callable[[Sequence[str]], int] = importlib.import_module(f"{package}.__main__").run
    model = ThreadingHTTPServer(("127.0.0.1", 0), _Model)
    threading.Thread(target=model.serve_forever, daemon=True).start()
    port, admin_port = free_port(), free_port()
    walks: list[Walk] = []
    sender = threading.Thread(target=_send, args=(recorder, name, port, admin_port, walks))
    sender.start()
    recorder.install()
    mode = "logger" if name == "event" else "proxy"
    own = ["--upstream-url", f"http://127.0.0.1:{model.server_address[1]}"] if mode == "proxy" else []
    interval = "2" if name == "window" else "3600"
    run(
        [
            *(mode, "--port", str(port), "--admin-port", str(admin_port), "--reference", str(reference), *own),
            *("--evaluation-interval-seconds", interval, "--reference-poll-seconds", "3600", "--min-rows", "10"),
            *("--flush-interval-seconds", "0.05", "--drain-delay-seconds", "0", "--log-level", "error"),
        ]
    )
    recorder.uninstall()
    sender.join()
    return walks


def _send(recorder: Recorder, name: str, port: int, admin_port: int, walks: list[Walk]) -> None:
    try:
        _await_health(admin_port)
        if name == "window":
            _post(port, "/v1/models/wine:predict", 300)
            time.sleep(_PAUSE_SECONDS)
            walks.append(recorder.record("window -> text of /metrics", lambda: _evaluate_and_scrape(admin_port)))
        else:
            path = "/v1/models/wine:predict" if name == "request" else "/"
            for number, which in enumerate(("first", "second")):
                work = lambda number=number: _post_and_wait(port, path, number, is_event=name == "event")  # noqa: E731
                walks.append(recorder.record(f"{name} -> ring, the {which}", work))
    finally:
        os.kill(os.getpid(), signal.SIGTERM)


def _await_health(admin_port: int) -> None:
    for _ in range(200):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{admin_port}/healthz", timeout=2):
                return
        except OSError:
            time.sleep(0.05)
    raise SystemExit("the process did not start")


def _post_and_wait(port: int, path: str, number: int, *, is_event: bool) -> None:
    _post(port, path, 2, {**_EVENT_HEADERS, "ce-id": f"walk-{number}"} if is_event else {})
    time.sleep(_PAUSE_SECONDS)


def _evaluate_and_scrape(admin_port: int) -> None:
    time.sleep(2.5)  # one interval, in which one evaluation falls
    with urllib.request.urlopen(f"http://127.0.0.1:{admin_port}/metrics", timeout=10) as response:
        response.read()


def _post(port: int, path: str, rows: int, headers: dict[str, str] | None = None) -> Any:  # noqa: ANN401 JSON
    instances = [[number * 0.41 % 11, number * 0.77 % 7, number * 1.13 % 13] for number in range(rows)]
    body = json.dumps({"instances": instances}).encode()
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}{path}", body, {"Content-Type": "application/json", **(headers or {})}
    )
    with urllib.request.urlopen(request, timeout=10) as response:  # noqa: S310 - loopback
        return response.read()


if __name__ == "__main__":
    sys.exit(main())
