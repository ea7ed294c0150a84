"""A block of any shape comes back from its fields bit by bit."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from driftgauge.storage.redis_layout import pack, unpack
from driftgauge.storage.ring import Block

TIMES = st.floats(allow_nan=False, allow_infinity=False)


@st.composite
def blocks(draw: st.DrawFn) -> Block:
    """Blocks of up to five payloads of up to five rows."""
    lengths = draw(st.lists(st.integers(1, 5), min_size=1, max_size=5))
    shape = sum(lengths), draw(st.integers(1, 4))
    return Block(
        schema=draw(st.text(st.characters(codec="utf-8"), max_size=8)),
        rows=draw(arrays(np.float64, shape)),
        requests=np.array(lengths, dtype=np.int64),
        times=draw(arrays(np.float64, len(lengths), elements=TIMES)),
        ids=draw(arrays(np.uint64, len(lengths))),
    )


def fields_of(packed: list[str | bytes]) -> dict[bytes, bytes]:
    """The fields of an entry as the client returns them."""
    raw = [one.encode() if isinstance(one, str) else one for one in packed]
    return dict(zip(raw[::2], raw[1::2], strict=True))


@given(blocks())
def test_a_packed_block_is_unpacked_bit_by_bit(block: Block) -> None:
    """Also NaN with its payload, infinities, signed zeros and digests of all bits."""
    found = unpack(fields_of(pack(block)))

    assert found is not None
    assert block.schema == found.schema
    assert block.rows.shape == found.rows.shape
    for name in ("rows", "requests", "times", "ids"):
        assert getattr(block, name).tobytes() == getattr(found, name).tobytes()


@given(blocks(), st.sampled_from(["requests", "times", "ids", "data"]), st.integers(1, 9))
def test_a_block_with_a_field_cut_short_is_refused(block: Block, name: str, lost: int) -> None:
    """No field of bytes may miss its last bytes; nothing is raised."""
    fields = fields_of(pack(block))
    short = fields[name.encode()][:-lost]

    found = unpack({**fields, name.encode(): short})
    # Rows that lose whole columns look like narrower rows: they have another width, and are skipped for that.
    assert found is None or (name == "data" and found.rows.shape[1] < block.rows.shape[1])
