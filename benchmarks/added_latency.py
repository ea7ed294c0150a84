"""Latency of a small model: asked directly, through a proxy that looks away, and through one that looks at each one.

`python -m benchmarks.added_latency` sends V1 requests of 32 rows over one connection, the three in turn, and prints the
quantiles of each. The two proxies differ in `sample_ratio` alone (0 and 1): their difference is what the monitor costs.
"""

import http.client
import json
import sys
import time
from collections import defaultdict
from pathlib import Path

from tests.support.echo_model import EchoModel
from tests.support.processes import Driftgauge

ROUNDS = 6
REQUESTS = 1_000
QUANTILES = (0.5, 0.9, 0.99, 0.999)
REFERENCE = Path(__file__).parents[1] / "examples" / "wine" / "red.csv"
ROW = [7.4, 0.7, 0.0, 1.9, 0.076, 11.0, 34.0, 0.9978, 3.51, 0.56, 9.4]
BODY = json.dumps({"instances": [ROW] * 32}).encode()


def latencies(port: int) -> list[float]:
    """Seconds that each of `REQUESTS` requests took, one after the other."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    found = []
    for _ in range(REQUESTS):
        start = time.perf_counter()
        connection.request("POST", "/v1/models/default:predict", BODY, {"Content-Type": "application/json"})
        connection.getresponse().read()
        found.append(time.perf_counter() - start)
    connection.close()
    return found


def main() -> None:
    """Measure and print."""
    with EchoModel() as model:
        flags = ("--upstream-url", model.url, "--reference", REFERENCE)
        with Driftgauge("proxy", *flags, "--sample-ratio=0") as away, Driftgauge("proxy", *flags) as looking:
            ports = {"direct": model.port, "proxy": away.port, "proxy and monitor": looking.port}
            found: defaultdict[str, list[float]] = defaultdict(list)
            for _ in range(ROUNDS):
                for name, port in ports.items():
                    found[name] += latencies(port)
    head = "".join(f"{f'p{100 * level:g}':>10}" for level in QUANTILES)
    sys.stdout.write(f"{'microseconds':<20}{head}\n")
    for name, values in found.items():
        values.sort()
        cells = "".join(f"{1e6 * values[int(level * len(values))]:>10.0f}" for level in QUANTILES)
        sys.stdout.write(f"{name:<20}{cells}\n")


if __name__ == "__main__":
    main()
