"""Lets a process say how many asyncio tasks it has; Python imports this at the start where its folder is on the path.

On SIGUSR2 the number is written to the file `<TASKS_FOLDER>/<process id>`, under its name only when it is complete.
"""

import asyncio
import os
import signal
from pathlib import Path

_FOLDER = os.environ.get("TASKS_FOLDER")


def _write_number(*_: object) -> None:
    file = Path(_FOLDER or "", str(os.getpid()))
    part = file.with_suffix(".part")
    part.write_text(str(len(asyncio.all_tasks())))
    part.rename(file)


if _FOLDER:
    signal.signal(signal.SIGUSR2, _write_number)
