"""The format of responses that wait for labels in Redis: keys, members, and what scripts get and reply.

Everything of a model lies in the cluster slot of its streams. A slice is named by its first moment, in milliseconds
since the epoch; `label_slices` says how long it is. Each model has:

    <model>:pending                a hash: `layout`, in JSON, and for each slice what is counted of it
    <model>:pending:<slice>        a sorted set of the responses that wait, by the first 53 bits of their digests
    <model>:pending:<slice>:labels a hash of the labels that they have, and of their further ids
    <model>:pending:unripe         a sorted set, by the time of the response, of those with labels that are not judged
    <model>:pending:last:<writer>  the number of a writer's last call and its reply, for one day

A member of a slice is never changed. All numbers are little-endian:

    digest      uint64, that of the first id
    schema      8 bytes, the hash of the layout
    time        when the response passed, seconds since the epoch, IEEE 754 binary64
    rows        uint32
    columns     uint32
    aliases     uint8, how many further ids there are
    ids         their digests, uint64
    data        the rows, row by row, IEEE 754 binary64

Fields of `:labels`: `a` and the digest of a further id, with the digest of the first one; and `r`, the digest and the
row (uint32), with 9 bytes for each output: 0 for no label, 1 for one, 2 for one that is judged, and its value.
A member of `:unripe` is the digest and the name of the slice.

What is counted of a slice is text: `<responses>:<left out>:<rows>:<labelled rows>:<bytes>:<further ids>:<threshold>`,
the last empty unless responses had to leave the slice.

Every script has the number of its call, which grows with each call of a writer: it replies what it replied before if
its number is that of the last call, and refuses a smaller one. So a call may be repeated after an error.
"""

import json
import math
import re
import struct
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from driftgauge.drift.profile import FeatureKind
from driftgauge.inference.payload import Kind, ModelKey
from driftgauge.storage.label_slices import ALIAS_BYTES
from driftgauge.storage.labels import (
    LabelLayout,
    LabelOutcome,
    Match,
    Matured,
    Put,
    StoredLabel,
    WaitingResponse,
)
from driftgauge.storage.redis_layout import model_key, stream_key, writers_key
from driftgauge.storage.ring import StreamKey

_HEAD: Final = struct.Struct("<Q8sdIIB")
_LABEL: Final = struct.Struct("<QdIBBB")
_PUT_REPLY: Final = struct.Struct("<III")
_MATCH_REPLY: Final = struct.Struct("<dB")
_MATURE_REPLY: Final = struct.Struct("<dBIdB")
_DELAY: Final = struct.Struct("<d")

_NO_ROW: Final = 2**32 - 1
_NO_OUTPUT: Final = 255
"""A row and an output that no response has."""

_NUMBER: Final = rb"[0-9]{1,16}:"
_FACTS: Final = re.compile(4 * rb"([0-9]{1,16}):" + 2 * _NUMBER + rb"([0-9]{0,16})")

_LETTERS: Final = {
    b"m": LabelOutcome.MATCHED,
    b"j": LabelOutcome.MATCHED,
    b"u": LabelOutcome.UNKNOWN,
    b"n": LabelOutcome.NOT_KEPT,
    b"d": LabelOutcome.DUPLICATE,
    b"c": LabelOutcome.CORRECTED,
    b"l": LabelOutcome.TOO_LATE,
    b"x": LabelOutcome.MALFORMED,
}
"""A capital letter: the same, and its id may be a further one of a response that may come."""

_JUDGED: Final = b"j"
"""The letter of a label that matched and was judged in the call."""


class SliceFacts(NamedTuple):
    """What is counted of a slice.

    Args:
        responses: Those that wait.
        left_out: Those that were left out.
        rows: Rows of those that wait.
        labelled_rows: Of these, how many have a label.
        threshold: The score from which on none waits; `None` if none had to leave.
    """

    responses: int
    left_out: int
    rows: int
    labelled_rows: int
    threshold: int | None


class LabelKeys:
    """The keys of what waits of one model."""

    def __init__(self, model: ModelKey, writer: str) -> None:
        stream = StreamKey(model, Kind.OUTCOME)
        self.meta = model_key(model, "pending")
        self._first = [f"{self.meta}:last:{writer}", self.meta, f"{self.meta}:unripe"]
        self._first += [stream_key(stream), writers_key(stream)]

    def of_slices(self, starts: Sequence[float]) -> list[str]:
        """The keys of a script, for slices by their first moments, the newest one first."""
        slices = [self.slice(start) for start in starts]
        return [*self._first, *(key for one in slices for key in (one, f"{one}:labels"))]

    def slice(self, start: float) -> str:
        """The key of the responses of a slice, by its first moment."""
        return f"{self.meta}:{slice_name(start)}"


def slice_name(start: float) -> str:
    """How a slice is named, by its first moment."""
    return str(round(1000 * start))


def pack_layout(layout: LabelLayout) -> str:
    """The text of a layout."""
    return json.dumps([layout.predictions, layout.kinds, layout.outputs, layout.output_kinds], separators=(",", ":"))


def unpack_layout(text: bytes | str) -> LabelLayout | None:
    """The layout of a text; `None` if it has none."""
    try:
        predictions, kinds, outputs, output_kinds = (tuple(map(str, one)) for one in json.loads(text))
        layout = LabelLayout(
            predictions, tuple(map(FeatureKind, kinds)), outputs, tuple(map(FeatureKind, output_kinds))
        )
    except (ValueError, TypeError, RecursionError):  # the last one for JSON that is nested too deeply
        return None
    return layout if len(predictions) == len(kinds) and len(outputs) == len(output_kinds) else None


def pack_response(layout: LabelLayout, response: WaitingResponse) -> bytes:
    """The member of a response."""
    rows, columns = response.rows.shape
    aliases = np.array(response.ids[1:], dtype="<u8")
    head = _HEAD.pack(response.ids[0], bytes.fromhex(layout.schema), response.time, rows, columns, len(aliases))
    return head + aliases.tobytes() + np.ascontiguousarray(response.rows, dtype="<f8").tobytes()


class PackedResponse(NamedTuple):
    """A member of a slice.

    Args:
        digest: Of the first id.
        schema: Hash of its layout.
        time: When it passed, in seconds since the epoch.
        rows: Shape `(n, k)`.
    """

    digest: int
    schema: str
    time: float
    rows: NDArray[np.float64]

    @classmethod
    def of(cls, member: bytes) -> "PackedResponse | None":
        """The response of a member; `None` if it is damaged."""
        try:
            digest, schema, time, rows, columns, aliases = _HEAD.unpack_from(member)
            data = np.frombuffer(member, dtype="<f8", offset=_HEAD.size + ALIAS_BYTES * aliases)
            return cls(digest, schema.hex(), time, data.reshape(rows, columns))
        except (struct.error, ValueError):
            return None


def pack_label(label: StoredLabel, ages: range) -> bytes:
    """The argument of a label whose response may be in slices of these ages."""
    first, last = (ages[0], ages[-1]) if ages else (1, 0)
    possible = 0 <= label.row < _NO_ROW and 0 <= label.output < _NO_OUTPUT and math.isfinite(label.value)
    row, output, value = (label.row, label.output, label.value) if possible else (_NO_ROW, _NO_OUTPUT, 0.0)
    return _LABEL.pack(label.id, value + 0.0, row, output, first, last)  # + 0.0: the negative zero is zero


def unpack_put(reply: bytes) -> tuple[Put, list[float | None]]:
    """What became of responses, and the threshold of each slice, newest first."""
    thresholds = np.frombuffer(reply, dtype="<f8", offset=_PUT_REPLY.size).tolist()
    return Put(*_PUT_REPLY.unpack_from(reply)), [None if one < 0 else one for one in thresholds]


class OutcomeAppend(NamedTuple):
    """What a script says of its append to the outcomes.

    Args:
        total: Rows that the writer has appended.
        replaced: Which keys were replaced, as of `APPEND`.
    """

    total: int
    replaced: int


def unpack_matches(reply: bytes) -> tuple[OutcomeAppend, list[Match]]:
    """What became of each label."""
    total, replaced = _MATCH_REPLY.unpack_from(reply)
    matches, position = [], _MATCH_REPLY.size
    while position < len(reply):
        letter = reply[position : position + 1]
        outcome = _LETTERS[letter.lower()]
        position += 1
        if outcome is LabelOutcome.MATCHED:
            delay = _DELAY.unpack_from(reply, position)[0]
            matches.append(Match(outcome, delay, is_judged=letter == _JUDGED))
            position += _DELAY.size
        else:
            matches.append(Match(outcome, may_come=letter.isupper()))
    return OutcomeAppend(int(total), replaced), matches


def unpack_matured(reply: bytes) -> tuple[OutcomeAppend, Matured]:
    """What was judged."""
    total, replaced, labelled, unlabelled, more = _MATURE_REPLY.unpack(reply)
    return OutcomeAppend(int(total), replaced), Matured(labelled, int(unlabelled), bool(more))


def unpack_slices(fields: Mapping[bytes, bytes]) -> dict[int, SliceFacts]:
    """What is counted of each slice, by its first moment in milliseconds; fields that are not ours are left out."""
    found = {}
    for name, value in fields.items():
        facts = _FACTS.fullmatch(value)
        if facts is not None and name.isdigit():
            *numbers, threshold = facts.groups()
            responses, left_out, rows, labelled = map(int, numbers)
            found[int(name)] = SliceFacts(responses, left_out, rows, labelled, int(threshold) if threshold else None)
    return found
