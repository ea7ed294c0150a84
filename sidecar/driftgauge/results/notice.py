"""What the evaluator of a model publishes for the other replicas, and its form in a store.

A notice is short: who evaluated, by which reference, and when; it identifies the reports (`packed_report`), which are
long. Its form is a line with the name and version of the format, then JSON. Whatever a store returns is untrusted.
"""

import math
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache

from pydantic import ConfigDict, TypeAdapter

from driftgauge.inference.payload import Kind
from driftgauge.results.latest import ReferenceFacts

_NAME = b"driftgauge-result "
_VERSION = b"1"
HEAD = _NAME + _VERSION + b"\n"

_LATEST_TIME = 2.0**37
"""Beyond every time that a clock has: the year 6325."""

_MAX_NOTICE_BYTES = 64 * 1024

NAMED_WRITERS = 256
"""Most writers of a stream in a notice, whose length is limited: a ledger has the newest last."""


class OtherFormatError(ValueError):
    """The bytes are of another version of driftgauge."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamNotice:
    """About the newest evaluation of one stream.

    Args:
        report: Digest of the packed report.
        time: As in `Evaluation`, by the clock of the store.
        duration_seconds: As in `Evaluation`.
        window_time: As in `Evaluation`, by the clock of the process that the row passed.
        state_unsaved: As in `Evaluation`.
        counted: As in `Evaluation`, of the writers that were counted last: if the store loses the detector's state,
            another replica counts no row again.
    """

    report: str
    time: float
    duration_seconds: float
    window_time: float | None
    state_unsaved: bool
    counted: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """What the evaluator of a model publishes for the other replicas.

    Args:
        replica: Who it is.
        time: When it was written, in seconds since the epoch.
        reference: Digest of its reference; empty without one.
        replaced: Digests of the references that this one replaced, the newest first.
        streams: The newest evaluations by `Kind`; a stream without one is missing.
        references: What each stream is compared with, by `Kind`; a stream whose reference is unknown is missing.
        outcomes: The newest result on labelled predictions; `None` without one. Builds that know no labels skip it.
        outcome_reference: What labelled predictions are compared with; `None` if there is nothing yet.
    """

    replica: str
    time: float
    reference: str
    replaced: tuple[str, ...] = ()
    streams: Mapping[Kind, StreamNotice] = field(default_factory=dict)
    references: Mapping[Kind, ReferenceFacts | None] = field(default_factory=dict)
    outcomes: StreamNotice | None = None
    outcome_reference: ReferenceFacts | None = None

    def results(self) -> dict[Kind, StreamNotice]:
        """All results that it describes, by the kind of their stream."""
        labelled = {} if self.outcomes is None else {Kind.OUTCOME: self.outcomes}
        return {**self.streams, **labelled}


def pack_notice(notice: Notice) -> bytes:
    """The notice as bytes."""
    return HEAD + _notices().dump_json((notice,))


def unpack_notice(blob: bytes) -> Notice:
    """Read what `pack_notice` returned.

    Raises:
        OtherFormatError: It is of another version of driftgauge.
        ValueError: It is something else, or damaged.
    """
    if len(blob) > _MAX_NOTICE_BYTES:
        raise ValueError("a notice is shorter")
    notice: Notice = _notices().validate_json(_body_of(blob))[0]
    results = notice.results().values()
    times = [notice.time, *(one.time for one in results)]
    times += [one.window_time for one in results if one.window_time is not None]
    references = (*notice.references.values(), notice.outcome_reference)
    times += [one.loaded_at for one in references if one is not None]
    if not all(0 <= one < _LATEST_TIME for one in times):
        raise ValueError("no clock has such a time")
    if not all(math.isfinite(one.duration_seconds) for one in results):
        raise ValueError("no evaluation takes so long")
    return notice


def _body_of(blob: bytes) -> bytes:
    """The bytes after the head.

    Raises:
        OtherFormatError: They are of another version of driftgauge.
        ValueError: They are something else.
    """
    head, _, body = blob.partition(b"\n")
    if head + b"\n" == HEAD:
        return body
    if head.startswith(_NAME) and head[len(_NAME) :].isdigit():
        raise OtherFormatError(head.decode())
    raise ValueError("this is no result of driftgauge")


def unpacked_body(blob: bytes, most_bytes: int, name: str) -> bytes:
    """The bytes after the head, decompressed.

    Args:
        blob: The bytes.
        most_bytes: Most bytes that they may become.
        name: What they are, for errors.

    Raises:
        OtherFormatError: They are of another version of driftgauge.
        ValueError: They are something else, damaged, or too large.
    """
    unpacker = zlib.decompressobj()
    try:
        body = unpacker.decompress(_body_of(blob), most_bytes)
    except zlib.error as error:
        raise ValueError(f"the {name} cannot be decompressed: {error}") from None
    if not unpacker.eof:
        raise ValueError(f"the {name} is cut off, or too large")
    return body


# Made when first used: it takes 20 ms, which a process without Redis saves. Infinite numbers are written as `Infinity`,
# by a setting that pydantic takes for tuples, and not for dataclasses.
@cache
def _notices() -> TypeAdapter[tuple[Notice]]:
    return TypeAdapter(tuple[Notice], config=ConfigDict(ser_json_inf_nan="constants"))
