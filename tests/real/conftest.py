"""Real model servers for the tests of this folder, each started once."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.model_servers import kserve_server, ml_server
from tests.support.wine import write_reference


@pytest.fixture(scope="session")
def kserve_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A real KServe Python server."""
    with kserve_server(tmp_path_factory.mktemp("kserve")) as url:
        yield url


@pytest.fixture(scope="session")
def mlserver_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A real MLServer."""
    with ml_server(tmp_path_factory.mktemp("mlserver")) as url:
        yield url


@pytest.fixture(scope="session")
def wine_reference(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The reference dataset of the model on both servers."""
    return write_reference(tmp_path_factory.mktemp("reference") / "wine.csv")
