"""Joins the rows of an inference that several streams keep: its features, its predictions, and its labels.

A row of an inference is known by the digest of the inference's id and by its place in the inference. The rings of
requests and responses have the id of the header. Outcomes have the id by which the response waits, which is that of the
body where V2 gives one; they have the time of the response too, to the last bit, by which the response is found.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from driftgauge.storage.ring import Window

Indexes = NDArray[np.int64]
"""Shape `(n,)`: for each row the index of its counterpart, and -1 where there is none."""


class JoinedRows(NamedTuple):
    """Where the parts of each outcome row are.

    Args:
        requests: Shape `(n,)`: the index of its features in the window of requests; -1 where they are not kept.
        responses: Shape `(n,)`: the index of its predictions in the window of responses; -1 where they are not kept.
            The outcome row has them too.
    """

    requests: Indexes
    responses: Indexes


def joined_rows(requests: Window, responses: Window, outcomes: Window) -> JoinedRows:
    """Find the features and the predictions of labelled rows.

    O((n + m) log m) in the rows of the windows. Windows of different columns can be joined.

    Args:
        requests: The newest rows of a model's requests.
        responses: The newest rows of its responses. It may be empty: then rows are found by their id alone, which fails
            where the body of a response has another id than the header of its request.
        outcomes: Its labelled rows, n of them.
    """
    found = responses_of(outcomes, responses)
    ids = outcomes.ids.copy()
    ids[found >= 0] = responses.ids[found[found >= 0]]
    return JoinedRows(requests_of(ids, outcomes.places, outcomes.times, requests), found)


def requests_of(
    ids: NDArray[np.uint64], places: NDArray[np.int64], times: NDArray[np.float64], requests: Window
) -> Indexes:
    """The features of rows of responses: those of the newest request of this id that was there before the response.

    An id that comes again names another inference each time. A request that is only known from after the response, as
    events of a logger may arrive, counts where there is no other.

    Args:
        ids: Shape `(n,)`: the digests of the ids of their requests.
        places: Shape `(n,)`: their places in the inference, from 0.
        times: Shape `(n,)`: when the responses passed, in seconds since the epoch.
        requests: The window of the requests.

    Returns:
        Shape `(n,)`, as `Indexes`.
    """
    groups, wanted = _codes((requests.ids, ids), (requests.places, places))
    moments, until = _codes((groups, wanted), (requests.times, times))
    order = np.argsort(moments, kind="stable")
    first, end = _range(groups[order], wanted)
    newest = np.searchsorted(moments[order], until, side="right") - 1
    return _at(order, np.where(newest >= first, newest, first), first < end)


def responses_of(outcomes: Window, responses: Window) -> Indexes:
    """The predictions of outcome rows: those of the response with their time and place.

    Responses of the very same time are kept apart by their id; where that fails, none is taken.

    Returns:
        Shape `(n,)`, as `Indexes`.
    """
    groups, wanted = _codes((responses.times, outcomes.times), (responses.places, outcomes.places))
    exact, own = _codes((groups, wanted), (responses.ids, outcomes.ids))
    order = np.argsort(exact, kind="stable")
    first, end = _range(groups[order], wanted)
    first_same, end_same = _range(exact[order], own)
    is_same = first_same < end_same
    return _at(order, np.where(is_same, first_same, first), is_same | (end - first == 1))


def _codes(*keys: tuple[NDArray[Any], NDArray[Any]]) -> tuple[Indexes, Indexes]:
    """One number for the keys of each row, equal where all are equal, in the order of the first key, then the next.

    Args:
        keys: Each key of the known rows, shape `(m,)`, and of the wanted ones, shape `(n,)`.

    Returns:
        The numbers of the known rows and of the wanted ones.
    """
    codes: Indexes = np.zeros(sum(map(len, keys[0])), dtype=np.int64)
    for known, wanted in keys:
        values, places = np.unique(np.concatenate([known, wanted]), return_inverse=True)
        codes = np.unique(codes * values.size + places, return_inverse=True)[1]  # small again: no overflow
    count = len(keys[0][0])
    return codes[:count], codes[count:]


def _range(known: Indexes, wanted: Indexes) -> tuple[Indexes, Indexes]:
    """Where the rows with each wanted number begin and end among known ones, which are in ascending order."""
    return np.searchsorted(known, wanted, side="left"), np.searchsorted(known, wanted, side="right")


def _at(order: Indexes, chosen: Indexes, is_found: NDArray[np.bool_]) -> Indexes:
    """The original index of each chosen row, and -1 where none is found."""
    found = np.full(chosen.shape, -1, dtype=np.int64)
    found[is_found] = order[chosen[is_found]]
    return found
