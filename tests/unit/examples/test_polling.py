"""Waiting with a deadline."""

import itertools

import pytest

from examples.demo.errors import DemoError
from examples.demo.polling import until


async def test_first_answer_counts() -> None:
    """It asks again while the answer is `None`, and any other answer is given back, false or not."""
    responses = iter([None, None, 0])

    async def ask() -> int | None:
        """The next answer."""
        return next(responses)

    assert 0 == await until(ask, "a number")


async def test_deadline_names_what_was_awaited() -> None:
    """When the deadline is over the error says what did not come."""
    asked = itertools.count()

    async def ask() -> None:
        """No answer, but counted."""
        next(asked)

    with pytest.raises(DemoError, match=r"^Waited 0\.01 s in vain for rain\.$"):
        await until(ask, "rain", seconds=0.01)

    assert 1 <= next(asked)
