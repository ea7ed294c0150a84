"""Raw tensors are read as Triton's own client reads them."""

import numpy as np
import pytest
from tritonclient.utils import deserialize_bytes_tensor, serialize_byte_tensor, triton_to_np_dtype

from driftgauge.protocol.tensor import WIRE_DTYPES
from driftgauge.protocol.v2 import from_binary

BITS = np.random.default_rng(20260301).integers(0, 256, 4096, dtype=np.uint8)
"""Any bits: they cover NaN, infinities and subnormal numbers of each width."""


@pytest.mark.parametrize("datatype", sorted(WIRE_DTYPES))
def test_values(datatype: str) -> None:
    """Every bit pattern of a fixed size is the value that numpy reads with the client's dtype.

    BF16 becomes the decimal that it stands for, and itself again when it is made narrow.
    """
    dtype = np.dtype(triton_to_np_dtype(datatype))
    bits = BITS & 1 if datatype == "BOOL" else BITS
    expected = np.frombuffer(bits.tobytes(), dtype=dtype)
    with np.errstate(invalid="ignore"):  # signalling NaN among the bits
        found = from_binary(memoryview(bits.tobytes()), datatype, expected.size, "x")

        if datatype == "BF16":
            found, expected = found.astype(dtype).astype(np.float32), expected.astype(np.float32)
        np.testing.assert_array_equal(expected.astype(found.dtype), found, strict=True)


def test_texts() -> None:
    """BYTES that the client packs are what the client unpacks."""
    texts = np.array([b"", b"red", "wine é".encode(), b"\x00\xff", b"x" * 1000], dtype=object)
    packed: bytes = serialize_byte_tensor(texts).item()

    assert deserialize_bytes_tensor(packed).tolist() == from_binary(memoryview(packed), "BYTES", 5, "x").tolist()
