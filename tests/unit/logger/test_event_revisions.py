"""The revision of the pod that sent an event, from the annotations that KServe's agent passes on."""

import io
import json
from collections.abc import AsyncIterator, Mapping

import pytest
from aiohttp import ClientSession

from driftgauge.cloudevents.event import Event
from driftgauge.inference.known_models import KnownModels
from driftgauge.inference.payload import OVERFLOW, Kind, ModelKey, overflow_revision
from driftgauge.inference.revisions import LIVE_REVISIONS
from tests.support.listening_receiver import LIMIT, ListeningReceiver, headers
from tests.support.models import WINE

NAME = "driftgauge/revision"
BODY = b'{"instances": [[1, 2]]}'


@pytest.fixture
async def post() -> AsyncIterator[ListeningReceiver]:
    """A receiver that listens, with one place."""
    post = ListeningReceiver(models=KnownModels(1))
    port = await post.receiver.start("127.0.0.1", 0)
    post.url = f"http://127.0.0.1:{port}/"
    yield post
    await post.receiver.close()


async def send(post: ListeningReceiver, annotations: str | None, body: bytes = BODY, kind: str = "request") -> int:
    """Post an event of WINE with these annotations; returns the status code."""
    more = {} if annotations is None else {"Ce-Annotations": annotations}
    async with (
        ClientSession() as client,
        client.post(post.url, data=io.BytesIO(body), headers=headers(kind, more=more)) as response,
    ):
        return response.status


def naming(revision: str, more: Mapping[str, str] | None = None) -> str:
    """Annotations with a revision, as the agent writes them."""
    return json.dumps({NAME: revision} | dict(more or {}), separators=(",", ":"), ensure_ascii=False)


def revisions(post: ListeningReceiver) -> list[str]:
    """The revisions of the payloads that were offered."""
    assert {WINE} == {payload.model._replace(revision="") for payload in post.payloads}
    return [payload.model.revision for payload in post.payloads]


def unreadable(post: ListeningReceiver) -> float | None:
    """Events whose annotations could not be read."""
    return post.metrics.registry.get_sample_value("driftgauge_unreadable_annotations_total")


@pytest.mark.parametrize(
    ("annotations", "expected"),
    [
        (naming("v2"), "v2"),
        (naming("v2", {"team": "fraud"}), "v2"),
        (naming(" v2 "), "v2"),
        (naming("isvc.wine-predictor"), "stable"),
        (naming("isvc.wine-v2-predictor"), "v2"),
        (naming("v%32 é"), "v%32 é"),
        (naming("a,b"), "a,b"),
        (naming("x" * 253), "x" * 253),
        (naming(""), ""),
        ('{"team":"fraud"}', ""),
        ("{}", ""),
        ("", ""),
        (None, ""),
    ],
)
async def test_the_annotation_names_the_revision_of_both_halves(
    post: ListeningReceiver, annotations: str | None, expected: str
) -> None:
    """Of the request, of the response, and of the halves that are paired; raw JSON is not percent-decoded."""
    for kind in ("request", "response"):
        await send(post, annotations, kind=kind)

    assert [expected] * 2 == revisions(post)
    assert [expected] * 2 == [half.model.revision for half in post.observations]
    assert 1 == post.value("request_count", WINE._replace(revision=expected), code="")
    assert 0 == unreadable(post)


@pytest.mark.parametrize(
    "annotations",
    [
        '{"broken',
        "team=fraud",
        "[1]",
        "null",
        '"v2"',
        json.dumps({NAME: 2}),
        json.dumps({NAME: ["v2"]}),
        json.dumps({NAME: None}),
        json.dumps({NAME: "x" * 254}),
        json.dumps({NAME: "v2\n"}) + "}",
        json.dumps({NAME: "a\nb"}),
        json.dumps({NAME: "\udc80"}),
        "[" * 5_000,
        json.dumps({NAME: "v2", "x": [[]] * 20_000}),
    ],
    ids=lambda text: text[:20],
)
async def test_annotations_that_cannot_be_read_lose_no_event(
    post: ListeningReceiver, annotations: str, caplog: pytest.LogCaptureFixture
) -> None:
    """The event counts without a revision; the log has one line for all of them."""
    statuses = {await send(post, annotations) for _ in range(3)}

    assert {200} == statuses
    assert [""] * 3 == revisions(post)
    assert 3 == unreadable(post)
    (line,) = caplog.messages
    assert line.startswith("the revision of events is not known: The ")
    assert line.endswith(" (events of cellar/wine)")


async def test_annotations_that_are_no_json_are_named(
    post: ListeningReceiver, caplog: pytest.LogCaptureFixture
) -> None:
    """The body of the event may be faultless."""
    await send(post, "team=fraud")

    assert "The CloudEvent's attribute annotations is not JSON" in caplog.text
    assert "The body" not in caplog.text


async def test_invented_revisions_take_no_place_of_other_models(post: ListeningReceiver) -> None:
    """Those beyond the limit count together, without rows that could be tested and without pairs."""
    for number in range(20):
        await send(post, naming(f"v{number}"))
    others = overflow_revision(WINE)

    left = 20 - LIVE_REVISIONS
    assert left == post.value("request_count", others, code="")
    assert [*(f"v{number}" for number in range(LIVE_REVISIONS)), *["(other)"] * left] == revisions(post)
    assert LIVE_REVISIONS == len(post.observations)
    assert [WINE._replace(revision=f"v{number}") for number in range(LIVE_REVISIONS)] == list(post.models)
    assert post.value("request_count", OVERFLOW, code="") is None


async def test_a_get_proves_no_revision(post: ListeningReceiver) -> None:
    """Its empty event and that of its response count for no model."""
    await send(post, naming("v1"))
    for kind in ("request", "response"):
        await send(post, naming("v2"), b"" if kind == "request" else BODY, kind)

    assert [WINE._replace(revision="v1")] == list(post.models)
    assert [1, 1] == [post.rejected("empty", OVERFLOW, kind) for kind in ("request", "response")]


async def test_a_response_of_a_revision_without_a_place_is_known_by_its_request(post: ListeningReceiver) -> None:
    """The response of a GET is no inference, whatever its revision."""
    for number in range(LIVE_REVISIONS):
        await send(post, naming(f"v{number}"))
    for kind in ("request", "response"):
        await send(post, naming("new"), b"" if kind == "request" else BODY, kind)

    assert [1, 1] == [post.rejected("empty", OVERFLOW, kind) for kind in ("request", "response")]


async def test_a_lost_event_counts_for_its_revision(post: ListeningReceiver, caplog: pytest.LogCaptureFixture) -> None:
    """The line in the log names it."""
    await send(post, naming("v2"))
    await send(post, naming("v2"), b" " * (LIMIT + 1))

    assert 1 == post.rejected("too_large", WINE._replace(revision="v2"))
    assert caplog.messages[-1].endswith("(cellar/wine/predictor/wine revision v2)")


async def test_a_structured_event_has_annotations_as_a_value(post: ListeningReceiver) -> None:
    """They are JSON already."""
    event = {
        "specversion": "1.0",
        "id": "a",
        "source": "/x",
        "type": "org.kubeflow.serving.inference.request",
        "inferenceservicename": "wine",
        "namespace": "cellar",
        "data": {"instances": [[1, 2]]},
    }
    for annotations in ({NAME: "v2"}, naming("v2"), 7):
        fields = {"Content-Type": "application/cloudevents+json"}
        text = json.dumps(event | {"annotations": annotations})
        async with ClientSession() as client, client.post(post.url, data=text, headers=fields) as response:
            assert 200 == response.status

    assert ["v2", "v2", ""] == revisions(post)
    assert 1 == unreadable(post)
    assert {"v2", ""} == {model.revision for model in post.models}


async def test_the_model_of_an_openai_body_has_the_revision_of_its_pod() -> None:
    """The name in the body is that of a model of this pod."""
    post = ListeningReceiver()
    body = b'{"object": "chat.completion", "model": "llama", "choices": [], "usage": {}}'
    post.receiver.accept(
        Event("a1", Kind.RESPONSE, 5.0, True, "cellar", "wine", "predictor", None, body, 200, True, naming("v2"))  # noqa: FBT003 - an event's own order
    )

    assert ModelKey("cellar", "wine", "predictor", "llama", "v2") in post.models
