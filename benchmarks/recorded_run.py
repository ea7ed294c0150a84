"""Runs both modes and `check` on fixed input and writes what they show: `python -m benchmarks.recorded_run OUTPUT`.

Two versions of the code show the same if `python -m benchmarks.recorded_run --compare BEFORE AFTER` prints no line
but its last. What differs from run to run is left out: times, durations, ports, paths, memory and the names of loggers.
`--package NAME` and `--root FOLDER` run another version, whose package PYTHONPATH names.
"""

import argparse
import csv
import hashlib
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.error import HTTPError

from tests.support.ports import free_port

_SETTLED_SECONDS = 5.5
"""Two evaluations at an interval of 2 s, after the last row was flushed."""

_VARYING = re.compile(
    r"(process_|python_|request_latency_seconds_(bucket|sum)|driftgauge_proxy_overhead|driftgauge_build_info"
    r"|driftgauge_evaluation_(timestamp|duration)|driftgauge_window_timestamp)"
)
_VARYING_LABELS = re.compile(r'(loaded|loaded_at|path)="[^"]*"')
_VARYING_KEYS = {"evaluated_at", "evaluation_seconds", "duration_seconds", "since", "loaded_at", "path", "window_time"}

_ODD_BODIES = (
    b"{",
    b"[]",
    b'{"instances":[[1,2]]}',
    b'{"instances":"x"}',
    b'{"inputs":[{"name":"alcohol","datatype":"FP64","shape":[1],"data":[1]}]}',
)


class _Model(BaseHTTPRequestHandler):
    """A model server that predicts each row's rounded last value."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_POST(self) -> None:
        """Predict; 400 for what is no JSON."""
        try:
            message = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            rows = (message.get("instances") or []) if isinstance(message, dict) else []
            self._respond(200, {"predictions": [round(row[-1]) if isinstance(row, list) else 0 for row in rows]})
        except ValueError:
            self._respond(400, {"error": "not JSON"})

    def do_GET(self) -> None:
        """Say that the model is ready."""
        self._respond(200, {"ready": True})

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 the library's signature
        """Write nothing."""

    def _respond(self, status: int, content: object) -> None:
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


class Version:
    """A version of the code.

    Args:
        package: Its import name.
        root: Its checkout, which has `examples/wine`.
    """

    def __init__(self, package: str, root: Path) -> None:
        self._command = [sys.executable, "-m", package]
        self._wine = root / "examples" / "wine"
        self._root = root

    def serve(self, mode: str, options: Sequence[str], send: Callable[[int], str]) -> dict[str, Any]:
        """Start a mode, send it the input, and read what it shows."""
        port, admin_port = free_port(), free_port()
        ports = ["--port", str(port), "--admin-port", str(admin_port), "--drain-delay-seconds", "0"]
        clocks = ["--evaluation-interval-seconds", "2", "--flush-interval-seconds", "0.05"]
        argv = [*self._command, mode, *ports, *clocks, "--reference", str(self._wine / "red.csv"), *options]
        child = subprocess.Popen(argv, cwd=self._root, stderr=subprocess.PIPE, text=True)  # noqa: S603 - ours
        try:
            _get(admin_port, "/healthz")
            responses = send(port)
            time.sleep(_SETTLED_SECONDS)
            shown = {"metrics": _metrics(admin_port), "drift": _without_times(json.loads(_get(admin_port, "/drift")))}
        finally:
            child.send_signal(signal.SIGTERM)
            log = child.communicate(timeout=30)[1]
        return {"responses": responses, **shown, "log_lines": len(log.splitlines())}

    def check(self, window: str, *options: str) -> dict[str, Any]:
        """Run `check` on two files of wines."""
        argv = [*self._command, "check", str(self._wine / "red.csv"), str(self._wine / window), "--format", "json"]
        done = subprocess.run([*argv, *options], check=False, capture_output=True, text=True)  # noqa: S603 - ours
        return {"exit_code": done.returncode, "report": _without_times(json.loads(done.stdout))}

    def bodies(self) -> Iterator[bytes]:
        """300 red wines in requests of three, 600 white ones in requests of two, and bodies that cannot be read."""
        for name, rows, size in (("red_stream.csv", 300, 3), ("white_stream.csv", 600, 2)):
            with (self._wine / name).open() as lines:
                wines = [[float(cell) for cell in line] for line in list(csv.reader(lines))[1:]]
            for start in range(0, rows, size):
                yield json.dumps({"instances": wines[start : start + size]}).encode()
        yield from _ODD_BODIES


def main() -> int:
    """Record a run, or compare two."""
    parser = argparse.ArgumentParser()
    parser.add_argument("files", nargs="+", type=Path, help="OUTPUT, or BEFORE AFTER")
    parser.add_argument("--compare", action="store_true")
    parser.add_argument("--package", default="driftgauge")
    parser.add_argument("--root", type=Path, default=Path.cwd())
    arguments = parser.parse_args()
    if arguments.compare:
        before, after = (json.loads(path.read_text()) for path in arguments.files)
        differences = list(compare(before, after))
        sys.stdout.writelines(f"{line}\n" for line in differences)
        sys.stdout.write(f"{sum(1 for _ in _leaves(before))} values, {len(differences)} differ\n")
        return 1 if differences else 0
    arguments.files[0].write_text(json.dumps(record(Version(arguments.package, arguments.root)), indent=1))
    return 0


def record(version: Version) -> dict[str, Any]:
    """Everything that a version shows of the fixed input."""
    model = ThreadingHTTPServer(("127.0.0.1", 0), _Model)
    threading.Thread(target=model.serve_forever, daemon=True).start()
    own = ["--upstream-url", f"http://127.0.0.1:{model.server_address[1]}", "--inference-service", "wine"]
    bodies = list(version.bodies())
    return {
        "proxy": version.serve("proxy", own, lambda port: _send_requests(port, bodies)),
        "proxy, p-values": version.serve(
            "proxy",
            [*own, "--decision", "p-value", "--baseline-rows", "200"],
            lambda port: _send_requests(port, bodies),
        ),
        "logger": version.serve("logger", [], lambda port: _send_events(port, bodies)),
        **{
            f"check, {name}": version.check("white_stream.csv", "--correction", name)
            for name in ("holm", "bh", "bonferroni", "none")
        },
        "check, red": version.check("red_stream.csv"),
    }


def compare(before: object, after: object, place: str = "") -> Iterator[str]:
    """A line for each value that differs, or that only one side has."""
    if isinstance(before, dict) and isinstance(after, dict):
        for key in sorted({*before, *after}):
            yield from compare(before.get(key), after.get(key), f"{place}/{key}")
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for index, (one, other) in enumerate(zip(before, after, strict=True)):
            yield from compare(one, other, f"{place}[{index}]")
    elif before != after:
        yield f"{place}: {before!r:.200} | {after!r:.200}"


def _leaves(value: object) -> Iterator[object]:
    if isinstance(value, dict | list):
        for one in value.values() if isinstance(value, dict) else value:
            yield from _leaves(one)
    else:
        yield value


def _send_requests(port: int, bodies: Sequence[bytes]) -> str:
    """The digest of all status codes and responses."""
    digest = hashlib.sha256()
    for body in bodies:
        status, content = _post(port, "/v1/models/wine:predict", body, {})
        digest.update(b"%d %b" % (status, content))
    return digest.hexdigest()


def _send_events(port: int, bodies: Sequence[bytes]) -> str:
    """The digest of all status codes."""
    digest = hashlib.sha256()
    for number, body in enumerate(bodies):
        for kind, content in (("request", body), ("response", b'{"predictions":[%d]}' % (number % 7))):
            status, _ = _post(port, "/", content, _event_headers(number, kind))
            digest.update(b"%d " % status)
    return digest.hexdigest()


def _event_headers(number: int, kind: str) -> dict[str, str]:
    return {
        "ce-specversion": "1.0",
        "ce-id": f"id-{number}",
        "ce-source": "http://localhost:9081/",
        "ce-type": f"org.kubeflow.serving.inference.{kind}",
        "ce-time": f"2026-11-28T10:00:{number % 60:02d}.{1 if kind == 'request' else 3}Z",
        "ce-inferenceservicename": "wine",
        "ce-namespace": "default",
        "ce-component": "predictor",
        "ce-endpoint": "",
    }


def _post(port: int, path: str, body: bytes, headers: dict[str, str]) -> tuple[int, bytes]:
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}{path}", body, {"Content-Type": "application/json", **headers}
    )
    try:
        with urllib.request.urlopen(request, timeout=10) as response:  # noqa: S310 - loopback
            return response.status, response.read()
    except HTTPError as error:
        return error.code, error.read()


def _get(port: int, path: str) -> bytes:
    for _ in range(200):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as response:
                content: bytes = response.read()
                return content
        except OSError:
            time.sleep(0.05)
    raise SystemExit(f"nothing listens on port {port}")


def _metrics(admin_port: int) -> dict[str, str]:
    """The value of each series and the type of each family; the order of families and their texts have no meaning."""
    found = {}
    for line in _get(admin_port, "/metrics").decode().splitlines():
        name, _, value = line.removeprefix("# TYPE ").rpartition(" ")
        if not line.startswith("# HELP ") and not _VARYING.match(name):
            found[_VARYING_LABELS.sub("", name)] = value
    return found


def _without_times(value: object) -> object:
    if isinstance(value, dict):
        return {key: _without_times(one) for key, one in value.items() if key not in _VARYING_KEYS}
    return [_without_times(one) for one in value] if isinstance(value, list) else value


if __name__ == "__main__":
    os.environ.setdefault("PYTHONUNBUFFERED", "1")
    sys.exit(main())
