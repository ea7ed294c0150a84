"""Reads what a store has of several models: from each place of the store side by side, since one may hang."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from driftgauge.errors import StorageError
from driftgauge.inference.payload import ModelKey

Found = TypeVar("Found")

Group = Callable[[Sequence[ModelKey]], Awaitable[list[list[ModelKey]]]]


async def read_models(
    read: Callable[[Sequence[ModelKey]], Awaitable[list[Found]]], models: Sequence[ModelKey], group: Group
) -> list[Found | StorageError]:
    """Read what a store has of models, with one call for each place, all side by side.

    Args:
        read: Reads what the store has of models that are in one place, in order.
        models: The models.
        group: Says which of the models are in one place.

    Returns:
        For each model what the store has, or why it cannot be read.

    Raises:
        StorageError: The store is away or slow for all of them.
    """

    async def read_group(group: Sequence[ModelKey]) -> dict[ModelKey, Found | StorageError]:
        """What the store has of the models of one place."""
        try:
            return dict(zip(group, await read(group), strict=True))
        except StorageError as error:
            return dict.fromkeys(group, error)

    found: dict[ModelKey, Found | StorageError] = {}
    for part in await asyncio.gather(*map(read_group, await group(models))):
        found.update(part)
    errors = [one for one in found.values() if isinstance(one, StorageError)]
    if errors and len(errors) == len(found):
        raise errors[0]
    return [found[model] for model in models]
