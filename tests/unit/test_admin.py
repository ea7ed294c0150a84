"""The operator's door."""

import json
import math
from collections.abc import AsyncIterator

import pytest
from aiohttp import ClientSession

from sidecar.admin import Admin
from sidecar.drift.report import DriftReport, FeatureDrift
from sidecar.metrics import Evaluation, Metrics
from tests.support.models import WINE

ALCOHOL = FeatureDrift(
    feature="alcohol",
    statistic=0.5,
    p_value=0.001,
    threshold=math.inf,
    drift=False,
    rows=9,
    missing=1,
    window_quantiles=(9.5,) * 11,
    reference_quantiles=(9.0,) * 11,
)


class Office:
    """An admin door that listens, and what it shows."""

    def __init__(self) -> None:
        self.why: str | None = None
        self.metrics = Metrics("200", math.inf)
        self.admin = Admin(self.metrics.registry, self._ready, self.metrics.drift.fresh)
        self.url = ""

    async def _ready(self) -> str | None:
        return self.why


@pytest.fixture
async def office() -> AsyncIterator[Office]:
    """Open on a port that the system chose."""
    office = Office()
    port = await office.admin.start("127.0.0.1", 0)
    office.url = f"http://127.0.0.1:{port}"
    yield office
    await office.admin.close()


@pytest.fixture
async def client() -> AsyncIterator[ClientSession]:
    """A plain client."""
    async with ClientSession() as session:
        yield session


async def test_metrics_are_served_in_the_form_that_the_scraper_asks_for(office: Office, client: ClientSession) -> None:
    """Classic text by default, OpenMetrics when asked."""
    office.metrics.model(WINE)
    async with client.get(f"{office.url}/metrics") as classic:
        text = await classic.text()
    accept = {"Accept": "application/openmetrics-text; version=1.0.0"}
    async with client.get(f"{office.url}/metrics", headers=accept) as openmetrics:
        kind = openmetrics.content_type

    assert "request_count{" in text
    assert kind == "application/openmetrics-text"


async def test_health_is_told_while_readiness_is_asked_for(office: Office, client: ClientSession) -> None:
    """Alive yet not ready: the reason is the answer's text."""
    office.why = "draining"
    async with client.get(f"{office.url}/healthz") as health, client.get(f"{office.url}/readyz") as ready:
        assert [200, 503] == [health.status, ready.status]
        assert await ready.text() == "draining\n"


async def test_ready_is_200(office: Office, client: ClientSession) -> None:
    """Kubernetes asks nothing more."""
    async with client.get(f"{office.url}/readyz") as ready:
        assert ready.status == 200


async def test_the_newest_report_is_json(office: Office, client: ClientSession) -> None:
    """Named as in the labels; no threshold where no D would alarm, since JSON knows no infinity."""
    report = DriftReport(features=(ALCOHOL,), untested=("ph",), rows=10, drift=False, drifted_features=0)
    office.metrics.drift.publish(WINE, Evaluation(report, 1_000.0, 0.01, 999.0))
    async with client.get(f"{office.url}/drift") as answer:
        told = json.loads(await answer.text())

    assert told == {
        "models": [
            {
                "inference_service_namespace": "cellar",
                "inference_service": "wine",
                "component": "predictor",
                "model_name": "wine",
                "evaluated_at": 1_000.0,
                "duration_seconds": 0.01,
                "window_time": 999.0,
                "rows": 10,
                "drift": False,
                "drifted_features": 0,
                "untested": ["ph"],
                "features": [
                    {
                        "feature": "alcohol",
                        "test": "ks",
                        "statistic": 0.5,
                        "p_value": 0.001,
                        "threshold": None,
                        "drift": False,
                        "rows": 9,
                        "missing": 1,
                        "window_quantiles": [9.5] * 11,
                        "reference_quantiles": [9.0] * 11,
                    }
                ],
            }
        ]
    }
