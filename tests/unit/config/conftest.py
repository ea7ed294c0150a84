"""An environment in which the platform sets nothing."""

import pytest


@pytest.fixture(autouse=True)
def _empty_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PORT", "INFERENCE_SERVICE_NAME", "K_REVISION"):
        monkeypatch.delenv(name, raising=False)
