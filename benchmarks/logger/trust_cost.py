"""What sending events on, tokens and TLS cost the logger: `python -m benchmarks.logger.trust_cost [--events N]`.

Prints a Markdown table: the CPU time of the logger for one event, and the memory of events that wait.
"""

import argparse
import http.client
import ssl
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.children import Program
from benchmarks.environment import driftgauge, scrape
from tests.support.ports import free_port

_BODY = b'{"instances": [[5.1, 3.5, 1.4, 0.2, 5.1, 3.5, 1.4, 0.2, 5.1, 3.5, 1.4, 0.2, 0.5]]}'
_HEADERS = {
    "Ce-Specversion": "1.0",
    "Ce-Type": "org.kubeflow.serving.inference.request",
    "Ce-Source": "http://localhost:9081/",
    "Ce-Time": "2026-11-23T04:50:06.703447869Z",
    "Ce-Recordedtime": "2026-11-23T04:50:06.703448179Z",
    "Ce-Inferenceservicename": "wine",
    "Ce-Namespace": "default",
    "Ce-Component": "predictor",
    "Ce-Endpoint": "",
    "Ce-Metadata": "{}",
    "Content-Type": "application/json",
}
_TOKEN = "measured-token"  # noqa: S105 - of a process that lives as long as this command

Connect = Callable[[], http.client.HTTPConnection]


def send(connect: Connect, events: int, *, keep: bool = True, path: str = "/") -> None:
    """Send events one after the other, on one connection, or each on its own as KServe's agent does with TLS."""
    connection = connect()
    for number in range(events):
        connection.request("POST", path, _BODY, {**_HEADERS, "Ce-Id": f"{events}-{number}"})
        connection.getresponse().read()
        if not keep:
            connection.close()
    connection.close()


def microseconds(program: Program, connect: Connect, events: int, *, keep: bool = True, path: str = "/") -> float:
    """CPU time of the logger for one event."""
    send(connect, events // 10, keep=keep, path=path)
    before = program.cpu_seconds
    send(connect, events, keep=keep, path=path)
    return (program.cpu_seconds - before) / events * 1e6


def grown_bytes(program: Program, connect: Connect) -> float:
    """Memory of the logger for one of 9,000 events."""
    send(connect, 100)
    before = program.private_megabytes()
    send(connect, 9_000)
    return (program.private_megabytes() - before) * 2**20 / 9_000


@contextmanager
def logger(*options: object, env: dict[str, str] | None = None) -> Iterator[Program]:
    """A logger that has no model."""
    with driftgauge("logger", *options, env=env) as program:
        yield program


def rows(events: int, folder: Path) -> Iterator[tuple[str, str]]:
    """What was measured, and the result."""
    cert, key = _certificate(folder)
    context = ssl.create_default_context(cafile=cert)

    def plain(program: Program) -> Connect:
        return lambda: http.client.HTTPConnection("127.0.0.1", program.port)

    def secured(program: Program) -> Connect:
        return lambda: http.client.HTTPSConnection("localhost", program.port, context=context)

    with logger() as alone:
        yield "an event, without any of these", f"{microseconds(alone, plain(alone), events):.0f} us"
    for targets in (1, 3):
        with ExitStack() as stack:
            others = [stack.enter_context(logger()) for _ in range(targets)]
            urls = ",".join(f"http://127.0.0.1:{other.port}/" for other in others)
            program = stack.enter_context(logger("--forward-url", urls))
            yield f"sent on to {targets} URLs", f"{microseconds(program, plain(program), events):.0f} us"
    away = f"http://127.0.0.1:{free_port()}/"
    grown = []
    for options in ((), ("--forward-url", away)):
        with logger(*options) as program:
            grown.append(grown_bytes(program, plain(program)))
            waiting = scrape(program)
    counted = waiting.total("driftgauge_forward_queue_bytes") / waiting.total("driftgauge_forward_queue_events")
    yield "memory of an event that waits", f"{grown[1] - grown[0]:.0f} bytes; counted as {counted:.0f}"
    with logger(env={"DRIFTGAUGE_TOKEN": _TOKEN}) as program:
        path = f"/?access_token={_TOKEN}"
        yield "a token in the query", f"{microseconds(program, plain(program), events, path=path):.0f} us"
    with logger("--tls-cert-file", cert, "--tls-key-file", key) as program:
        connect = secured(program)
        yield "TLS, one connection", f"{microseconds(program, connect, events):.0f} us"
        yield "TLS, a handshake for each event", f"{microseconds(program, connect, events // 4, keep=False):.0f} us"


def _certificate(folder: Path) -> tuple[Path, Path]:
    cert, key = folder / "tls.crt", folder / "tls.key"
    words = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"]
    names = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
    argv = [*words, *names, "-keyout", str(key), "-out", str(cert)]
    subprocess.run(argv, check=True, capture_output=True)  # noqa: S603 - the words above
    return cert, key


def main() -> None:
    """Measure, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=4_000)
    known = parser.parse_args()
    sys.stdout.write("| what | CPU time of the logger, or memory |\n|---|---|\n")
    with TemporaryDirectory(prefix="driftgauge-trust-") as name:
        for what, result in rows(known.events, Path(name)):
            sys.stdout.write(f"| {what} | {result} |\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
