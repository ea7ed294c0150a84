"""The operator's door."""

import json
import math
from collections.abc import AsyncIterator
from urllib.parse import urlencode

import pytest
from aiohttp import ClientSession

from driftgauge.admin.server import Admin
from driftgauge.errors import StorageError
from driftgauge.inference.payload import Kind, ModelKey
from driftgauge.metrics.evaluation import Evaluation
from driftgauge.metrics.registry import Metrics
from driftgauge.page.as_json import tree
from tests.support.models import IRIS, WINE
from tests.support.reports import FOUND, TOO_FEW

QUERY = {
    WINE: "namespace=cellar&inference_service=wine&component=predictor&model_name=wine",
    IRIS: "namespace=garden&inference_service=iris",
}


class Office:
    """An admin door that listens, and what it shows."""

    def __init__(self, *, captures: bool = False) -> None:
        self.why: str | None = None
        self.window: bytes | None = b"rows"
        self.away: StorageError | None = None
        self.metrics = Metrics("200", math.inf)
        capture = self._capture if captures else None
        self.admin = Admin(self.metrics.registry, self._ready, self.metrics.drift.fresh, self._page, capture)
        self.url = ""

    def publish(self, model: ModelKey, kind: Kind = Kind.REQUEST, time: float = 1_000.0) -> None:
        """Publish the report on wine."""
        self.metrics.drift.publish(model, kind, Evaluation(FOUND, time, 0.01, 999.0))

    async def open(self) -> None:
        """Listen on a port that the system chooses."""
        self.url = f"http://127.0.0.1:{await self.admin.start('127.0.0.1', 0)}"

    async def _ready(self) -> str | None:
        return self.why

    async def _page(self, model: ModelKey, title: str, up: str) -> str:
        return f"<p>the page of {model.model_name}, called {title}, back to {up or 'nowhere'}"

    async def _capture(self, model: ModelKey) -> bytes | None:
        if self.away is not None:
            raise self.away
        return None if self.window is None else self.window + f" of {model.model_name}".encode()


@pytest.fixture
async def office() -> AsyncIterator[Office]:
    """One that lets no rows out."""
    office = Office()
    await office.open()
    yield office
    await office.admin.close()


@pytest.fixture
async def generous() -> AsyncIterator[Office]:
    """One that hands out rows."""
    office = Office(captures=True)
    await office.open()
    yield office
    await office.admin.close()


@pytest.fixture
async def client() -> AsyncIterator[ClientSession]:
    """A plain client."""
    async with ClientSession() as session:
        yield session


async def got(client: ClientSession, url: str) -> tuple[int, str]:
    """Status and text of a GET."""
    async with client.get(url) as response:
        return response.status, await response.text()


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

    assert (200, "alive\n") == await got(client, f"{office.url}/healthz")
    assert (503, "draining\n") == await got(client, f"{office.url}/readyz")


async def test_ready_is_200(office: Office, client: ClientSession) -> None:
    """Kubernetes asks nothing more."""
    assert (200, "ready\n") == await got(client, f"{office.url}/readyz")


async def test_the_newest_reports_are_json(office: Office, client: ClientSession) -> None:
    """Named as in the labels: what was asked beside the name, what was answered in a block of its own."""
    office.publish(WINE)
    office.metrics.drift.publish(WINE, Kind.RESPONSE, Evaluation(TOO_FEW, 1_001.0, 0.02, None))
    _, text = await got(client, f"{office.url}/drift")

    assert {
        "models": [
            {
                "inference_service_namespace": "cellar",
                "inference_service": "wine",
                "component": "predictor",
                "model_name": "wine",
                "evaluated_at": 1_000.0,
                "duration_seconds": 0.01,
                "window_time": 999.0,
                **tree(FOUND),
                "predictions": {
                    "evaluated_at": 1_001.0,
                    "duration_seconds": 0.02,
                    "window_time": None,
                    **tree(TOO_FEW),
                },
            }
        ]
    } == json.loads(text)


async def test_a_model_of_which_one_half_was_evaluated(office: Office, client: ClientSession) -> None:
    """Without predictions their block is null; without inputs their keys stand there with nothing in them."""
    office.publish(WINE)
    office.publish(IRIS, Kind.RESPONSE)
    _, text = await got(client, f"{office.url}/drift")
    wine, iris = json.loads(text)["models"]

    assert (1_000.0, None) == (wine["evaluated_at"], wine["predictions"])
    assert (None, None, []) == (iris["evaluated_at"], iris["drift"], iris["features"])
    assert iris["predictions"]["drift"] is True


async def test_one_model_is_shown_at_once(office: Office, client: ClientSession) -> None:
    """The page of the only model needs no list before it."""
    office.publish(WINE)

    assert (200, "<p>the page of wine, called cellar/wine, back to nowhere") == await got(client, office.url)


async def test_many_models_are_listed(office: Office, client: ClientSession) -> None:
    """Each with the way to its page, which leads back."""
    office.publish(WINE)
    office.publish(IRIS, Kind.RESPONSE, time=2_000.0)
    _, text = await got(client, office.url)

    assert f'<a href="report?{QUERY[WINE].replace("&", "&amp;")}"><bdi>cellar/wine</bdi></a>' in text
    assert "1970-01-01 00:33:20 UTC" in text
    assert (200, "<p>the page of wine, called cellar/wine, back to .") == await got(
        client, f"{office.url}/report?{QUERY[WINE]}"
    )


async def test_no_model_is_an_empty_list(office: Office, client: ClientSession) -> None:
    """Before the first evaluation the page says so."""
    status, text = await got(client, office.url)

    assert (200, True) == (status, "No model has been evaluated yet, or not of late." in text)


async def test_pages_are_html_that_nobody_keeps(office: Office, client: ClientSession) -> None:
    """A verdict of before must not be taken for the newest."""
    async with client.get(office.url) as response:
        assert ("text/html", "utf-8") == (response.content_type, response.charset)
        assert "no-store" == response.headers["Cache-Control"]


@pytest.mark.parametrize("path", ["report", "window"])
async def test_an_unknown_model_has_no_page(generous: Office, client: ClientSession, path: str) -> None:
    """A stranger's name becomes no series; the name in the sentence is plain text."""
    generous.publish(WINE)
    query = urlencode({"namespace": "cellar", "inference_service": "<b>", "component": "transformer"})
    async with client.get(f"{generous.url}/{path}?{query}") as response:
        text = await response.text()

    assert (404, "text/plain") == (response.status, response.content_type)
    assert "no evaluation of cellar/<b> transformer: `/` lists the models that have one\n" == text


async def test_a_query_may_leave_out_what_is_usual(office: Office, client: ClientSession) -> None:
    """A predictor, and a model that is called like its InferenceService."""
    office.publish(IRIS)

    assert "the page of iris" in (await got(client, f"{office.url}/report?{QUERY[IRIS]}"))[1]


async def test_no_rows_leave_unless_allowed(office: Office, client: ClientSession) -> None:
    """The window holds what people sent: it is handed out only where the operator said so."""
    office.publish(WINE)

    assert (403, "no rows leave this sidecar: set allow_capture to let them\n") == await got(
        client, f"{office.url}/window?{QUERY[WINE]}"
    )


async def test_the_window_is_a_file(generous: Office, client: ClientSession) -> None:
    """Bytes as they were made."""
    generous.publish(WINE)
    async with client.get(f"{generous.url}/window?{QUERY[WINE]}") as response:
        assert (200, "application/octet-stream") == (response.status, response.content_type)
        assert b"rows of wine" == await response.read()


async def test_an_empty_window_is_no_file(generous: Office, client: ClientSession) -> None:
    """No rows, no reference."""
    generous.publish(WINE)
    generous.window = None

    assert (404, "there are no rows of cellar/wine\n") == await got(client, f"{generous.url}/window?{QUERY[WINE]}")


async def test_a_window_whose_store_is_away(generous: Office, client: ClientSession) -> None:
    """The sentence of the store is the answer's text."""
    generous.publish(WINE)
    generous.away = StorageError("Redis is away")

    assert (503, "Redis is away\n") == await got(client, f"{generous.url}/window?{QUERY[WINE]}")


async def test_a_model_is_called_by_what_tells_it_apart(office: Office, client: ClientSession) -> None:
    """Component and model name are told where they are not the usual ones, and no namespace where there is none."""
    office.publish(ModelKey("", "wine", "transformer", "red"))

    assert "called wine transformer red," in (await got(client, office.url))[1]
