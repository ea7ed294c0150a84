"""Values made of mounted files, such as a Secret of Kubernetes, and made again when the files change."""

import asyncio
import hashlib
import logging
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Final, Generic, Protocol, TypeVar, final

from driftgauge.concurrency.worker import Worker
from driftgauge.errors import ConfigError

_log = logging.getLogger(__name__)

MAX_FILE_BYTES: Final = 2**20
"""Longest file that is read."""

T = TypeVar("T")


class Reloadable(Protocol):
    """What can be made again."""

    def reload(self) -> None:
        """Make it again if its files have changed. Reads files, and never raises."""


@final
class ReloadedFiles(Generic[T]):
    """A value that some files describe.

    Args:
        name: What the files are, for the log: `tokens`.
        paths: The files.
        make: Makes the value from the files; raises `ValueError` with one sentence if they cannot be used.

    Raises:
        ConfigError: The files cannot be used now.

    Attributes:
        value: The value of the newest files that could be used.
    """

    def __init__(self, name: str, paths: Sequence[Path], make: Callable[[], T]) -> None:
        self._name = name
        self._paths = tuple(paths)
        self._make = make
        try:
            self._seen = self._digest()
            self.value = make()
        except ValueError as error:
            raise ConfigError([f"{name}: {error}"]) from None

    def reload(self) -> None:
        """Make the value again if a file has changed; files that cannot be used leave the old one, and one log line."""
        try:
            digest = self._digest()
        except ValueError as error:
            if self._seen != str(error):
                self._seen = str(error)
                _log.error("%s: %s; the ones before stay in use", self._name, error)
            return
        if digest == self._seen:
            return
        self._seen = digest
        try:
            self.value = self._make()
        except ValueError as error:
            _log.error("%s: %s; the ones before stay in use", self._name, error)
        else:
            _log.info("%s: new files are in use", self._name)

    def _digest(self) -> str:
        """A digest of the content of all files: one that is replaced may keep its time and length."""
        digest = hashlib.sha256()
        for path in self._paths:
            digest.update(hashlib.sha256(read_file(path)).digest())
        return digest.hexdigest()


def read_file(path: Path) -> bytes:
    """The content of a short file.

    Raises:
        ValueError: It cannot be read, or is longer than 1 MiB.
    """
    try:
        with path.open("rb") as file:
            content = file.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise ValueError(f"{path} cannot be read ({error.strerror or error})") from None
    if len(content) > MAX_FILE_BYTES:
        raise ValueError(f"{path} is longer than 1 MiB")
    return content


async def reload_regularly(reloadables: Iterable[Reloadable], interval_seconds: float) -> None:
    """Make values again whose files have changed, until cancelled. A volume that hangs blocks a thread alone."""
    values = list(reloadables)
    worker = Worker("files")
    try:
        while values:
            await asyncio.sleep(interval_seconds)
            for value in values:
                await worker.run(value.reload)
    finally:
        worker.close()
