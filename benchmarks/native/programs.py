"""wrk as load and nginx as model. They cost a tenth of programs in Python, so that the proxy between them is busy.

A proxy between programs in Python is idle most of the time, and the cost of waking up, which is the same for every
proxy, hides what one needs more than another.
"""

import json
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks.children import OTHER_CORES, Program, version
from tests.support.ports import free_port

_SCRIPT = Path(__file__).with_name("wrk.lua")

_MODEL = """
daemon off; worker_processes 1; pid {folder}/model.pid; error_log {folder}/model.log;
events {{ worker_connections 4096; }}
http {{
  access_log off; keepalive_requests 100000000; client_max_body_size 0; default_type application/json;
  client_body_temp_path {folder}/m1; proxy_temp_path {folder}/m2; fastcgi_temp_path {folder}/m3;
  uwsgi_temp_path {folder}/m4; scgi_temp_path {folder}/m5;
  server {{ listen 127.0.0.1:{port} backlog=1024; location / {{ return 200 '{response}'; }} }}
}}
"""
"""The model: it discards the body, and its responses have `Date` and `Server`, as those of real servers."""

RESPONSES: Mapping[str, str] = {
    "v1": '{"predictions":[5.1]}',
    "v1 of 32 rows": '{"predictions":[' + ",".join(f"{4 + number % 5}.1" for number in range(32)) + "]}",
    "v2": '{"model_name":"wine","id":"$request_id","outputs":[{"name":"quality","shape":[1,1],"datatype":"FP64",'
    '"data":[5.1]}]}',
}
"""What it responds. `$request_id` is another id each time."""


def are_installed() -> bool:
    """Whether wrk and nginx are on the `PATH`."""
    return all(map(shutil.which, ("wrk", "nginx")))


def model(folder: Path, response: str) -> Program:
    """A model that sends a kind of response; it starts in a `with` block.

    Args:
        folder: For its files.
        response: One of `RESPONSES`.
    """
    port, path = free_port(), folder / f"model-{abs(hash(response))}.conf"
    path.write_text(_MODEL.format(folder=folder, port=port, response=RESPONSES[response]))
    return Program(["nginx", "-c", str(path), "-p", str(folder)], port, OTHER_CORES)


def send(
    port: int, requests: Sequence[Path], *, connections: int, seconds: float, rate: float, together: int
) -> Mapping[str, float]:
    """Send requests for some seconds.

    Args:
        port: Where to.
        requests: Files with the bytes of requests, which are sent in turn; 32 @ are a placeholder for an id.
        connections: Connections that are kept.
        seconds: How long.
        rate: Requests a second; 0: as fast as responses arrive.
        together: How many requests that follow each other have the same id.

    Returns:
        `count`, `seconds`, and the quantiles `p50`, `p90`, `p99` and the maximum of the latencies in seconds, each from
        the sending of a request.

    Raises:
        RuntimeError: A request had no response, or one that was not of success.
    """
    words = ["--threads", "1", "--connections", str(connections), "--duration", f"{max(1, round(seconds))}s"]
    words += ["--timeout", "60s", "--script", str(_SCRIPT), f"http://127.0.0.1:{port}", "--", str(rate), str(together)]
    done = subprocess.run(  # noqa: S603 - wrk, with files of this repository
        ["taskset", "--cpu-list", ",".join(map(str, OTHER_CORES)), "wrk", *words, *map(str, requests)],  # noqa: S607
        capture_output=True,
        text=True,
        check=False,
        timeout=seconds + 120,
    )
    if done.returncode:
        raise RuntimeError(done.stderr.strip().splitlines()[-1])
    reported: dict[str, float] = json.loads(done.stdout.strip().splitlines()[-1])
    if reported["failed"]:
        raise RuntimeError(f"{reported['failed']:.0f} of {reported['count']:.0f} requests failed")
    return reported


def versions() -> dict[str, str]:
    """The version of each program, as it prints it."""
    return {"wrk": version(["wrk", "--version"])} if shutil.which("wrk") else {}
