"""The faults of a configuration."""

from pathlib import Path

import pytest

from driftgauge.config.load import load
from driftgauge.errors import ConfigError


def faults_of(
    flags: dict[str, str] | None = None, *unknown: str, yaml: Path | None = None, mode: str = "proxy"
) -> tuple[str, ...]:
    """The errors of a configuration that must have some."""
    with pytest.raises(ConfigError) as caught:
        load(mode, flags or {}, unknown, yaml)
    return caught.value.faults
