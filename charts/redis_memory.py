"""How much memory Redis needs: `python -m charts.redis_memory --models 100 --features 13 --rate 1000`.

The figures are what `MEMORY USAGE` of Redis 7.0 says of what driftgauge writes; a test checks them. docs/scaling.md has
the same formula in words, and the chart computes its own Redis with it.
"""

import argparse
from dataclasses import dataclass, fields, replace
from typing import Final

ROW_BYTES: Final = 84
VALUE_BYTES: Final = 9.5
"""Bytes of a row beside its values, and of a value, where each row is a block of its own. Larger blocks take less."""

PLACE_BYTES: Final = 17
OUTCOME_VALUE_BYTES: Final = 10.5
"""Bytes of the place of an outcome row in its inference, with the field's name where each label came alone, and of a
value: a script appends them, and Redis gives its blocks a little more."""

STATE_VALUE_BYTES: Final = 5_250
REPORT_COLUMN_BYTES: Final = 620
BASELINE_VALUE_BYTES: Final = 9.5
"""Bytes of a column in the detector's state and in the newest report, and of a value of the baseline."""

STREAM_BYTES: Final = 3_500
MODEL_BYTES: Final = 3_500
WRITER_BYTES: Final = 120
"""Bytes of a stream, of a model (lease, notice, reference), and of a replica as the writer of a stream."""

WAITING_BYTES: Final = 148
WAITING_VALUE_BYTES: Final = 8.2
LABELLED_BYTES: Final = 91
FURTHER_ID_BYTES: Final = 100
"""Bytes of a response of one row that waits for labels, of each of its values, of the label of a row of one output, and
of an id beside the first one. Small slices, below 128 responses, take half of it."""

OUTCOME_WINDOWS: Final = 10
OUTCOME_BYTES: Final = 16 * 1024 * 1024
"""Windows of outcomes that are kept, since labels come in lumps."""

PAIR_BYTES: Final = 37
HASH_BYTES: Final = 105
HASHES: Final = 1_024
PARTS: Final = 16_384
SHARED_PAIRS: Final = 125_000
"""Pairs of a slot that fit into `HASHES`; further ones need `PARTS` too."""

COMPACT_PAIRS: Final = 1_900_000
TABLE_PAIR_BYTES: Final = 96
"""Pairs of a slot up to which no hash has more than 128 fields, and bytes of a pair beyond, in hash tables."""

SLOT_SHARE: Final = 0.5
SLOTS: Final = 3.9
"""Length of a slot as a share of `pair_ttl_seconds`, and most slots that Redis keeps."""

SERVER_BYTES: Final = 2_000_000
CONNECTION_BYTES: Final = 400_000
"""Bytes of an empty Redis, and of the connections of a replica."""

HEADROOM: Final = 1.25
"""`maxmemory` is so much larger: for growth of the load, and for replies that are being sent."""

LIMIT_SHARE: Final = 1.35
"""The container's limit is so much larger than `maxmemory`: for fragmentation, and for the copy of pages by a save."""


@dataclass(frozen=True, slots=True)
class Load:
    """What Redis is to keep.

    Args:
        models: Models that have rows.
        features: Columns of a request.
        predictions: Columns of a response.
        window_rows: The option of that name.
        rate: Inferences a second of all models, each a pair of a request and a response. 0 for proxies.
        pair_ttl_seconds: The option of that name.
        replicas: Loggers, or pods of a model with a proxy.
        pending: Responses of each model that wait for labels; 0 without labels.
        labelled: Share of them that have a label already, in [0, 1].
        further_ids: Ids of a response beside the first one: 1 where the `id` of its body is not that of its header.
    """

    models: int = 20
    features: int = 13
    predictions: int = 1
    window_rows: int = 2_000
    rate: float = 100.0
    pair_ttl_seconds: float = 300.0
    replicas: int = 2
    pending: int = 0
    labelled: float = 1.0
    further_ids: int = 0


def stream_bytes(columns: int, load: Load) -> float:
    """Bytes of one stream of a model: its rows, writers, detector and newest report."""
    rows = load.window_rows * (ROW_BYTES + VALUE_BYTES * columns)
    kept = (STATE_VALUE_BYTES + REPORT_COLUMN_BYTES) * columns
    return rows + kept + WRITER_BYTES * load.replicas + STREAM_BYTES


def outcome_row_bytes(load: Load) -> float:
    """Bytes of a window of outcome rows: the predictions, a label, and the place of the row in its inference."""
    return load.window_rows * (ROW_BYTES + PLACE_BYTES + OUTCOME_VALUE_BYTES * (load.predictions + 1))


def waiting_bytes(load: Load) -> float:
    """Bytes of the responses of one model that wait for labels, each of one row and one output."""
    values = WAITING_VALUE_BYTES * load.predictions
    return load.pending * (
        WAITING_BYTES + values + LABELLED_BYTES * load.labelled + FURTHER_ID_BYTES * load.further_ids
    )


def model_bytes(load: Load) -> float:
    """Bytes of one model: its streams, the baseline of its predictions, the lease, and what waits for labels.

    Labels that met their responses are a third stream: that of responses with a column more, and up to ten times its
    rows, in 16 MiB of values if that is more than one window.
    """
    baseline = BASELINE_VALUE_BYTES * load.window_rows * load.predictions
    most = OUTCOME_BYTES // (8 * (load.predictions + 1))
    lumps = replace(load, window_rows=max(load.window_rows, min(OUTCOME_WINDOWS * load.window_rows, most)))
    outcomes = 0.0
    if load.pending:
        rows = lumps.window_rows * (ROW_BYTES + VALUE_BYTES * (load.predictions + 1))
        outcomes = stream_bytes(load.predictions + 1, lumps) - rows + outcome_row_bytes(lumps)
    streams = stream_bytes(load.features, load) + stream_bytes(load.predictions, load) + outcomes
    return streams + baseline + waiting_bytes(load) + MODEL_BYTES


def slot_bytes(pairs: float) -> float:
    """Bytes of the pairs of one slot."""
    if pairs > COMPACT_PAIRS:
        return TABLE_PAIR_BYTES * pairs
    hashes = min(pairs, HASHES) + min(max(pairs - SHARED_PAIRS, 0.0), PARTS)
    return PAIR_BYTES * pairs + HASH_BYTES * hashes


def pair_bytes(load: Load) -> float:
    """Bytes of all pairs."""
    return SLOTS * slot_bytes(load.rate * load.pair_ttl_seconds * SLOT_SHARE)


def used_bytes(load: Load) -> float:
    """Bytes that Redis uses: its `used_memory`."""
    server = SERVER_BYTES + CONNECTION_BYTES * load.replicas
    return load.models * model_bytes(load) + pair_bytes(load) + server


def maxmemory_bytes(load: Load) -> float:
    """What to set `maxmemory` to."""
    return HEADROOM * used_bytes(load)


def limit_bytes(load: Load) -> float:
    """The memory limit of the container of Redis."""
    return LIMIT_SHARE * maxmemory_bytes(load)


def main() -> None:
    """Print the parts and the sum."""
    parser = argparse.ArgumentParser(prog="python -m charts.redis_memory", description="Memory that Redis needs.")
    for one in fields(Load):
        kind = type(one.default)
        parser.add_argument(f"--{one.name.replace('_', '-')}", type=kind, default=one.default, dest=one.name)
    load = Load(**vars(parser.parse_args()))
    lines = {
        f"{load.models} models": load.models * model_bytes(load),
        "pairs": pair_bytes(load),
        "used_memory": used_bytes(load),
        "maxmemory": maxmemory_bytes(load),
        "limit of the container": limit_bytes(load),
    }
    for name, number in lines.items():
        print(f"{name:24} {number / 1e6:12,.1f} MB")  # noqa: T201 - the output of the command


if __name__ == "__main__":
    main()
