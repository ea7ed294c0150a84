"""Parses long bodies of events in a thread, one body at a time, and passes their events on in turns of the event loop.

The bodies that wait are bounded in number and in bytes. Since the cost of each is bounded (`MAX_PARSE_COST`,
`MAX_EVENTS`), so is the time for which the last of them waits.
"""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from typing import Protocol, final

from driftgauge.cloudevents.event import Event, RefusedEvent
from driftgauge.concurrency.worker import Worker
from driftgauge.errors import Reason
from driftgauge.inference.request_ids import header_fields
from driftgauge.server.body_copy import MemoryBudget

_log = logging.getLogger(__name__)

SHORT_BYTES = 4 * 1024
"""Longest body that is parsed on the event loop: some 25 events, or 1,400 times `{},`; 1 to 4 ms."""

EVENTS_A_TURN = 32
"""Most events that are accepted in one turn of the event loop: 1 to 2 ms."""

_MAX_BODIES = 64
"""Most bodies that wait: some 5 seconds of work at worst."""


class ParsedBody(Protocol):
    """What happens with the events of one body."""

    def on_count(self, events: int, body: bytes) -> None:
        """Send the body on, whose number of events is known now."""

    def on_events(self, events: Sequence[Event | RefusedEvent]) -> None:
        """Accept the next events of the body."""

    def on_parsed(self, refused: RefusedEvent | None) -> None:
        """Respond after the last event; `refused` is the only event of the body, and cannot be used."""

    def on_parse_failure(self, reason: Reason) -> None:
        """Count the loss of the rest of the body, and respond with an error."""


@final
class ParseQueue:
    """The bodies that wait, and the thread that parses them.

    Args:
        budget: Where the bytes of waiting bodies are counted.
    """

    def __init__(self, budget: MemoryBudget) -> None:
        self._budget = budget
        self._worker = Worker("events")
        self._tasks: set[asyncio.Task[None]] = set()

    def submit(self, fields: Mapping[bytes, bytes], body: bytes, parsed: ParsedBody) -> bool:
        """Parse a body after those that wait. Returns False, and does nothing, if too many wait."""
        if len(self._tasks) >= _MAX_BODIES or len(body) > self._budget.free_bytes:
            return False
        task = asyncio.get_running_loop().create_task(self._parse(fields, body, parsed))
        self._budget.free_bytes -= len(body)
        self._tasks.add(task)

        def end(task: asyncio.Task[None]) -> None:
            self._tasks.discard(task)
            self._budget.free_bytes += len(body)
            if task.cancelled():
                parsed.on_parse_failure(Reason.SHUTDOWN)

        task.add_done_callback(end)
        return True

    async def close(self) -> None:
        """Give up the bodies that wait, and stop the thread."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._worker.close()

    async def _parse(self, fields: Mapping[bytes, bytes], body: bytes, parsed: ParsedBody) -> None:
        try:
            events = await self._worker.run(parse, fields, body)
            parsed.on_count(len(events), body)
            for start in range(0, len(events), EVENTS_A_TURN):
                parsed.on_events(events[start : start + EVENTS_A_TURN])
                await asyncio.sleep(0)
            parsed.on_parsed(only_refused(events))
        except Exception:  # noqa: BLE001 - a bug in driftgauge ends one body, and its loss is counted
            ids = header_fields(fields)
            _log.exception("a body of events was lost because of a bug in driftgauge", extra={"fields": ids})
            parsed.on_parse_failure(Reason.INTERNAL)


def parse(fields: Mapping[bytes, bytes], body: bytes) -> list[Event | RefusedEvent]:
    """Parse the events of any sender."""
    # The SDK takes 3 MB of memory, which is not needed for traffic from KServe alone.
    from driftgauge.cloudevents.sdk import parse_events  # noqa: PLC0415 - see above

    headers = [(name.decode("latin-1"), value.decode("utf-8", "surrogateescape")) for name, value in fields.items()]
    return parse_events(headers, body)


def only_refused(events: Sequence[Event | RefusedEvent]) -> RefusedEvent | None:
    """The event of a body that has one event, if it cannot be used."""
    first = events[0] if len(events) == 1 else None
    return first if isinstance(first, RefusedEvent) else None
