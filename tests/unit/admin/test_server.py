"""The server of the admin port."""

import json
import re
from urllib.parse import urlencode

import pytest
from aiohttp import ClientSession

from driftgauge.errors import StorageError
from driftgauge.inference.payload import Kind, ModelKey
from driftgauge.page.as_json import report_as_json
from driftgauge.results.latest import Evaluation
from tests.support.admin import AdminFixture, get
from tests.support.models import IRIS, WINE
from tests.support.reports import FOUND, TOO_FEW

QUERY = {
    WINE: "namespace=cellar&inference_service=wine&component=predictor&model_name=wine",
    IRIS: "namespace=garden&inference_service=iris",
}


async def test_metrics_are_served_in_the_requested_format(fixture: AdminFixture, client: ClientSession) -> None:
    """The default is the classic text format, OpenMetrics is served on request."""
    fixture.metrics.model(WINE)
    async with client.get(f"{fixture.url}/metrics") as classic:
        text = await classic.text()
    accept = {"Accept": "application/openmetrics-text; version=1.0.0"}
    async with client.get(f"{fixture.url}/metrics", headers=accept) as openmetrics:
        kind = openmetrics.content_type

    assert "request_count{" in text
    assert kind == "application/openmetrics-text"


async def test_a_server_that_drains_is_alive_and_not_ready(fixture: AdminFixture, client: ClientSession) -> None:
    """The reason is the text of the response."""
    fixture.not_ready = "draining"

    assert (200, "alive\n") == await get(client, f"{fixture.url}/healthz")
    assert (503, "draining\n") == await get(client, f"{fixture.url}/readyz")


async def test_ready_is_200(fixture: AdminFixture, client: ClientSession) -> None:
    """Kubernetes reads the status code."""
    assert (200, "ready\n") == await get(client, f"{fixture.url}/readyz")


async def test_the_newest_reports_are_json(fixture: AdminFixture, client: ClientSession) -> None:
    """A model is named as in the labels; the report on its responses is in a block of its own."""
    fixture.publish(WINE)
    fixture.latest.publish(WINE, Kind.RESPONSE, Evaluation(TOO_FEW, 1_001.0, 0.02, None))
    _, text = await get(client, f"{fixture.url}/drift")

    assert {
        "models": [
            {
                "inference_service_namespace": "cellar",
                "inference_service": "wine",
                "component": "predictor",
                "model_name": "wine",
                "revision": "",
                "model_state": {"state": "drift", "reason": None},
                "evaluated_at": 1_000.0,
                "duration_seconds": 0.01,
                "window_time": 999.0,
                "state_unsaved": False,
                **report_as_json(FOUND),
                "predictions": {
                    "evaluated_at": 1_001.0,
                    "duration_seconds": 0.02,
                    "window_time": None,
                    "state_unsaved": False,
                    **report_as_json(TOO_FEW),
                },
                "outcomes": None,
            }
        ]
    } == json.loads(text)


async def test_a_model_with_one_evaluation_has_no_other_values(fixture: AdminFixture, client: ClientSession) -> None:
    """Without predictions their block is null; without inputs their keys have empty values."""
    fixture.publish(WINE)
    fixture.publish(IRIS, Kind.RESPONSE)
    _, text = await get(client, f"{fixture.url}/drift")
    wine, iris = json.loads(text)["models"]

    assert (1_000.0, None) == (wine["evaluated_at"], wine["predictions"])
    assert (None, None, []) == (iris["evaluated_at"], iris["drift"], iris["features"])
    assert ("cannot_tell", None) == (iris["state"], iris["reason"])
    assert {"state": "drift", "reason": None} == iris["model_state"]
    assert iris["predictions"]["drift"] is True


async def test_a_single_model_is_shown_without_a_list(fixture: AdminFixture, client: ClientSession) -> None:
    """Its page has no link back to a list."""
    fixture.publish(WINE)

    assert (200, "<p>the page of wine, called cellar/wine, back to nowhere") == await get(client, fixture.url)


async def test_many_models_are_listed(fixture: AdminFixture, client: ClientSession) -> None:
    """Each one has a link to its page, which links back."""
    fixture.publish(WINE)
    fixture.publish(IRIS, Kind.RESPONSE, time=2_000.0)
    _, text = await get(client, fixture.url)

    assert f'<a href="report?{QUERY[WINE].replace("&", "&amp;")}"><bdi>cellar/wine</bdi></a>' in text
    assert "1970-01-01 00:33:20 UTC" in text
    assert (200, "<p>the page of wine, called cellar/wine, back to .") == await get(
        client, f"{fixture.url}/report?{QUERY[WINE]}"
    )


async def test_a_model_without_an_evaluation_is_listed(fixture: AdminFixture, client: ClientSession) -> None:
    """The list says that it has no reference, even beside a single model with a page."""
    fixture.publish(WINE)
    fixture.latest.set_reference(IRIS, Kind.REQUEST, None)
    _, text = await get(client, fixture.url)

    assert ["cellar/wine", "garden/iris"] == re.findall("<bdi>(.*?)</bdi>", text)
    assert '<span class="reason">no reference</span>' in text
    assert "garden" not in "".join(re.findall('href="(.*?)"', text))


async def test_no_model_is_an_empty_list(fixture: AdminFixture, client: ClientSession) -> None:
    """The page says that there is no evaluation yet."""
    status, text = await get(client, fixture.url)

    assert (200, True) == (status, "No model has been evaluated yet, or not of late." in text)


async def test_pages_are_html_that_is_not_cached(fixture: AdminFixture, client: ClientSession) -> None:
    """An old verdict must not be shown as the newest."""
    async with client.get(fixture.url) as response:
        assert ("text/html", "utf-8") == (response.content_type, response.charset)
        assert "no-store" == response.headers["Cache-Control"]


async def test_pages_are_compressed_for_those_who_ask(fixture: AdminFixture, client: ClientSession) -> None:
    """A long page takes a tenth of the bytes."""
    for accepted in ("gzip", "identity"):
        async with client.get(fixture.url, headers={"Accept-Encoding": accepted}) as response:
            assert (accepted == "gzip") == ("gzip" == response.headers.get("Content-Encoding"))
            assert "Models" in await response.text()


@pytest.mark.parametrize("path", ["report", "window"])
async def test_an_unknown_model_has_no_page(capturing: AdminFixture, client: ClientSession, path: str) -> None:
    """An untrusted name starts no series, and is plain text in the response."""
    capturing.publish(WINE)
    query = urlencode({"namespace": "cellar", "inference_service": "<b>", "component": "transformer"})
    async with client.get(f"{capturing.url}/{path}?{query}") as response:
        text = await response.text()

    assert (404, "text/plain") == (response.status, response.content_type)
    assert "no evaluation of cellar/<b> transformer: `/` lists the models that have one\n" == text


async def test_a_query_may_leave_out_what_is_usual(fixture: AdminFixture, client: ClientSession) -> None:
    """The defaults are the predictor, and a model named as its InferenceService."""
    fixture.publish(IRIS)

    assert "the page of iris" in (await get(client, f"{fixture.url}/report?{QUERY[IRIS]}"))[1]


@pytest.mark.parametrize("more", ["", "&labels=1", "&joined=1"])
async def test_no_rows_leave_unless_allowed(fixture: AdminFixture, client: ClientSession, more: str) -> None:
    """The window has what clients sent, so the operator must allow it, be it with predictions and labels or without."""
    fixture.publish(WINE)

    assert (403, "rows are not served: set allow_capture to allow it\n") == await get(
        client, f"{fixture.url}/window?{QUERY[WINE]}{more}"
    )


async def test_a_wrong_name_is_seen_before_rows_are_refused(fixture: AdminFixture, client: ClientSession) -> None:
    """The response is 404 for a model that there is not, whether or not rows are served."""
    fixture.publish(WINE)

    assert 404 == (await get(client, f"{fixture.url}/window?inference_service=nosuch"))[0]


async def test_the_window_is_served_as_a_file(capturing: AdminFixture, client: ClientSession) -> None:
    """Its bytes are not changed."""
    capturing.publish(WINE)
    async with client.get(f"{capturing.url}/window?{QUERY[WINE]}") as response:
        assert (200, "application/octet-stream") == (response.status, response.content_type)
        assert b"rows of wine" == await response.read()


async def test_an_empty_window_is_no_file(capturing: AdminFixture, client: ClientSession) -> None:
    """Without rows the response is 404."""
    capturing.publish(WINE)
    capturing.window = None

    assert (404, "there are no rows of cellar/wine\n") == await get(client, f"{capturing.url}/window?{QUERY[WINE]}")


async def test_a_window_in_an_unreachable_store_is_503(capturing: AdminFixture, client: ClientSession) -> None:
    """The error is the text of the response."""
    capturing.publish(WINE)
    capturing.failure = StorageError("Redis is away")

    assert (503, "Redis is away\n") == await get(client, f"{capturing.url}/window?{QUERY[WINE]}")


async def test_the_title_of_a_model_leaves_out_what_is_usual(fixture: AdminFixture, client: ClientSession) -> None:
    """Component and model name are in the title only if they are unusual, the namespace only if there is one."""
    fixture.publish(ModelKey("", "wine", "transformer", "red"))

    assert "called wine transformer red," in (await get(client, fixture.url))[1]
