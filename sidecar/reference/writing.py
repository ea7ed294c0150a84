"""Puts a reference's file in place in one step, so that a running sidecar reads the old one or the new one."""

import os
from pathlib import Path

from sidecar.errors import ReferenceDataError


def check_output(path: Path) -> None:
    """Refuse, before any work is done, a name under which a reference could not be read.

    Raises:
        ReferenceDataError: The extension is another one, or there is no such folder.
    """
    if path.suffix.lower() != ".npz":
        raise ReferenceDataError(f"{path}: a reference is written as .npz")
    if not path.parent.is_dir():
        raise ReferenceDataError(f"{path}: there is no folder {path.parent}")
    if path.is_dir():
        raise ReferenceDataError(f"{path}: this is a directory, not a file")


def write_whole(path: Path, content: bytes) -> None:
    """Write a file and put it in the place of the old one.

    Raises:
        ReferenceDataError: It cannot be written; what was there before stays.
    """
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with part.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise ReferenceDataError(f"{path}: it cannot be written: {error.strerror}") from error
