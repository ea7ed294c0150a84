"""Which tests run in one process, in turn, where several processes run tests: those that share a server.

The mark xdist_group would say it in each module, but has no effect: pytest-xdist 3.8 cannot change the ids of pytest 9.
"""

import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from xdist.remote import Producer
    from xdist.scheduler import LoadScopeScheduling

ROOT = Path(__file__).parents[2]

_MODEL_SERVERS = re.compile(r"\b(kserve_url|mlserver_url)\b")
_SHARED_BY_MODULE = re.compile(r'scope="module"|\bcluster_url\b')


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: "Producer") -> "LoadScopeScheduling":
    """Give each group to one process, and each other test to the next process that is free."""
    from xdist.scheduler import LoadScopeScheduling  # noqa: PLC0415 - only where several processes run

    class Groups(LoadScopeScheduling):  # type: ignore[misc] # it has no types
        """Distributes tests by `group`."""

        def _split_scope(self, nodeid: str) -> str:
            return group(nodeid)

    return Groups(config, log)


def group(nodeid: str) -> str:
    """What a test must share a process with: its module or the model servers, else nothing but itself."""
    path = nodeid.partition("::")[0]
    return _group_of_module(path) or nodeid


@cache
def _group_of_module(path: str) -> str | None:
    file = ROOT / path
    text = file.read_text() if file.is_file() else ""
    if _MODEL_SERVERS.search(text):
        return "model servers"
    return path if _SHARED_BY_MODULE.search(text) else None
