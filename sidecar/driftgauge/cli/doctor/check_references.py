"""Whether the references load, and have rows enough for the false-alarm budget."""

import asyncio
import hashlib
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from driftgauge.app.settings import decision_rule, file_limits, reference_store
from driftgauge.cli.doctor.finding import Finding, fail, ok, warn
from driftgauge.cli.doctor.running_process import RunningProcess
from driftgauge.config.options import Config
from driftgauge.inference.payload import printable
from driftgauge.monitoring.targets import ReferenceSize
from driftgauge.reference.loading import ChildLoader
from driftgauge.reference.store import ChangedFile, written

_CHECK: Final = "reference"
_MAX_FILES: Final = 20
_SECONDS: Final = 30.0
"""Time for all files together."""


async def check_references(config: Config, process: RunningProcess | None) -> list[Finding]:
    """Each reference: what the running process has loaded, and what loading the others here gives.

    Files that the process has loaded are not loaded again, since the memory of its container is for the process.
    """
    if config.reference is None and config.reference_dir is None:
        return [
            warn(_CHECK, "there is none, so nothing is tested: set reference, or reference_dir with a file a model")
        ]
    faults, files = await asyncio.to_thread(reference_store(config).find_changes, at_once=True)
    listed = {} if process is None else {one["path"]: one for one in process.status.get("references") or ()}
    found = [fail(_CHECK, fault) for fault in faults]
    to_load: list[tuple[ChangedFile, str]] = []
    unlisted: list[tuple[ChangedFile, str]] = []
    for file in files:
        facts = listed.get(printable(str(file.file.path)))
        if facts is None:
            unlisted.append((file, "has not loaded it"))
        elif await asyncio.to_thread(_has_changed, file.file.path, facts):
            to_load.append((file, "has an older version of it"))
        else:
            found.append(_of_process(facts))
    if process is not None and (loaded := process.status.get("references_loaded") or 0) > len(listed):
        found.append(_of_unlisted(loaded, len(listed), len(unlisted)))
    else:
        to_load += unlisted
    found += await _load_here(to_load, config, process)
    if not found:
        found.append(warn(_CHECK, f"{config.reference_dir} has no files: file <inference_service>.csv there"))
    return found


def _has_changed(path: Path, facts: dict[str, Any]) -> bool:
    """Whether a file is not what the process has loaded, or cannot be read. An older version does not say."""
    try:
        with path.open("rb") as content:
            return facts.get("sha256") not in {None, hashlib.file_digest(content, "sha256").hexdigest()}
    except OSError:
        return "sha256" in facts


def _of_unlisted(loaded: int, listed: int, files: int) -> Finding:
    """The finding on files that `/status` does not list, since it lists only some."""
    if files > loaded - listed:
        text = f"the running process has loaded {loaded} references, but there are {listed + files}: see its log"
        return warn(_CHECK, text)
    return ok(_CHECK, f"{files} files more are not listed: the running process has loaded {loaded} references")


async def _load_here(
    files: Sequence[tuple[ChangedFile, str]], config: Config, process: RunningProcess | None
) -> list[Finding]:
    """Load files that the running process, if there is one, has not loaded; each with what it has instead."""
    found = []
    size = ReferenceSize(decision_rule(config).budget, config.window_rows)
    loader = ChildLoader(file_limits(config).memory_bytes)
    try:
        async with asyncio.timeout(_SECONDS):
            for change, difference in files[:_MAX_FILES]:
                result = await loader.load(change.file, time.time())
                reference, path = result.reference, change.file.path
                if reference is None:
                    found.append(fail(_CHECK, result.fault or f"{path}: it is being written: try again"))
                elif process is not None and process.status:
                    found.append(warn(_CHECK, f"{path} loads here, but the running process {difference}: see its log"))
                else:
                    name, columns = written(change.name), len(reference.columns)
                    found.append(_judge(name, str(path), reference.rows, columns, size.rows_needed(reference)))
    except TimeoutError:
        found.append(warn(_CHECK, f"not all of {len(files)} files could be loaded within {_SECONDS:g} s"))
    finally:
        await loader.close()
    if len(files) > _MAX_FILES:
        found.append(warn(_CHECK, f"{len(files) - _MAX_FILES} files more were not looked at"))
    return found


def _of_process(facts: dict[str, Any]) -> Finding:
    return _judge(facts["name"], facts["path"], facts["rows"], facts["columns"], facts["rows_needed"])


def _judge(name: str, path: str, rows: int, columns: int, needed: int) -> Finding:
    text = f"{path} ({'every model' if name == '*' else name}): {rows} rows, {columns} columns"
    if needed:
        return warn(_CHECK, f"{text}; small changes stay unseen: {needed} rows would do")
    return ok(_CHECK, f"{text}, rows enough for the false-alarm budget")
