"""A small broker over HTTP that accepts and delivers events by the rules of Knative's.

Source: Knative Eventing, pkg/broker/ingress/ingress_handler.go (methods, paths and status codes), CloudEvents SDK for
Go, v2/event/eventcontext_v1.go (`Validate`), and https://knative.dev/docs/eventing/triggers/ (filters).
"""

import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Final, NamedTuple
from urllib.parse import unquote, urlsplit

from aiohttp import web

_NAME: Final = re.compile(r"[a-z0-9]+")
_REQUIRED: Final = ("id", "source", "type", "specversion")


class TakenEvent(NamedTuple):
    """An event that the broker has accepted.

    Args:
        attributes: By name, without `ce-`; the type of the data as `datacontenttype`.
        data: The body.
    """

    attributes: Mapping[str, str]
    data: bytes


class BrokerIngress:
    """Takes events for one broker.

    Args:
        namespace: The broker's namespace.
        name: Its name.

    Attributes:
        taken: What it has accepted, in order.
        refused: Why it has refused others.
        url: Its address, while it listens.
    """

    def __init__(self, namespace: str, name: str) -> None:
        self._path = f"/{namespace}/{name}"
        self.taken: list[TakenEvent] = []
        self.refused: list[str] = []
        self.url = ""

    @asynccontextmanager
    async def listening(self) -> AsyncIterator["BrokerIngress"]:
        """Listen on a free port of the loopback address."""
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._take)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        self.url = f"http://127.0.0.1:{runner.addresses[0][1]}{self._path}"
        try:
            yield self
        finally:
            await runner.cleanup()

    def delivered(self, filters: Mapping[str, str]) -> list[TakenEvent]:
        """The events that a Trigger with these exact attributes gets."""
        return [one for one in self.taken if filters.items() <= one.attributes.items()]

    async def _take(self, request: web.Request) -> web.Response:
        if request.method != "POST":
            return web.Response(status=405, headers={"Allow": "POST, OPTIONS"})
        if request.path.rstrip("/") != self._path:
            return web.Response(status=404 if request.path == "/" else 400)
        attributes = {
            name.lower().removeprefix("ce-"): unquote(value)
            for name, value in request.headers.items()
            if name.lower().startswith("ce-")
        }
        attributes["datacontenttype"] = request.headers.get("Content-Type", "")
        faults = event_faults(attributes)
        if faults:
            self.refused += faults
            return web.Response(status=400, text="; ".join(faults))
        self.taken.append(TakenEvent(attributes, await request.read()))
        return web.Response(status=202)


def event_faults(attributes: Mapping[str, str]) -> list[str]:
    """What is wrong with the attributes of an event in binary mode."""
    faults = [f"{name}: must not be empty" for name in _REQUIRED if not attributes.get(name)]
    faults += [f"{name}: lower case letters and digits alone" for name in attributes if not _NAME.fullmatch(name)]
    if attributes.get("specversion") != "1.0":
        faults.append("specversion: must be 1.0")
    if "dataschema" in attributes and not urlsplit(attributes["dataschema"]).scheme:
        faults.append("dataschema: must be an absolute URI")
    try:
        moment = datetime.fromisoformat(attributes.get("time", "1970-01-01T00:00:00Z"))
        faults += [] if moment.tzinfo else ["time: has no zone"]
    except ValueError:
        faults.append("time: must be as in RFC 3339")
    return faults
