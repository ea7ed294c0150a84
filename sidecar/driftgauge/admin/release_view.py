"""The part of a model's page on another revision of it: what was asked for last, without a new comparison."""

import shlex
from collections.abc import Callable, Sequence
from typing import Final

from driftgauge.inference.payload import PREDICTOR, ModelKey, printable
from driftgauge.page.outcome_words import duration
from driftgauge.page.release_part import ReleasePart
from driftgauge.results.latest_comparisons import LatestComparisons

_MINUTE_SECONDS: Final = 60

_STABLE: Final = "stable"
"""The revision that others are compared with unless the command says otherwise."""


class ReleaseView:
    """Makes the part of one model at a time.

    Args:
        latest: What was asked for last.
        clock: Returns the time in seconds since the epoch.
    """

    def __init__(self, latest: LatestComparisons, clock: Callable[[], float]) -> None:
        self._latest = latest
        self._clock = clock

    def part(self, model: ModelKey, revisions: Sequence[str]) -> ReleasePart | None:
        """The part of a model; `None` if no other revision of it is known.

        Args:
            model: The model.
            revisions: The other revisions of it that this process knows; those without a name are not compared.
        """
        found = self._latest.of(model)
        if found is not None:
            return ReleasePart(found, _age(self._clock() - found.looked), "")
        others = [one for one in revisions if one]
        if not model.revision or not others:
            return None
        return ReleasePart(None, "", compare_command(model, others))


def compare_command(model: ModelKey, others: Sequence[str]) -> str:
    """The command that compares a model with another revision, as a shell reads it.

    Args:
        model: The canary, unless its revision is `stable`.
        others: Names of other revisions, at least one; `stable` is preferred.
    """
    other = _STABLE if _STABLE in others else others[0]
    revision, against = (other, _STABLE) if model.revision == _STABLE else (model.revision, other)
    flags = {"--inference-service": model.inference_service, "--namespace": model.namespace}
    flags["--component"] = "" if model.component == PREDICTOR else model.component
    flags["--model"] = "" if model.model_name == model.inference_service else model.model_name
    flags |= {"--revision": revision, "--against": against}
    given = (f"{flag} {shlex.quote(printable(value))}" for flag, value in flags.items() if value)
    return " ".join(("driftgauge compare", *given))


def _age(seconds: float) -> str:
    """How long ago something was, in whole minutes below an hour, so that a page is not made again each second."""
    if seconds < _MINUTE_SECONDS:
        return "less than a minute ago"
    return f"{duration(seconds // _MINUTE_SECONDS * _MINUTE_SECONDS)} ago"
