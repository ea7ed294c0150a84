"""What happens outside of the cluster: clients send wines, tasters post grades later, and a person reads `/drift`."""

import asyncio
import itertools
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from examples.demo import data
from examples.demo.late_labels import LateLabels
from examples.demo.traffic import Client, Traffic
from examples.retrain.fleet import Fleet, Revision
from examples.retrain.wines import Tasted

BATCH_ROWS = 8
"""Wines in one request, unless requests are counted."""

PAUSE_SECONDS = 0.01
LOOK_EVERY = 10
"""Requests between two looks at what a caller waits for."""

Look = Callable[[], Awaitable[bool]]
"""Whether what a caller waits for has happened."""


@dataclass(frozen=True, slots=True)
class Found:
    """What one revision has found, as `/drift` says.

    Args:
        data: The state of inputs and predictions together: `ok`, `drift` or `cannot_tell`.
        reading: The sentence on the inputs.
        outcomes: The states of performance and concept; empty before the first.
        outcome_reading: The sentence on the labelled predictions.
        labelled: Labelled predictions of the newest look.
    """

    data: str
    reading: str
    outcomes: dict[str, str]
    outcome_reading: str
    labelled: int

    @property
    def is_wrong(self) -> bool:
        """Whether labels say that the model is not what it was."""
        return "drift" in self.outcomes.values()

    @property
    def is_quiet(self) -> bool:
        """Whether there is a verdict on all of it, and none is drift."""
        return self.data == "ok" and set(self.outcomes.values()) == {"ok"}


async def look(fleet: Fleet, revision: Revision) -> Found:
    """What a revision has found."""
    models = (await fleet.fetch(f"{revision.admin_url}/drift"))["models"]
    model: dict[str, Any] = next((one for one in models if one["revision"] == revision.name), {})
    outcomes = model.get("outcomes") or {}
    tests = [test for output in outcomes.get("outputs", ()) for test in output["tests"]]
    return Found(
        data=model.get("model_state", {}).get("state", "cannot_tell"),
        reading=model.get("reading", "Not evaluated."),
        outcomes={test["test"]: test["state"] for test in tests},
        outcome_reading=outcomes.get("reading", ""),
        labelled=int(outcomes.get("rows", 0)),
    )


class Clients:
    """Sends wines through the splitter, and posts the grade of each some wines later.

    Args:
        fleet: The programs.
        labels_url: Where labels are posted first.
    """

    def __init__(self, fleet: Fleet, labels_url: str) -> None:
        self._fleet = fleet
        self._traffic = Traffic(Client(fleet.session, fleet.data_url), data.columns())
        self._labels = LateLabels(fleet.session, labels_url)

    @property
    def sent(self) -> int:
        """Wines sent so far."""
        return self._traffic.rows

    async def move_labels(self, labels_url: str) -> None:
        """Post all labels that wait, and the later ones to another port."""
        await self._labels.flush()
        self._labels = LateLabels(self._fleet.session, labels_url)

    async def send(self, tasted: Tasted, most: int, happened: Look, batch_rows: int = BATCH_ROWS) -> int:
        """Send wines again and again until something has happened; returns how many were sent.

        Args:
            tasted: The wines, which come in another order each time.
            most: Most wines, after which the caller looks itself.
            happened: Whether to stop.
            batch_rows: Wines in one request.
        """
        sent = 0
        for number, batch in enumerate(_forever(tasted, batch_rows)):
            if sent >= most or (number % LOOK_EVERY == 0 and await happened()):
                break
            inference_id = await self._traffic.send(batch.wines)
            await self._labels.add(inference_id, batch.grades)
            sent += len(batch.wines)
            await asyncio.sleep(PAUSE_SECONDS)
        return sent


def _forever(tasted: Tasted, batch_rows: int) -> Iterator[Tasted]:
    """Wines in requests, all of them again and again, each time in another order."""
    for seed in itertools.count():
        order = np.random.default_rng(seed).permutation(len(tasted.wines))
        for start in range(0, len(order), batch_rows):
            places = order[start : start + batch_rows]
            yield Tasted(tasted.wines[places], tasted.grades[places])
