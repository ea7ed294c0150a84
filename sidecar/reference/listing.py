"""The names under a directory of references. Paths come from listing it alone, never from a model's name."""

import os
from collections.abc import Iterator
from pathlib import Path

from sidecar.reference.table import READERS

Name = tuple[str, str]
"""Namespace, empty where a file is for every namespace, and InferenceService."""

EVERY_MODEL: Name = ("", "")
"""The name of the one file of proxy mode; no file of a directory can have it."""


def list_references(directory: Path) -> tuple[dict[Name, Path], frozenset[str]]:
    """Find `<inference_service>.<ext>` and `<namespace>/<inference_service>.<ext>`.

    Args:
        directory: Where to look. Names that begin with a dot are passed over: Kubernetes keeps the
            versions of a ConfigMap under `..data` and `..2026_01_01...`, and links to them.

    Returns:
        The file of each name, and one sentence for each fault: a directory that cannot be listed, an entry
        that cannot be looked at, two files of one name (neither is taken).
    """
    faults: set[str] = set()
    files: dict[Name, list[Path]] = {}
    for namespace, path in _candidates(directory, faults):
        files.setdefault((namespace, path.stem), []).append(path)
    for name, paths in files.items():
        if len(paths) > 1:
            both = " and ".join(str(path) for path in sorted(paths))
            faults.add(f"{both} are both references of {written(name)}: only one may be")
    return {name: paths[0] for name, paths in sorted(files.items()) if len(paths) == 1}, frozenset(faults)


def written(name: Name) -> str:
    """A name as people write it: `namespace/inference_service`, the InferenceService alone, or `*` for every model."""
    return "/".join(filter(None, name)) or "*"


def _candidates(directory: Path, faults: set[str]) -> Iterator[tuple[str, Path]]:
    """The namespace and path of each file that has one of the extensions, two floors deep."""
    for path in _entries(directory, faults):
        if _is_directory(path, faults):
            yield from ((path.name, inner) for inner in _entries(path, faults) if _is_table(inner, faults))
        elif _is_table(path, faults):
            yield "", path


def _is_table(path: Path, faults: set[str]) -> bool:
    """A file by its extension; whether it can be read is found when it is."""
    return path.suffix.lower() in READERS and _is_directory(path, faults) is False


def _is_directory(path: Path, faults: set[str]) -> bool | None:
    """Whether an entry is a directory, `None` if it cannot be told (one may list a directory and yet not enter it)."""
    try:
        return path.is_dir()
    except OSError as error:
        faults.add(f"{path}: it cannot be looked at: {error.strerror}")
        return None


def _entries(directory: Path, faults: set[str]) -> list[Path]:
    """What a directory holds, in order, hidden names left out."""
    try:
        with os.scandir(directory) as listed:
            names = sorted(entry.name for entry in listed)
    except OSError as error:
        faults.add(f"{directory}: the directory cannot be listed: {error.strerror}")
        return []
    unreadable = [name for name in names if not _is_unicode(name)]
    faults.update(f"{directory}: the name {name!a} is not UTF-8 and cannot stand in a label" for name in unreadable)
    return [directory / name for name in names if not name.startswith(".") and name not in unreadable]


def _is_unicode(name: str) -> bool:
    """Whether a file's name is text: bytes that are not UTF-8 arrive as surrogates."""
    return name.isascii() or not any("\ud800" <= letter <= "\udfff" for letter in name)
