"""A block knows which of its rows came in one payload."""

from dataclasses import replace
from hashlib import blake2b

import numpy as np
import pytest

from driftgauge.storage.ring import id_digests
from tests.support.rows import block_of


@pytest.mark.parametrize("lengths", [[1, 2, 1], [4], [1, 1, 1, 1]], ids=repr)
def test_payloads_that_add_up_to_the_rows_make_a_block(lengths: list[int]) -> None:
    """In any division."""
    block = block_of(np.zeros((4, 2)), lengths=lengths)

    assert lengths == block.requests.tolist()


@pytest.mark.parametrize("lengths", [[], [3], [2, 3], [4, 0], [5, -1]], ids=repr)
def test_payloads_that_do_not_add_up_to_the_rows_are_refused(lengths: list[int]) -> None:
    """Too few rows, too many, or a payload without any: the message has both numbers."""
    with pytest.raises(ValueError, match=r"^requests: 4 rows cannot come in payloads of \[.*\] rows$"):
        block_of(np.zeros((4, 2)), lengths=lengths)


@pytest.mark.parametrize("field", ["times", "ids"])
def test_each_payload_needs_a_time_and_an_id(field: str) -> None:
    """A block with fewer of them is refused."""
    block = block_of(np.zeros((4, 2)))

    with pytest.raises(ValueError, match=r"^4 payloads with \d times and \d ids$"):
        replace(block, **{field: getattr(block, field)[1:]})


def test_the_digest_of_an_id_is_the_start_of_its_blake2b() -> None:
    """Whatever the text: empty, long, or with a lone surrogate."""
    ids = ["", "a", "wün" * 1000, "\udcff"]
    expected = [int.from_bytes(blake2b(one.encode("utf-8", "surrogatepass"), digest_size=8).digest()) for one in ids]

    assert expected == id_digests(ids).tolist()
    assert np.dtype(np.uint64) == id_digests([]).dtype
