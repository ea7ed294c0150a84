"""Loads one reference file: in a child process while driftgauge serves, else in the calling thread."""

import hashlib
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple, Protocol, TypeVar

from driftgauge.concurrency.task_process import NoProcessError, TaskFailedError, TaskProcess
from driftgauge.concurrency.worker import Worker
from driftgauge.errors import DriftgaugeError, ReferenceDataError
from driftgauge.reference.column import NO_RULES, ColumnRules
from driftgauge.reference.dataset import Reference, prepare
from driftgauge.reference.file_limits import ANY_SIZE, FileLimits, out_of_memory
from driftgauge.reference.files import check_file, parse_table, read_content
from driftgauge.reference.packing import PackedReference, pack, unpack

_T = TypeVar("_T")

_CHILD_SECONDS: Final = 900
"""Time for one file. The slowest one within the limits takes 80 s: 2,000 columns with times and missing values.

A container may have a tenth of a core.
"""

_CHILD_IDLE_SECONDS: Final = 10
_SMALL_BYTES: Final = 2**20
"""Longest file that is loaded in a thread at the start, when there are no requests yet that it could delay.

So the start does not wait for a child process, which takes long where the CPU is scarce.
"""

_REUSED_BYTES: Final = 2**20
"""A child is used for the next file only after one that is smaller than this, and that was loaded.

Else its memory may be fragmented, so that the next file fails at the limit.
"""


class FileChangingError(DriftgaugeError):
    """A file was changed while it was read."""


class Signature(NamedTuple):
    """What changes with the content of a file. If all is equal, so is the content.

    Args:
        real_path: The path without symbolic links.
        device: The file system.
        inode: Of the file.
        bytes: The size.
        modified_ns: When the content last changed, in nanoseconds since the epoch.
        changed_ns: When the inode last changed, which it also does when the file becomes readable.
    """

    real_path: str
    device: int
    inode: int
    bytes: int
    modified_ns: int
    changed_ns: int


@dataclass(frozen=True, slots=True)
class FileToLoad:
    """A file that is new or has changed.

    Args:
        path: The file.
        signature: Of the file; `None` if it could not be looked at.
        digest: SHA-256 of the content that is loaded already, in hexadecimal; empty if there is none.
        rules: How the file is read.
        limits: How large it may be.
    """

    path: Path
    signature: Signature | None = None
    digest: str = ""
    rules: ColumnRules = NO_RULES
    limits: FileLimits = ANY_SIZE


@dataclass(frozen=True, slots=True, eq=False)
class LoadResult:
    """What came of loading a file.

    Args:
        reference: The new reference; `None` if the content is what is loaded already, or with a fault.
        fault: Why the file cannot be used; empty if it can.
        is_temporary: The fault is not the file's, so that loading it again may succeed.
        is_changing: The file was changed while it was read. There is neither a reference nor a fault.
    """

    reference: Reference | None = None
    fault: str = ""
    is_temporary: bool = False
    is_changing: bool = False


def read_signature(path: Path) -> Signature | None:
    """Read the attributes that change with the content of a file; symbolic links are followed."""
    try:
        real = os.path.realpath(path)
        facts = Path(real).stat()
    except (OSError, ValueError):  # ValueError: a NUL in the path
        return None
    return Signature(real, facts.st_dev, facts.st_ino, facts.st_size, facts.st_mtime_ns, facts.st_ctime_ns)


def load_here(file: FileToLoad, now: float) -> LoadResult:
    """Load a file in the calling thread.

    Args:
        file: The file.
        now: Seconds since the epoch.
    """
    try:
        return LoadResult(_load(file, now))
    except FileChangingError:
        return LoadResult(is_changing=True)
    except ReferenceDataError as error:
        return LoadResult(fault=str(error))
    except MemoryError:
        return LoadResult(fault=str(out_of_memory(file.path)))


class Loader(Protocol):
    """Loads files one after the other."""

    async def load(self, file: FileToLoad, now: float) -> LoadResult:
        """Load a file.

        Args:
            file: The file.
            now: Seconds since the epoch.
        """

    async def rest(self) -> None:
        """Free the memory that loading took: no file will follow soon."""

    async def close(self) -> None:
        """Free all that loading needs. No call may be running."""


class ChildLoader:
    """Loads files in a child process, so that serving continues at its pace and keeps its memory.

    Small files of CSV and NPZ are loaded in a thread until the first call of `rest`.

    Args:
        memory_bytes: The most memory that the child may use for one file.
    """

    def __init__(self, memory_bytes: int) -> None:
        self._process = TaskProcess("reference-child", memory_bytes=memory_bytes, idle_seconds=_CHILD_IDLE_SECONDS)
        self._worker = Worker("reference-load")
        self._is_starting = True

    @property
    def child_pid(self) -> int | None:
        """The id of the child process; `None` while there is none."""
        return self._process.pid

    async def rest(self) -> None:
        """End the child process; the next file starts another."""
        self._is_starting = False
        await self._process.end()

    async def close(self) -> None:
        """End the thread and the child process."""
        self._worker.close()
        await self._process.close()

    async def load(self, file: FileToLoad, now: float) -> LoadResult:
        """Load a file, after the files before it.

        Args:
            file: The file.
            now: Seconds since the epoch.
        """
        if self._is_starting and _is_light(file):
            return await self._worker.run(load_here, file, now)
        result = await self._load(file, now)
        if result.fault or (file.signature is not None and file.signature.bytes > _REUSED_BYTES):
            await self._process.end()
        return result

    async def _load(self, file: FileToLoad, now: float) -> LoadResult:
        try:
            await self._worker.run(_check, file)
            packed = await self._process.run(_CHILD_SECONDS, _load_packed, file, now)
        except FileChangingError:
            return LoadResult(is_changing=True)
        except NoProcessError as error:
            return LoadResult(fault=f"{file.path}: it cannot be loaded: driftgauge {error}", is_temporary=True)
        except TaskFailedError as error:
            return LoadResult(fault=f"{file.path}: loading it {error}; a sample will do: driftgauge reference build")
        except ReferenceDataError as error:
            return LoadResult(fault=str(error))
        return LoadResult(None if packed is None else await self._worker.run(unpack, packed))


def _is_light(file: FileToLoad) -> bool:
    """Whether loading a file takes little memory. Parquet needs a library of 80 MB, which the process would keep."""
    is_small = file.signature is not None and file.signature.bytes <= _SMALL_BYTES
    return is_small and file.path.suffix.lower() != ".parquet"


def _load_packed(file: FileToLoad, now: float) -> PackedReference | None:
    """Load a file in the child process."""
    reference = _load(file, now)
    return None if reference is None else pack(reference)


def _load(file: FileToLoad, now: float) -> Reference | None:
    """Load a file; returns `None` if its content is what is loaded already.

    Raises:
        ReferenceDataError: The file cannot be used.
        FileChangingError: It was changed while it was read.
        MemoryError: There is not enough memory.
    """
    with _refusing(file.path):
        content = _access(file, read_content)
        if hashlib.sha256(content).hexdigest() == file.digest:
            return None
        table = parse_table(file.path, content, file.rules, file.limits)
        del content  # preparing takes memory, too
        reference = prepare(table, now, file.rules.time.zone)
        columns = (*reference.features, *reference.predictions)
        file.limits.check_categories(file.path, sum(len(column.categories) for column in columns))
        return reference


def _check(file: FileToLoad) -> None:
    """Refuse a file that no child needs to be started for, such as one that does not exist.

    Raises:
        ReferenceDataError: The file cannot be used.
        FileChangingError: It was changed.
    """
    with _refusing(file.path):
        _access(file, check_file)


def _access(file: FileToLoad, action: Callable[[Path, FileLimits], _T]) -> _T:
    """Read a file, and make sure that it is still the one that was looked at."""
    try:
        return action(file.path, file.limits)
    finally:
        if file.signature is not None and file.signature != read_signature(file.path):
            raise FileChangingError


@contextmanager
def _refusing(path: Path) -> Iterator[None]:
    """Refuse a file for any error: it must not end the watch over the others, whatever is in it."""
    try:
        yield
    except (DriftgaugeError, MemoryError):
        raise
    except Exception as error:
        raise ReferenceDataError(f"{path}: it cannot be used: {type(error).__name__}: {error}") from error
