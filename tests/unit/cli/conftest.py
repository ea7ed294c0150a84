"""A reference of normal columns."""

from pathlib import Path

import pytest

from tests.support.checked_files import COLUMNS, csv, sample


@pytest.fixture
def reference(tmp_path: Path) -> Path:
    """A reference of 400 rows."""
    return csv(tmp_path / "reference.csv", COLUMNS, sample(1))
