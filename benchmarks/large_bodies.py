"""What one large V1 body costs another client's small requests, which share the interpreter's lock with its decoding.

`python -m benchmarks.large_bodies` sends bodies of three lengths, five of each, and prints the longest that another
client's request took in the two seconds after each, and the same without any.
"""

import json
import sys
import time
from pathlib import Path

from tests.support.echo_model import EchoModel
from tests.support.processes import Driftgauge
from tests.support.traffic import ask, body_of

REFERENCE = Path(__file__).parents[1] / "examples" / "wine" / "red.csv"
ROW = [7.4, 0.7, 0.0, 1.9, 0.076, 11.0, 34.0, 0.9978, 3.51, 0.56, 9.4]
SMALL = body_of([ROW])
LENGTHS = (0, 16_000, 1_000_000, 4_000_000)
REPEATS = 5
WATCH_SECONDS = 2.0


def large(length: int) -> bytes:
    """A body of about so many bytes."""
    return body_of([ROW] * (length // len(json.dumps(ROW))))


def worst(port: int) -> float:
    """Seconds that the slowest of many small requests took."""
    slowest, end = 0.0, time.perf_counter() + WATCH_SECONDS
    while (start := time.perf_counter()) < end:
        ask(port, SMALL)
        slowest = max(slowest, time.perf_counter() - start)
    return slowest


def main() -> None:
    """Measure and print."""
    sys.stdout.write("bytes of the large body, longest wait of a small request in ms\n")
    with EchoModel() as model, Driftgauge("proxy", "--upstream-url", model.url, "--reference", REFERENCE) as proxy:
        worst(proxy.port)
        for length in LENGTHS:
            found = []
            for _ in range(REPEATS):
                if length:
                    ask(proxy.port, large(length))
                found.append(1_000 * worst(proxy.port))
            sys.stdout.write(f"{length:>10}  " + "  ".join(f"{value:6.1f}" for value in sorted(found)) + "\n")


if __name__ == "__main__":
    main()
