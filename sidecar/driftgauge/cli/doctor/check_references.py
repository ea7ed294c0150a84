"""Whether the references load, and have rows enough for the false-alarm budget."""

import asyncio
import time
from itertools import islice
from typing import Any, Final

from driftgauge.app.runtime import decision_rule
from driftgauge.cli.doctor.finding import Finding, fail, ok, warn
from driftgauge.cli.doctor.running_process import RunningProcess
from driftgauge.config.options import Config
from driftgauge.monitoring.targets import ReferenceSize
from driftgauge.protocol.missing_words import split_words
from driftgauge.reference.column import ColumnRules, TimeRules
from driftgauge.reference.dataset import Reference
from driftgauge.reference.file_limits import FileLimits
from driftgauge.reference.loading import ChildLoader
from driftgauge.reference.store import ReferenceStore, written

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
    used = {} if process is None else {str(one["path"]): one for one in process.status.get("references") or ()}
    rules = TimeRules(config.time_column, config.reference_ordered, config.rhythm_timezone)
    column_rules = ColumnRules(missing_words=split_words(config.missing_words), time=rules)
    limits = FileLimits(config.max_reference_bytes, config.max_reference_values)
    store = ReferenceStore(config.reference, config.reference_dir, column_rules, limits)
    faults, changes = await asyncio.to_thread(store.find_changes, at_once=True)
    found = [fail(_CHECK, fault) for fault in faults]
    found += [_of_process(used[str(one.file.path)]) for one in changes if str(one.file.path) in used]
    others = [one for one in changes if str(one.file.path) not in used]
    size = ReferenceSize(decision_rule(config).budget, config.window_rows)
    loader = ChildLoader(limits.memory_bytes)
    try:
        async with asyncio.timeout(_SECONDS):
            for change in islice(others, _MAX_FILES):
                result = await loader.load(change.file, time.time())
                if result.reference is None:
                    found.append(fail(_CHECK, result.fault or f"{change.file.path}: it is being written: try again"))
                else:
                    found.append(_of_file(written(change.name), result.reference, size, process))
    except TimeoutError:
        found.append(warn(_CHECK, f"not all of {len(others)} files could be loaded within {_SECONDS:g} s"))
    finally:
        await loader.close()
    if len(others) > _MAX_FILES:
        found.append(warn(_CHECK, f"{len(others) - _MAX_FILES} files more were not looked at"))
    if not found:
        found.append(warn(_CHECK, f"{config.reference_dir} has no files: file <inference_service>.csv there"))
    return found


def _of_process(facts: dict[str, Any]) -> Finding:
    return _judge(str(facts["name"]), str(facts["path"]), facts["rows"], facts["columns"], facts["rows_needed"])


def _of_file(name: str, reference: Reference, size: ReferenceSize, process: RunningProcess | None) -> Finding:
    needed = size.rows_needed(reference)
    if process is not None and process.status:
        text = f"{reference.path} loads here, but the running process has not loaded it: see its log"
        return warn(_CHECK, text)
    return _judge(name, str(reference.path), reference.rows, len(reference.columns), needed)


def _judge(name: str, path: str, rows: int, columns: int, needed: int) -> Finding:
    text = f"{path} ({'every model' if name == '*' else name}): {rows} rows, {columns} columns"
    if needed:
        return warn(_CHECK, f"{text}; small changes stay unseen: {needed} rows would do")
    return ok(_CHECK, f"{text}, rows enough for the false-alarm budget")
