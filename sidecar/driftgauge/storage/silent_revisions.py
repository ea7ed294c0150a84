"""Which streams of a shared store are those of revisions that another revision has replaced.

A service with a new revision each day leaves the rows of a week in the store. A process that starts should show the
revisions that serve, as a process that runs does.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence

from driftgauge.inference.revisions import SILENT_SECONDS
from driftgauge.storage.ring import StreamKey

_SILENT_MILLISECONDS = SILENT_SECONDS * 1_000


def with_siblings(streams: Sequence[StreamKey]) -> list[StreamKey]:
    """The streams of models of which several revisions have rows."""
    revisions: defaultdict[tuple[str, ...], set[str]] = defaultdict(set)
    for stream in streams:
        revisions[stream.model[:-1]].add(stream.model.revision)
    return [stream for stream in streams if len(revisions[stream.model[:-1]]) > 1]


def silent_revisions(left: Mapping[StreamKey, int]) -> set[StreamKey]:
    """The streams of revisions that had no rows for long, while another revision of their model had some.

    Args:
        left: Milliseconds until each stream expires. All have the same time to live, which an append restarts.
    """
    models: defaultdict[tuple[str, ...], defaultdict[str, int]] = defaultdict(lambda: defaultdict(int))
    for stream, milliseconds in left.items():
        revisions = models[stream.model[:-1]]
        revisions[stream.model.revision] = max(revisions[stream.model.revision], milliseconds)
    oldest = {model: max(revisions.values()) - _SILENT_MILLISECONDS for model, revisions in models.items()}
    return {stream for stream in left if models[stream.model[:-1]][stream.model.revision] <= oldest[stream.model[:-1]]}
