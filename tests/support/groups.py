"""Keeps tests that share a costly server in one process, where `make test` runs several."""

import pytest

_MODEL_SERVERS = {"kserve_url", "mlserver_url"}
"""Fixtures of the session whose servers take long to start."""


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests that share something with others: all tests with the same mark run in one process, in turn."""
    for item in items:
        group = _group(item) if isinstance(item, pytest.Function) else None
        if group is not None:
            item.add_marker(pytest.mark.xdist_group(group))


def _group(item: pytest.Function) -> str | None:
    """A name for those who share a fixture of their module, or model servers; `None` for a test that shares nothing."""
    definitions = item._fixtureinfo.name2fixturedefs  # noqa: SLF001 - pytest has no public name for the scopes
    if _MODEL_SERVERS.intersection(definitions):
        return "model-servers"
    shares = any(found[-1].scope == "module" for name, found in definitions.items() if not name.startswith("_"))
    return item.path.stem if shares else None
