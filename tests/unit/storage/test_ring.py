"""A block knows which of its rows came in one payload."""

import numpy as np
import pytest

from driftgauge.storage.ring import Block


@pytest.mark.parametrize("lengths", [[1, 2, 1], [4], [1, 1, 1, 1]], ids=repr)
def test_payloads_that_add_up_to_the_rows_make_a_block(lengths: list[int]) -> None:
    """In any division."""
    block = Block("s", np.zeros((4, 2)), 0.5, np.array(lengths))

    assert block.requests is not None
    assert lengths == block.requests.tolist()


@pytest.mark.parametrize("lengths", [[], [3], [2, 3], [4, 0], [5, -1]], ids=repr)
def test_payloads_that_do_not_add_up_to_the_rows_are_refused(lengths: list[int]) -> None:
    """Too few rows, too many, or a payload without any: the message has both numbers."""
    with pytest.raises(ValueError, match=r"^requests: 4 rows cannot come in payloads of \[.*\] rows$"):
        Block("s", np.zeros((4, 2)), 0.5, np.array(lengths, dtype=np.int64))
