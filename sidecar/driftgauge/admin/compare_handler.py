"""The path `/compare` of the admin port: a canary against the stable revision, as JSON."""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from http import HTTPStatus
from typing import Final

import orjson
from aiohttp import web

from driftgauge.admin.model_lists import matching_models, model_title, which_of
from driftgauge.admin.release_as_json import judge_release, release_as_json
from driftgauge.drift.canary.release_record import ReleaseRecord
from driftgauge.errors import StorageError
from driftgauge.inference.payload import ModelKey
from driftgauge.results.latest_comparisons import LatestComparisons, ReleaseComparison

Compare = Callable[[ModelKey, ModelKey], Awaitable[ReleaseRecord | None]]
"""Looks at a canary and its stable revision; `None` if one of them has no requests."""

MIN_REQUESTS: Final = 100
"""Requests of each revision that a criterion needs to pass, unless the query says otherwise."""

_MOST_REQUESTS: Final = 1_000_000_000

_HEADERS: Final = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}


class CompareHandler:
    """Responds to `/compare`.

    Args:
        compare: Compares two revisions.
        models: The models that this process knows: others are looked for nowhere.
        latest: Receives each comparison, for the page of the model.
    """

    def __init__(self, compare: Compare, models: Iterable[ModelKey], latest: LatestComparisons | None = None) -> None:
        self._compare = compare
        self._models = models
        self._latest = LatestComparisons() if latest is None else latest

    async def respond(self, request: web.Request) -> web.Response:
        """Compare the revisions that the query names."""
        try:
            canary, stable, least = self._named(request.query)
            record = await self._compare(canary, stable)
        except _QueryError as error:
            return web.Response(status=error.status, text=f"{error}\n")
        except StorageError as error:
            return web.Response(status=HTTPStatus.SERVICE_UNAVAILABLE, text=f"{error}\n")
        if record is None:
            names = f"{model_title(canary)} or of revision {stable.revision}"
            return web.Response(status=HTTPStatus.NOT_FOUND, text=f"there are no requests of {names}\n")
        results = judge_release(record, least)
        self._latest.publish(ReleaseComparison(canary, stable, results, record.began, record.looked, record.numbers))
        body = orjson.dumps(release_as_json(canary, stable, record, least))
        return web.Response(body=body, content_type="application/json", headers=_HEADERS)

    def _named(self, query: Mapping[str, str]) -> tuple[ModelKey, ModelKey, int]:
        """The canary, the stable revision, and the least requests of each.

        Raises:
            _QueryError: The query lacks something, or names a model that is not known, or several.
        """
        revision, against = query.get("revision", ""), query.get("against", "")
        if not query.get("inference_service") or not revision or not against:
            raise _QueryError(HTTPStatus.BAD_REQUEST, "the query needs inference_service, revision and against")
        if revision == against:
            raise _QueryError(HTTPStatus.BAD_REQUEST, f"revision and against are both {revision}")
        text = query.get("min_requests", str(MIN_REQUESTS))
        if not text.isascii() or not text.isdigit() or not 1 <= int(text[:10]) <= _MOST_REQUESTS:
            raise _QueryError(HTTPStatus.BAD_REQUEST, "min_requests is a whole number, at least 1")
        services = {model._replace(revision="") for model in self._models}
        found = matching_models({**query, "revision": ""}, sorted(services))
        if not found:
            name = query["inference_service"]
            raise _QueryError(HTTPStatus.NOT_FOUND, f"no model of {name} is known here: `/` lists those that are")
        if len(found) > 1:
            raise _QueryError(HTTPStatus.MULTIPLE_CHOICES, which_of(found))
        return found[0]._replace(revision=revision), found[0]._replace(revision=against), int(text)


class _QueryError(ValueError):
    """A query that names no two revisions of one known model.

    Args:
        status: The status code of the response.
        sentence: What is wrong.
    """

    def __init__(self, status: HTTPStatus, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status
