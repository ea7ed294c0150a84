"""The form of a report in a store: the head as of a notice, then compressed lines of JSON, the report and each feature.

A line is written or read in far less than a millisecond, so that a thread can pause between lines. Whatever a store
returns is untrusted.
"""

import zlib
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from hashlib import blake2b

from pydantic import ConfigDict, TypeAdapter

from driftgauge.drift.result import DriftReport, FeatureDrift
from driftgauge.results.notice import HEAD, unpacked_body

MAX_REPORT_BYTES = 32 * 1024 * 1024
"""Largest report, unpacked: some 10,000 features."""


def _no_checkpoint() -> None:
    pass


def pack_report(report: DriftReport, checkpoint: Callable[[], None] = _no_checkpoint) -> bytes:
    """The report as compressed bytes.

    Args:
        report: The report.
        checkpoint: Called between lines.

    Raises:
        ValueError: It is too large for other replicas.
    """
    packer = zlib.compressobj(level=1)
    line = _reports().dump_json((replace(report, features=()),)) + b"\n"
    parts, size = [HEAD, packer.compress(line)], len(line)
    for feature in report.features:
        line = _features().dump_json((feature,)) + b"\n"
        parts.append(packer.compress(line))
        size += len(line)
        checkpoint()
    if size > MAX_REPORT_BYTES:
        raise ValueError(f"the report has {size:,} bytes, and {MAX_REPORT_BYTES:,} can be published")
    return b"".join([*parts, packer.flush()])


def unpack_report(blob: bytes, checkpoint: Callable[[], None] = _no_checkpoint) -> DriftReport:
    """Read what `pack_report` returned.

    Args:
        blob: The bytes.
        checkpoint: Called between lines.

    Raises:
        OtherFormatError: It is of another version of driftgauge.
        ValueError: It is something else, damaged, or too large.
    """
    text = unpacked_body(blob, MAX_REPORT_BYTES, "report")
    first, *lines = text.splitlines()
    features: list[FeatureDrift] = []
    for line in lines:
        feature = _features().validate_json(line)[0]
        if not feature.tests:
            raise ValueError("a feature without a test")
        features.append(feature)
        checkpoint()
    return replace(_reports().validate_json(first)[0], features=tuple(features))


def report_digest(packed: bytes) -> str:
    """Identifies a packed report."""
    return blake2b(packed, digest_size=12).hexdigest()


@cache
def _reports() -> TypeAdapter[tuple[DriftReport]]:
    return TypeAdapter(tuple[DriftReport], config=ConfigDict(ser_json_inf_nan="constants"))


@cache
def _features() -> TypeAdapter[tuple[FeatureDrift]]:
    return TypeAdapter(tuple[FeatureDrift], config=ConfigDict(ser_json_inf_nan="constants"))
