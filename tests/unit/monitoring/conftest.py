"""A reference of normal columns."""

from pathlib import Path

import numpy as np
import pytest

from tests.support.hourly_monitor import REFERENCE_ROWS


@pytest.fixture
def wine_directory(tmp_path: Path) -> Path:
    """A reference for `WINE`: two standard normal columns."""
    rows = np.random.default_rng(5).standard_normal((REFERENCE_ROWS, 2))
    np.savez(tmp_path / "wine.npz", data=rows, columns=np.array(["alcohol", "ph"]))
    return tmp_path
