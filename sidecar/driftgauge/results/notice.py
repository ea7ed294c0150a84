"""What the evaluator of a model publishes for the other replicas, and its form in a store.

A notice is short: who evaluated, by which reference, and when; it identifies the reports (`packed_report`), which are
long. Its form is a line with the name and version of the format, then JSON. Whatever a store returns is untrusted.
"""

import math
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
    """

    replica: str
    time: float
    reference: str
    replaced: tuple[str, ...] = ()
    streams: Mapping[Kind, StreamNotice] = field(default_factory=dict)
    references: Mapping[Kind, ReferenceFacts | None] = field(default_factory=dict)


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
    notice: Notice = _notices().validate_json(body_of(blob))[0]
    times = [notice.time, *(one.time for one in notice.streams.values())]
    times += [one.window_time for one in notice.streams.values() if one.window_time is not None]
    times += [one.loaded_at for one in notice.references.values() if one is not None]
    if not all(0 <= one < _LATEST_TIME for one in times):
        raise ValueError("no clock has such a time")
    if not all(math.isfinite(one.duration_seconds) for one in notice.streams.values()):
        raise ValueError("no evaluation takes so long")
    return notice


def body_of(blob: bytes) -> bytes:
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


# Made when first used: it takes 20 ms, which a process without Redis saves. Infinite numbers are written as `Infinity`,
# by a setting that pydantic takes for tuples, and not for dataclasses.
@cache
def _notices() -> TypeAdapter[tuple[Notice]]:
    return TypeAdapter(tuple[Notice], config=ConfigDict(ser_json_inf_nan="constants"))
