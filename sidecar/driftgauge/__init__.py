"""driftgauge: monitors models served by KServe, and tests datasets for drift.

The functions that are listed here test data in memory or in files, in a notebook or a pipeline:

    check            test rows against a reference
    check_drift      `scipy.stats.ks_2samp` for each column of two matrices
    read_reference   read a reference from a file or from data in memory
    build_reference  draw a reference from training data

They are imported when they are first used: `import driftgauge` alone imports no other package.
The monitor is started by `driftgauge proxy` and `driftgauge logger`; docs/architecture.md describes its modules.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from driftgauge.errors import ReferenceDataError
    from driftgauge.offline.api import build_reference, check, read_reference
    from driftgauge.offline.column_loop import check_drift
    from driftgauge.offline.report import Report
    from driftgauge.reference.dataset import Reference

__version__ = "0.1.0"

__all__ = [
    "Reference",
    "ReferenceDataError",
    "Report",
    "__version__",
    "build_reference",
    "check",
    "check_drift",
    "read_reference",
]

_MODULES = {
    "Reference": "driftgauge.reference.dataset",
    "ReferenceDataError": "driftgauge.errors",
    "Report": "driftgauge.offline.report",
    "build_reference": "driftgauge.offline.api",
    "check": "driftgauge.offline.api",
    "check_drift": "driftgauge.offline.column_loop",
    "read_reference": "driftgauge.offline.api",
}


if not TYPE_CHECKING:  # for a type checker it would make every name valid, misspelt ones too

    def __getattr__(name: str) -> object:
        """Import a name on its first use (PEP 562)."""
        if name not in _MODULES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        value = getattr(import_module(_MODULES[name]), name)
        globals()[name] = value
        return value


def __dir__() -> list[str]:
    """The public names, also those that are not imported yet."""
    return sorted({*globals(), *__all__})
