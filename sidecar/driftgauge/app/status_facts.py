"""What a process says of itself at `/status`, so that `driftgauge doctor` can check what it checks."""

from collections.abc import Mapping
from itertools import islice
from typing import Final

from driftgauge.config.load import SECRETS, holds_password
from driftgauge.config.options import Config
from driftgauge.inference.payload import ModelKey, printable
from driftgauge.monitoring.targets import ReferenceSize
from driftgauge.reference.store import ReferenceStore

MAX_REFERENCES: Final = 100
"""Most references in one response."""


def status_facts(
    config: Config, model: ModelKey | None, references: ReferenceStore, size: ReferenceSize
) -> Mapping[str, object]:
    """The mode, the model of a proxy, the flags and the configuration file of a process, and its references.

    A flag that holds a password, or may hold one, is named without its value. The environment is not here, since
    whoever may run a command in the container sees it there.

    Args:
        config: The options.
        model: The proxy's model; `None` in the logger.
        references: What is loaded.
        size: Computes which references are too small.
    """
    hidden = [name for name, value in config.flags.items() if _is_secret(name, value)]
    loaded = references.loaded()
    return {
        "mode": "logger" if model is None else "proxy",
        "model": None if model is None else {name: printable(value) for name, value in model._asdict().items()},
        "flags": {name: printable(value) for name, value in config.flags.items() if name not in hidden},
        "flags_hidden": hidden,
        "config_file": None if config.yaml_path is None else printable(str(config.yaml_path.absolute())),
        "ports": {"port": config.port, "admin_port": config.admin_port},
        "merge_metrics": getattr(config, "merge_metrics", False),
        "references_loaded": len(loaded),
        "references": [
            {
                "name": printable(name),
                "path": printable(str(reference.path)),
                "sha256": reference.digest,
                "rows": reference.rows,
                "columns": len(reference.columns),
                "rows_needed": size.rows_needed(reference),
            }
            for name, reference in islice(loaded.items(), MAX_REFERENCES)
        ],
    }


def _is_secret(name: str, value: str) -> bool:
    may_hold_one = name == "forward_url" and ("@" in value or "?" in value)
    return name in SECRETS or may_hold_one or holds_password(value)
