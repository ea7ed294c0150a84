"""Which models a query means."""

import pytest
from aiohttp import ClientSession

from driftgauge.admin.model_lists import matching_models, model_title, other_revisions, which_of
from driftgauge.inference.payload import ModelKey
from tests.support.admin import AdminFixture, get

CELLAR = ModelKey("cellar", "wine", "predictor", "wine")
CELLAR_INPUT = ModelKey("cellar", "wine", "transformer", "wine")
GARDEN = ModelKey("garden", "wine", "predictor", "wine")
NOWHERE = ModelKey("", "wine", "predictor", "wine")
ADAPTER = ModelKey("garden", "roses", "predictor", "red")
TWIN = ModelKey("garden", "roses", "predictor", "white")
STABLE = CELLAR._replace(revision="stable")
CANARY = CELLAR._replace(revision="v2")
ALL = [CELLAR, CELLAR_INPUT, GARDEN, ADAPTER, TWIN]


@pytest.mark.parametrize(
    ("query", "models", "expected"),
    [
        ({"inference_service": "wine"}, [CELLAR, ADAPTER], [CELLAR]),
        ({"inference_service": "wine"}, [CELLAR, CELLAR_INPUT], [CELLAR]),
        ({"inference_service": "wine"}, [CELLAR_INPUT, ADAPTER], [CELLAR_INPUT]),
        ({"inference_service": "wine"}, [*ALL, NOWHERE], [NOWHERE]),
        ({"inference_service": "wine"}, ALL, [CELLAR, CELLAR_INPUT, GARDEN]),
        ({"inference_service": "wine", "namespace": ""}, [CELLAR], [CELLAR]),
        ({"inference_service": "wine", "namespace": "cellar"}, ALL, [CELLAR]),
        ({"inference_service": "wine", "component": "transformer"}, ALL, [CELLAR_INPUT]),
        ({"inference_service": "wine", "model_name": "red"}, ALL, []),
        ({"inference_service": "roses"}, ALL, [ADAPTER, TWIN]),
        ({"inference_service": "roses", "model_name": "white"}, ALL, [TWIN]),
        ({"inference_service": "nothing"}, ALL, []),
        ({"inference_service": "wine"}, [STABLE, CELLAR_INPUT._replace(revision="stable")], [STABLE]),
        ({"inference_service": "wine"}, [STABLE, CANARY], [STABLE, CANARY]),
        ({"inference_service": "wine", "revision": "v2"}, [STABLE, CANARY, GARDEN], [CANARY]),
        ({"inference_service": "wine", "namespace": "cellar"}, [CELLAR, STABLE], [CELLAR]),
        ({"inference_service": "wine", "revision": "v3"}, [CELLAR, STABLE], []),
    ],
)
def test_a_query_may_leave_out_what_is_not_needed(
    query: dict[str, str], models: list[ModelKey], expected: list[ModelKey]
) -> None:
    """A unique model is found by what is given; among several the usual predictor, if there is only one."""
    assert expected == matching_models(query, models)


def test_a_sentence_names_the_models_by_their_queries() -> None:
    """It is one line, and bounded."""
    sentence = which_of([CELLAR, *[GARDEN] * 29])

    assert sentence.startswith(
        "30 models match this query, say which: "
        "namespace=cellar&inference_service=wine&component=predictor&model_name=wine; namespace=garden&"
    )
    assert sentence.endswith("; and 10 more")
    assert "\n" not in sentence


def test_the_title_and_the_query_of_a_model_name_its_revision() -> None:
    """If it is known."""
    assert ["cellar/wine", "cellar/wine revision v2"] == [model_title(model) for model in (CELLAR, CANARY)]
    assert which_of([STABLE, CANARY]).endswith("component=predictor&model_name=wine&revision=v2")


def test_a_page_leads_to_the_other_revisions_of_its_model() -> None:
    """Not to other models, whatever their revision."""
    models = [CELLAR, STABLE, CANARY, GARDEN, CELLAR_INPUT._replace(revision="v2")]
    query = "report?namespace=cellar&inference_service=wine&component=predictor&model_name=wine"

    assert (("none", query), ("stable", f"{query}&revision=stable")) == other_revisions(CANARY, models)
    assert () == other_revisions(GARDEN, models)


async def test_a_report_of_a_unique_model_needs_no_namespace(fixture: AdminFixture, client: ClientSession) -> None:
    """Other models do not matter."""
    for model in (CELLAR, ADAPTER):
        fixture.publish(model)

    assert (200, "<p>the page of wine, called cellar/wine, back to .") == await get(
        client, f"{fixture.url}/report?inference_service=wine"
    )


async def test_an_ambiguous_report_is_a_list_to_choose_from(fixture: AdminFixture, client: ClientSession) -> None:
    """A sentence says so, and each candidate is a link to its page."""
    for model in (CELLAR, GARDEN, ADAPTER):
        fixture.publish(model)
    status, text = await get(client, f"{fixture.url}/report?inference_service=wine")

    assert 300 == status
    assert "<p>2 models match this address. Choose one:</p>" in text
    assert 'href="report?namespace=garden&amp;inference_service=wine&amp;component=predictor' in text
    assert "roses" not in text


async def test_an_ambiguous_window_is_refused_by_a_sentence(capturing: AdminFixture, client: ClientSession) -> None:
    """No row of another model is handed out by mistake."""
    for model in (CELLAR, GARDEN):
        capturing.publish(model)
    status, text = await get(client, f"{capturing.url}/window?inference_service=wine")

    assert (300, True) == (status, text.startswith("2 models match this query, say which: namespace=cellar&"))
    assert b"rows of wine" in await _read(client, f"{capturing.url}/window?inference_service=wine&namespace=garden")


async def _read(client: ClientSession, url: str) -> bytes:
    """Send a GET; returns the body."""
    async with client.get(url) as response:
        return await response.read()
