"""The references of a running process: which model has which, and the reload of files that change."""

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from sidecar.errors import ReferenceDataError
from sidecar.payload import ModelKey
from sidecar.reference.listing import EVERY_MODEL, Name, list_references, written
from sidecar.reference.load import Reference, prepare
from sidecar.reference.table import parse_table, read_content

Signature = tuple[str, int, int, int, int, int]
"""Real path, device, inode, size, and the times in nanoseconds at which the content and the inode last changed.

If all are the same so is the content; the inode's own time also tells that a file was made readable.
"""


class Fault(str):
    """A sentence that tells of something that someone has to mend."""

    __slots__ = ()


@dataclass(frozen=True, slots=True, eq=False)
class _Entry:
    """What is known of one name.

    Args:
        path: Where it was last found.
        signature: Of the file when it was last read; `None` if it could not be looked at.
        reference: The newest version that could be used.
        fault: Why the newest version cannot be used.
    """

    path: Path
    signature: Signature | None = None
    reference: Reference | None = None
    fault: str | None = None


class References:
    """The references of every model, kept up to date with the files. `get` and `loaded` may be called from any thread.

    Args:
        file: The dataset that every model is tested against (proxy mode).
        directory: Where `<namespace>/<inference_service>.<ext>` and `<inference_service>.<ext>` lie (logger mode).
            The configuration allows one of the two; where both are given, an entry there goes before `file`.
    """

    def __init__(self, file: Path | None, directory: Path | None) -> None:
        self._file = file
        self._directory = directory
        self._entries: dict[Name, _Entry] = {}
        self._listing_faults: frozenset[str] = frozenset()
        self._references: Mapping[Name, Reference] = {}

    def refresh(self, now: float) -> list[str]:
        """Load what is new or has changed. Blocks on the disk: call it in a thread, one at a time.

        Args:
            now: Seconds since the epoch.

        Returns:
            One sentence for each reference that was loaded or replaced and for each of its notes, and a `Fault`
            for each fault the first time that it is met. A faulty or vanished file leaves the reference that was
            loaded before in place.
        """
        paths, faults = self._wanted()
        sentences: list[str] = [Fault(fault) for fault in sorted(faults - self._listing_faults)]
        self._listing_faults = faults
        for name, path in paths.items():
            before = self._entries.get(name, _Entry(path))
            after = _renewed(before, path, now)
            self._entries[name] = after
            sentences += _told(before, after)
        self._references = {name: entry.reference for name, entry in self._entries.items() if entry.reference}
        return sentences

    def get(self, model: ModelKey) -> Reference | None:
        """The reference of a model: its namespace's, else its InferenceService's, else the file's. No I/O."""
        references = self._references
        for name in ((model.namespace, model.inference_service), ("", model.inference_service), EVERY_MODEL):
            if name in references:
                return references[name]
        return None

    def loaded(self) -> Mapping[str, Reference]:
        """What is loaded, by name: `namespace/inference_service`, `inference_service`, or `*` for the file."""
        return {written(name): reference for name, reference in self._references.items()}

    def _wanted(self) -> tuple[dict[Name, Path], frozenset[str]]:
        """The file of each name, also of names whose file is gone by now, and the faults of the directory."""
        paths = {name: entry.path for name, entry in self._entries.items()}
        faults: frozenset[str] = frozenset()
        if self._file is not None:
            paths[EVERY_MODEL] = self._file
        if self._directory is not None:
            found, faults = list_references(self._directory)
            paths |= found
        return paths, faults


def _renewed(entry: _Entry, path: Path, now: float) -> _Entry:
    """What is known of a name after a look at its file, which is read only if it has changed."""
    signature = _signature(path)
    if signature is not None and signature == entry.signature:
        return entry
    looked_at = replace(entry, path=path, signature=signature, fault=None)
    try:
        content = read_content(path)
        if entry.reference and hashlib.sha256(content).hexdigest() == entry.reference.digest:
            return looked_at
        return replace(looked_at, reference=prepare(parse_table(path, content), now))
    except ReferenceDataError as error:
        return replace(looked_at, fault=str(error))
    except Exception as error:  # noqa: BLE001 one file must not end the watch over the others, whatever is in it
        return replace(looked_at, fault=f"{path}: it cannot be used: {type(error).__name__}: {error}")


def _signature(path: Path) -> Signature | None:
    """The marks by which a changed file is told, without reading it; a symbolic link is followed."""
    try:
        real = os.path.realpath(path)
        facts = Path(real).stat()
    except (OSError, ValueError):  # ValueError: a NUL in the path
        return None
    return real, facts.st_dev, facts.st_ino, facts.st_size, facts.st_mtime_ns, facts.st_ctime_ns


def _told(before: _Entry, after: _Entry) -> list[str]:
    """The sentence that a change is worth, if it is worth one."""
    if after.fault is not None:
        if after.fault == before.fault:
            return []
        return [Fault(f"{after.fault}; the reference loaded before stays" if after.reference else after.fault)]
    if after.reference is not None and after.reference is not before.reference:
        new = after.reference
        verb = "replaced" if before.reference else "loaded"
        size = f"{new.rows} rows, {len(new.columns)} columns"
        if new.predictions:
            size += f", {len(new.predictions)} of predictions"
        told = f"{verb} the reference {new.path}: {size}, sha256 {new.digest[:12]}"
        return [told, *(f"{new.path}: {note}" for note in new.notes)]
    if before.fault is not None:
        return [f"{after.path}: the file can be used again, its content is what was loaded before"]
    return []
