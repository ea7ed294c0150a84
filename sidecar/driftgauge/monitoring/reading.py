"""Reads what a store has of several models with one call, or by model where a part of the store is away."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from driftgauge.errors import StorageError
from driftgauge.inference.payload import ModelKey

Found = TypeVar("Found")


async def read_models(
    read: Callable[[Sequence[ModelKey]], Awaitable[list[Found]]], models: Sequence[ModelKey], *, is_divided: bool
) -> list[Found | StorageError]:
    """Read what a store has of models with one call; if it fails, and parts of the store fail alone, model by model.

    Args:
        read: Reads what the store has of models, in order.
        models: The models.
        is_divided: Whether the store may be away for some models only.

    Returns:
        For each model what the store has, or why it cannot be read.

    Raises:
        StorageError: The store is away or slow for all of them.
    """
    try:
        return [*await read(models)]
    except StorageError as error:
        if len(models) == 1 or not is_divided:
            raise
        first = error

    async def read_one(model: ModelKey) -> Found | StorageError:
        """What the store has of one model."""
        try:
            (found,) = await read([model])
        except StorageError as error:
            return error
        return found

    found = await asyncio.gather(*map(read_one, models))
    if all(isinstance(one, StorageError) for one in found):
        raise first
    return found
