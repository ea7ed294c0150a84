"""The references of a running process: which model has which, and the reload of changed files."""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from driftgauge.inference.payload import ModelKey
from driftgauge.reference.column import NO_RULES, ColumnRules
from driftgauge.reference.dataset import Reference
from driftgauge.reference.file_limits import ANY_SIZE, FileLimits
from driftgauge.reference.files import READERS
from driftgauge.reference.loading import FileToLoad, LoadResult, Signature, load_here, read_signature
from driftgauge.reference.table import is_unicode

Name = tuple[str, str]
"""Namespace, empty where a file is for every namespace, and InferenceService."""

EVERY_MODEL: Name = ("", "")
"""The name of the one file of proxy mode; no file of a directory can have it."""


def list_references(directory: Path) -> tuple[dict[Name, Path], frozenset[str]]:
    """Find `<inference_service>.<ext>` and `<namespace>/<inference_service>.<ext>`.

    Args:
        directory: Where to look. Names that begin with a dot are skipped: Kubernetes keeps the
            versions of a ConfigMap under `..data` and `..2026_01_01...`, and links to them.

    Returns:
        The file of each name, and one sentence for each fault: a directory that cannot be listed, an entry
        that cannot be looked at, two files of one name (neither is taken).
    """
    faults: set[str] = set()
    files: dict[Name, list[Path]] = {}
    for namespace, path in _list_candidates(directory, faults):
        files.setdefault((namespace, path.stem), []).append(path)
    for name, paths in files.items():
        if len(paths) > 1:
            both = " and ".join(str(path) for path in sorted(paths))
            faults.add(f"{both} are both references of {written(name)}: only one may be")
    return {name: paths[0] for name, paths in sorted(files.items()) if len(paths) == 1}, frozenset(faults)


def written(name: Name) -> str:
    """A name as people write it: `namespace/inference_service`, the InferenceService alone, or `*` for every model."""
    return "/".join(filter(None, name)) or "*"


def _list_candidates(directory: Path, faults: set[str]) -> Iterator[tuple[str, Path]]:
    """List the namespace and path of each file with one of the extensions, two levels deep."""
    for path in _list_entries(directory, faults):
        if _is_directory(path, faults):
            yield from ((path.name, inner) for inner in _list_entries(path, faults) if _is_table(inner, faults))
        elif _is_table(path, faults):
            yield "", path


def _is_table(path: Path, faults: set[str]) -> bool:
    """Whether the extension is that of a dataset; whether the file is readable shows when it is read."""
    return path.suffix.lower() in READERS and _is_directory(path, faults) is False


def _is_directory(path: Path, faults: set[str]) -> bool | None:
    """Whether an entry is a directory; `None`, with a fault added, if the system refuses to say."""
    try:
        return path.is_dir()
    except OSError as error:
        faults.add(f"{path}: it cannot be looked at: {error.strerror}")
        return None


def _list_entries(directory: Path, faults: set[str]) -> list[Path]:
    """List a directory in order, without hidden names."""
    try:
        with os.scandir(directory) as listed:
            names = sorted(entry.name for entry in listed)
    except OSError as error:
        faults.add(f"{directory}: the directory cannot be listed: {error.strerror}")
        return []
    unreadable = [name for name in names if not is_unicode(name)]
    faults.update(f"{directory}: the name {name!a} is not UTF-8 and cannot stand in a label" for name in unreadable)
    return [directory / name for name in names if not name.startswith(".") and name not in unreadable]


class Fault(str):
    """A sentence about a fault that a person has to fix."""

    __slots__ = ()


@dataclass(frozen=True, slots=True, eq=False)
class _Entry:
    """What is known of one name.

    Args:
        path: Where it was last found.
        seen: Signature of the file when it was last looked at; `None` if it could not be.
        signature: Of the file when it was last read; `None` if it is to be read again in any case.
        reference: The newest version that could be used.
        fault: Why the newest version cannot be used; empty if it can.
    """

    path: Path
    seen: Signature | None = None
    signature: Signature | None = None
    reference: Reference | None = None
    fault: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class ChangedFile:
    """A file that is new or has changed.

    Args:
        name: Whose reference it is.
        file: What to load.
    """

    name: Name
    file: FileToLoad


class ReferenceStore:
    """The references of every model, kept up to date with the files. `get` and `loaded` may be called from any thread.

    Args:
        file: The dataset that every model is tested against (proxy mode).
        directory: Where `<namespace>/<inference_service>.<ext>` and `<inference_service>.<ext>` lie (logger mode).
            The configuration allows one of the two; where both are given, an entry there goes before `file`.
        rules: How the files are read.
        limits: How large they may be.
    """

    def __init__(
        self,
        file: Path | None,
        directory: Path | None,
        rules: ColumnRules = NO_RULES,
        limits: FileLimits = ANY_SIZE,
    ) -> None:
        self._rules = rules
        self._limits = limits
        self._file = file
        self._directory = directory
        self._entries: dict[Name, _Entry] = {}
        self._listing_faults: frozenset[str] = frozenset()
        self._references: Mapping[Name, Reference] = {}
        self._is_started = False

    def refresh(self, now: float) -> list[str]:
        """Load files that are new or have changed, at once and in the calling thread.

        Args:
            now: Seconds since the epoch.

        Returns:
            One sentence for each reference that was loaded or replaced and for each of its notes, and a `Fault`
            for each fault when it first occurs. A faulty or vanished file leaves the reference that was
            loaded before in place.
        """
        sentences, changes = self.find_changes(at_once=True)
        for change in changes:
            sentences += self.record(change, load_here(change.file, now))
        return sentences

    def find_changes(self, *, at_once: bool = False) -> tuple[list[str], list[ChangedFile]]:
        """List the files to load: those that are new or have changed, and are no longer being written.

        A file is no longer being written if two calls in succession find it the same. The first call of all waits for
        nothing, since a start should not wait; nor does a file to which another symbolic link leads than before,
        since a link is swapped when the content is complete (a ConfigMap's `..data`).

        Blocks on the disk: call it in a thread, one at a time.

        Args:
            at_once: List files that may still be written, too.

        Returns:
            A `Fault` for each fault of the directory when it first occurs, and the files to load.
        """
        at_once, self._is_started = at_once or not self._is_started, True
        paths, faults = self._list_files()
        sentences: list[str] = [Fault(fault) for fault in sorted(faults - self._listing_faults)]
        self._listing_faults = faults
        changes = [self._find_change(name, path, at_once=at_once) for name, path in paths.items()]
        return sentences, [change for change in changes if change is not None]

    def record(self, change: ChangedFile, result: LoadResult) -> list[str]:
        """Take over what came of loading a file; returns the sentences on it, as `refresh` does."""
        if result.is_changing:
            return []
        before = self._entries[change.name]
        after = replace(
            before,
            signature=None if result.is_temporary else change.file.signature,
            reference=result.reference or before.reference,
            fault=result.fault,
        )
        self._entries[change.name] = after
        if after.reference is not None:
            self._references = {**self._references, change.name: after.reference}
        return _describe_change(before, after)

    def _find_change(self, name: Name, path: Path, *, at_once: bool) -> ChangedFile | None:
        """Look at the file of a name; returns it if it must be loaded."""
        before = self._entries.get(name)
        signature = read_signature(path)
        after = self._entries[name] = replace(before or _Entry(path), path=path, seen=signature)
        if signature is not None and signature == after.signature:
            return None
        if not at_once and (before is None or _may_be_changing(before, after)):
            return None
        digest = after.reference.digest if after.reference else ""
        return ChangedFile(name, FileToLoad(path, signature, digest, self._rules, self._limits))

    def get(self, model: ModelKey) -> Reference | None:
        """The reference of a model: its namespace's, else its InferenceService's, else the file's. No I/O."""
        name = self.name_of(model)
        return None if name is None else self._references.get(name)

    def name_of(self, model: ModelKey) -> Name | None:
        """The name of the reference that `get` returns."""
        references = self._references
        for name in ((model.namespace, model.inference_service), ("", model.inference_service), EVERY_MODEL):
            if name in references:
                return name
        return None

    def loaded(self) -> Mapping[str, Reference]:
        """What is loaded, by name: `namespace/inference_service`, `inference_service`, or `*` for the file."""
        return {written(name): reference for name, reference in self._references.items()}

    def _list_files(self) -> tuple[dict[Name, Path], frozenset[str]]:
        """List the file of each name, including names whose file no longer exists, and the faults of the directory."""
        paths = {name: entry.path for name, entry in self._entries.items()}
        faults: frozenset[str] = frozenset()
        if self._file is not None:
            paths[EVERY_MODEL] = self._file
        if self._directory is not None:
            found, faults = list_references(self._directory)
            paths |= found
        return paths, faults


def _may_be_changing(before: _Entry, after: _Entry) -> bool:
    """Whether a file differs from what it was when it was last looked at, and not only by the links that lead to it."""
    if before.seen is None or after.seen is None or before.path != after.path:
        return before.seen != after.seen
    is_swapped = before.seen.real_path != after.seen.real_path
    return before.seen != after.seen and not is_swapped


def _describe_change(before: _Entry, after: _Entry) -> list[str]:
    """The sentences on a change; none if nothing changed."""
    if after.fault:
        if after.fault == before.fault:
            return []
        return [Fault(f"{after.fault}; the reference loaded before stays" if after.reference else after.fault)]
    if after.reference is not None and after.reference is not before.reference:
        new = after.reference
        verb = "replaced" if before.reference else "loaded"
        size = f"{new.rows} rows, {len(new.columns)} columns"
        if new.predictions:
            size += f", {len(new.predictions)} of predictions"
        if new.labelled:
            size += f", labels of {len(new.labelled)} {'output' if len(new.labelled) == 1 else 'outputs'}"
        if new.is_ordered:
            size += ", in the order of time"
        reported = f"{verb} the reference {new.path}: {size}, sha256 {new.digest[:12]}"
        warnings = new.warnings
        notes = [Fault(f"{new.path}: {note}") if note in warnings else f"{new.path}: {note}" for note in new.notes]
        return [reported, *notes]
    if before.fault:
        return [f"{after.path}: the file can be used again, its content is what was loaded before"]
    return []
