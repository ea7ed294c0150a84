"""The demo waits with a deadline."""

import itertools

import pytest

from examples.demo.errors import DemoError
from examples.demo.polling import until


async def test_first_result_is_returned() -> None:
    """`until` calls again while the result is `None`, and returns any other result, also a false one."""
    results = iter([None, None, 0])

    async def check() -> int | None:
        """The next result."""
        return next(results)

    assert 0 == await until(check, "a number")


async def test_deadline_names_what_was_awaited() -> None:
    """After the deadline the error names what was awaited."""
    calls = itertools.count()

    async def check() -> None:
        """Count the call, and return nothing."""
        next(calls)

    with pytest.raises(DemoError, match=r"^Waited 0\.01 s for rain, without success\.$"):
        await until(check, "rain", seconds=0.01)

    assert 1 <= next(calls)
