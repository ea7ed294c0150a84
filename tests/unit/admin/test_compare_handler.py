"""The path `/compare` of the admin port."""

import math
from collections.abc import AsyncIterator

import orjson
import pytest
from aiohttp import ClientSession

from driftgauge.admin.compare_handler import CompareHandler
from driftgauge.admin.server import Admin
from driftgauge.drift.canary.release_record import ReleaseRecord
from driftgauge.errors import StorageError
from driftgauge.inference.payload import ModelKey
from driftgauge.metrics.registry import Metrics
from driftgauge.results.latest import LatestEvaluations
from driftgauge.results.latest_comparisons import LatestComparisons
from tests.support.admin import get
from tests.support.models import IRIS, WINE

STABLE, CANARY = (WINE._replace(revision=revision) for revision in ("stable", "v2"))
GOOD = "inference_service=wine&revision=v2&against=stable"


class CompareServer:
    """An admin port whose comparisons a test chooses, and the pairs that it was asked for."""

    def __init__(self) -> None:
        self.models = [STABLE, CANARY, IRIS]
        self.record: ReleaseRecord | None = ReleaseRecord(1_000.0, 1_060.0)
        self.failure: StorageError | None = None
        self.asked: list[tuple[ModelKey, ModelKey]] = []
        self.latest = LatestComparisons()
        self.admin = Admin(
            Metrics("200").registry,
            self._ready,
            LatestEvaluations(math.inf),
            self._page,
            compare=CompareHandler(self._compare, self.models, self.latest),
            authorize=self._has_token,
        )
        self.address = ""

    async def _compare(self, canary: ModelKey, stable: ModelKey) -> ReleaseRecord | None:
        self.asked.append((canary, stable))
        if self.failure is not None:
            raise self.failure
        return self.record

    async def _ready(self) -> str | None:
        return None

    async def _page(self, model: ModelKey, title: str, up: str) -> str:
        return f"{model} {title} {up}"

    def _has_token(self, value: str | None) -> bool:
        return value == "Bearer secret"


@pytest.fixture
async def server() -> AsyncIterator[CompareServer]:
    """A server that listens on a port that the system chooses."""
    made = CompareServer()
    made.address = f"http://127.0.0.1:{await made.admin.start('127.0.0.1', 0, None)}/compare"
    yield made
    await made.admin.close()


@pytest.fixture
async def trusted() -> AsyncIterator[ClientSession]:
    """A client with the token."""
    async with ClientSession(headers={"Authorization": "Bearer secret"}) as session:
        yield session


async def test_a_comparison_is_json(server: CompareServer, trusted: ClientSession) -> None:
    """The revisions are those of the one model that the query means; nothing keeps the response."""
    async with trusted.get(f"{server.address}?{GOOD}&min_requests=7") as response:
        found = orjson.loads(await response.read())
        headers = response.headers

    assert [(CANARY, STABLE)] == server.asked
    assert ("application/json", "no-store") == (headers["Content-Type"], headers["Cache-Control"])
    assert ("cellar", "wine", "v2", "stable") == (
        found["inference_service_namespace"],
        found["inference_service"],
        found["revision"],
        found["against"],
    )
    assert (1_000.0, 1_060.0, 7, None) == tuple(
        found[name] for name in ("began_at", "looked_at", "min_requests", "inputs_differ")
    )
    assert ["drift", "errors", "latency", "accuracy"] == [one["criterion"] for one in found["criteria"]]
    assert {"cannot_tell"} == {one["state"] for one in found["criteria"]}


async def test_a_comparison_is_known_to_the_page(server: CompareServer, trusted: ClientSession) -> None:
    """One that was not made is not."""
    server.record = None
    await get(trusted, f"{server.address}?{GOOD}")
    before = server.latest.of(CANARY)
    server.record = ReleaseRecord(1_000.0, 1_060.0)
    await get(trusted, f"{server.address}?{GOOD}")
    shown = server.latest.of(STABLE)

    assert before is None
    assert shown is not None
    assert (CANARY, STABLE, 1_060.0, 4) == (shown.canary, shown.stable, shown.looked, len(shown.results))


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("", "the query needs inference_service, revision and against"),
        ("inference_service=wine&revision=v2", "the query needs inference_service, revision and against"),
        ("inference_service=wine&revision=&against=stable", "the query needs inference_service, revision and against"),
        ("inference_service=wine&revision=v2&against=v2", "revision and against are both v2"),
        *((f"{GOOD}&min_requests={bad}", "min_requests is a whole number, at least 1") for bad in ("0", "-1", "x", "")),
        (f"{GOOD}&min_requests={'9' * 5000}", "min_requests is a whole number, at least 1"),
        (f"{GOOD}&min_requests=%D9%A3", "min_requests is a whole number, at least 1"),
    ],
)
async def test_a_query_that_lacks_something_is_400(
    server: CompareServer, trusted: ClientSession, query: str, sentence: str
) -> None:
    """With one sentence that says what; nothing is compared."""
    assert (400, f"{sentence}\n") == await get(trusted, f"{server.address}?{query}")
    assert [] == server.asked


async def test_a_model_that_is_not_known_is_404(server: CompareServer, trusted: ClientSession) -> None:
    """It is looked for nowhere."""
    status, text = await get(trusted, f"{server.address}?{GOOD.replace('wine', 'beer')}")

    assert (404, "no model of beer is known here: `/` lists those that are\n") == (status, text)
    assert [] == server.asked


async def test_revisions_without_requests_are_404(server: CompareServer, trusted: ClientSession) -> None:
    """Both are named, since either may be the one."""
    server.record = None

    expected = 404, "there are no requests of cellar/wine revision v2 or of revision stable\n"
    assert expected == await get(trusted, f"{server.address}?{GOOD}")


async def test_a_query_that_several_models_match_is_300(server: CompareServer, trusted: ClientSession) -> None:
    """The namespace says which."""
    server.models.append(CANARY._replace(namespace="attic"))
    status, text = await get(trusted, f"{server.address}?{GOOD}")

    assert 300 == status
    assert "2 models match this query" in text
    assert 200 == (await get(trusted, f"{server.address}?{GOOD}&namespace=attic"))[0]
    assert ["attic", "attic"] == [model.namespace for model in server.asked[0]]


async def test_a_store_that_is_away_is_503(server: CompareServer, trusted: ClientSession) -> None:
    """A pipeline tries again."""
    server.failure = StorageError("the store does not respond")

    assert (503, "the store does not respond\n") == await get(trusted, f"{server.address}?{GOOD}")
    assert server.latest.of(CANARY) is None


async def test_no_token_is_refused_before_anything_is_compared(server: CompareServer, client: ClientSession) -> None:
    """As on every path of the admin port that shows data."""
    status, _ = await get(client, f"{server.address}?{GOOD}")

    assert 401 == status
    assert [] == server.asked
