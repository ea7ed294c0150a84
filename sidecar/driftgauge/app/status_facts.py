"""What a process says of itself at `/status`, so that `driftgauge doctor` can check what it checks."""

from collections.abc import Mapping
from itertools import islice
from typing import Final

from driftgauge.config.load import SECRETS, holds_password
from driftgauge.config.options import Config, ports_of, tolerance_of_performance
from driftgauge.inference.payload import ModelKey, printable
from driftgauge.ingest.sampling import Sampling
from driftgauge.monitoring.targets import ReferenceSize
from driftgauge.reference.store import ReferenceStore
from driftgauge.results.latest_outcomes import LatestOutcomes

MAX_REFERENCES: Final = 100
"""Most references in one response."""

MAX_LOWERED: Final = 100
"""Most models with a lowered ratio in one response."""


def status_facts(
    config: Config,
    model: ModelKey | None,
    references: ReferenceStore,
    size: ReferenceSize,
    outcomes: LatestOutcomes | None,
    sampling: Sampling,
) -> Mapping[str, object]:
    """The mode, the model of a proxy, the flags and the configuration file of a process, and its references.

    A flag that holds a password, or may hold one, is named without its value. The environment is not here, since
    whoever may run a command in the container sees it there.

    Args:
        config: The options.
        model: The proxy's model; `None` in the logger.
        references: What is loaded.
        size: Computes which references are too small.
        outcomes: The newest results on labels; `None` in a process that takes none.
        sampling: Knows which share of the inferences is read.
    """
    hidden = [name for name, value in config.flags.items() if _is_secret(name, value)]
    loaded = references.loaded()
    return {
        "mode": "logger" if model is None else "proxy",
        "model": None if model is None else {name: printable(value) for name, value in model._asdict().items()},
        "flags": {name: printable(value) for name, value in config.flags.items() if name not in hidden},
        "flags_hidden": hidden,
        "config_file": None if config.yaml_path is None else printable(str(config.yaml_path.absolute())),
        "ports": ports_of(config),
        "merge_metrics": getattr(config, "merge_metrics", False),
        "labels": None if outcomes is None else _labels(config, outcomes),
        "sampling": _sampling(config, sampling),
        "references_loaded": len(loaded),
        "references": [
            {
                "name": printable(name),
                "path": printable(str(reference.path)),
                "sha256": reference.digest,
                "rows": reference.rows,
                "columns": len(reference.columns),
                "rows_needed": size.rows_needed(reference),
                "labelled_outputs": [printable(one.name) for one in reference.labelled],
            }
            for name, reference in islice(loaded.items(), MAX_REFERENCES)
        ],
    }


def _sampling(config: Config, sampling: Sampling) -> Mapping[str, object]:
    """The configured ratio, and the models of which less is read now."""
    lowered = sampling.lowered()
    return {
        "sample_ratio": config.sample_ratio,
        "models_lowered": len(lowered),
        "lowered": [
            {"model": printable(str(model)), "sample_ratio": ratio}
            for model, ratio in islice(lowered.items(), MAX_LOWERED)
        ],
    }


def _labels(config: Config, outcomes: LatestOutcomes) -> Mapping[str, object]:
    """How many models wait for labels, how many have some, and which rise of errors is tolerated."""
    results = outcomes.fresh().values()
    return {
        "models": len(results),
        "models_with_labels": sum(one.report is not None and one.report.rows > 0 for one in results),
        "responses_pending": sum(one.waiting.pending for one in results),
        "performance_tolerance": tolerance_of_performance(config),
    }


def _is_secret(name: str, value: str) -> bool:
    may_hold_one = name in {"forward_url", "event_url"} and ("@" in value or "?" in value)
    return name in SECRETS or may_hold_one or holds_password(value)
