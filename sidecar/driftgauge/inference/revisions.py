"""The revisions of a model: how their names are read, and which of them are live.

Source: KServe 0.20, `GetRawServiceLabel` in `pkg/constants/constants.go`: the label `app` of a pod is `isvc.` and the
name of its Deployment, which is `wine-predictor`, or `wine-v2-predictor` for the canary `v2`.
"""

import re
from collections import OrderedDict
from collections.abc import Iterator
from typing import Final, final

from driftgauge.inference.payload import COMPONENTS, ModelKey

LIVE_REVISIONS: Final = 5
"""Most revisions of one model that have series and rows of their own: a stable one, and some canaries."""

SILENT_SECONDS: Final = 86_400
"""How long a revision may be without requests while another revision of its model has some."""

STABLE: Final = "stable"
"""The revision of a component that is no canary."""

_APP: Final = re.compile(rf"isvc\.(?P<deployment>.+)-(?:{'|'.join(COMPONENTS)})")


def read_revision(text: str, inference_service: str) -> str:
    """The revision that an option, a variable or an annotation names.

    Args:
        text: The name, or the label `app` of a pod of KServe in Standard mode.
        inference_service: The name of the InferenceService.

    Returns:
        `stable` or the name of the canary if the text is the label of a pod of this InferenceService. Any other text
        as it is, and that of a canary with the name `stable` too: two revisions must not share a name.
    """
    found = _APP.fullmatch(text)
    if found is None:
        return text
    if found["deployment"] == inference_service:
        return STABLE
    canary = found["deployment"].removeprefix(f"{inference_service}-")
    return text if canary in {found["deployment"], "", STABLE} else canary


@final
class LiveRevisions:
    """The revisions of one model that have requests, at most `LIVE_REVISIONS` and the configured one.

    Args:
        configured: The key of the model in the configuration, or that of its reference; `None` without one. It is
            always live, but a key without a revision is not listed while it has no requests and other revisions have:
            their requests are those of the model.
    """

    __slots__ = ("_last", "configured")

    def __init__(self, configured: ModelKey | None = None) -> None:
        self.configured = configured
        self._last: OrderedDict[str, tuple[ModelKey, float]] = OrderedDict()  # the one that is idle the longest first

    def __iter__(self) -> Iterator[ModelKey]:
        """The keys of the live revisions, the configured one first."""
        if self.configured is not None and self._lists_configured():
            yield self.configured
        for key, _ in self._last.values():
            if key != self.configured:
                yield key

    def __contains__(self, key: ModelKey) -> bool:
        """Whether a key is listed."""
        return key.revision in self._last or (key == self.configured and self._lists_configured())

    def touch(self, revision: str, now: float) -> ModelKey | None:
        """Note a request of a revision. Returns its key, so that equal keys take memory once; `None` if not live."""
        found = self._last.get(revision)
        if found is not None:
            key = found[0]
        elif self.configured is not None and self.configured.revision == revision:
            key = self.configured
        else:
            return None
        self._last[revision] = key, now
        self._last.move_to_end(revision)
        return key

    def add(self, key: ModelKey, now: float, idle_until: float) -> bool:
        """Add a revision that has its first request. Returns whether there was a place.

        Args:
            key: The model with the revision.
            now: When the request was.
            idle_until: If all places are taken, the revision that is idle the longest gives up its own, unless it had
                a request after this time.
        """
        if len(self._last) >= LIVE_REVISIONS:
            revision, (_, last) = next(iter(self._last.items()))
            if last > idle_until:
                return False
            del self._last[revision]
        self._last[key.revision] = key, now
        return True

    def restore(self, key: ModelKey, last: float) -> bool:
        """Add a revision whose rows outlived a restart as the one that is idle the longest, if a place is free."""
        if key in self:
            return True
        if len(self._last) >= LIVE_REVISIONS:
            return False
        self._last[key.revision] = key, last
        self._last.move_to_end(key.revision, last=False)
        return True

    def expire(self, until: float) -> None:
        """Remove the revisions that had no request after `until`, or are silent for long while others are not."""
        if not self._last:
            return
        _, newest = self._last[next(reversed(self._last))]
        until = max(until, newest - SILENT_SECONDS)
        for revision, (_, last) in list(self._last.items()):
            if last > until:
                return
            del self._last[revision]

    def _lists_configured(self) -> bool:
        """Whether the configured key is listed: it has a revision or requests, or no other revision has any."""
        configured = self.configured
        return configured is not None and bool(configured.revision or not self._last or "" in self._last)
