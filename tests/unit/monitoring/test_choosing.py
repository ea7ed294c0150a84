"""Which replica evaluates a model, while references differ and replicas compete."""

import pytest

from driftgauge.monitoring.choosing import Candidate, Choice, replaced_by
from driftgauge.results.notice import Notice
from driftgauge.storage.leases import Lease, Wish
from tests.support.models import WINE

LOW, HIGH = sorted(("a1", "b2"), key=lambda replica: Candidate("", WINE, "", "").rank(replica))
MINE, FOREIGN = "me/1", "other/1"


def candidate(replica: str = "me", token: str = "", reference: str = "new", *, claims: bool = False) -> Candidate:
    """A replica with the newest reference."""
    return Candidate(replica, WINE, token, reference, claims)


def notice(reference: str = "new", *replaced: str) -> Notice:
    """What the evaluator has published."""
    return Notice(replica="other", time=1_000.0, reference=reference, replaced=replaced)


@pytest.mark.parametrize(
    ("me", "lease", "notice_read", "choice"),
    [
        (candidate(), Lease(), None, Choice.ACQUIRE),
        (candidate(), Lease(), notice("old"), Choice.ACQUIRE),
        (candidate(), Lease(wish=Wish("me")), notice(), Choice.ACQUIRE),
        (candidate(), Lease(wish=Wish("other", "newer")), notice(), Choice.FOLLOW),
        (candidate(), Lease(wish=Wish("other", "new")), notice("old"), Choice.ACQUIRE),
        (candidate(HIGH), Lease(wish=Wish(LOW)), notice(), Choice.ACQUIRE),
        (candidate(LOW), Lease(wish=Wish(HIGH)), notice(), Choice.FOLLOW),
        (candidate(token=MINE), Lease(MINE), notice(), Choice.EVALUATE),
        (candidate(token=MINE), Lease(MINE, Wish("me")), notice(), Choice.EVALUATE),
        (candidate(LOW, MINE), Lease(MINE, Wish(HIGH)), notice(), Choice.EVALUATE_AND_YIELD),
        (candidate(HIGH, MINE), Lease(MINE, Wish(LOW)), notice(), Choice.EVALUATE),
        (candidate(HIGH, MINE), Lease(MINE, Wish(LOW, "newer")), notice(), Choice.EVALUATE_AND_YIELD),
        (candidate(token=MINE), Lease(MINE, Wish("other", "new")), notice("old"), Choice.EVALUATE),
        (candidate(LOW, MINE), Lease(f"{HIGH}/1"), notice(), Choice.FOLLOW),
        (candidate(HIGH), Lease(f"{LOW}/1"), notice(), Choice.WISH_SHARE),
        (candidate(HIGH), Lease(f"{LOW}/1"), None, Choice.WISH_SHARE),
        (candidate(LOW), Lease(f"{HIGH}/1"), notice(), Choice.FOLLOW),
        (candidate(HIGH), Lease(f"{LOW}/1", Wish("other", "newer")), notice(), Choice.FOLLOW),
    ],
)
def test_replicas_with_one_reference(me: Candidate, lease: Lease, notice_read: Notice | None, choice: Choice) -> None:
    """Whoever holds the lease evaluates, and yields to a higher rank that wishes so."""
    assert choice is me.choose(lease, notice_read, fresh=True)


@pytest.mark.parametrize(
    ("me", "notice_read", "choices"),
    [
        (candidate(), notice("old"), [Choice.ACQUIRE, Choice.WISH_REFERENCE]),
        (candidate(reference="old"), notice("new", "old"), [Choice.FOLLOW, Choice.FOLLOW]),
        (candidate(reference="old", claims=True), notice("new", "old"), [Choice.ACQUIRE, Choice.WISH_REFERENCE]),
        (candidate(reference=""), notice("new"), [Choice.FOLLOW, Choice.FOLLOW]),
        (candidate(reference="", claims=True), notice("new"), [Choice.ACQUIRE, Choice.WISH_REFERENCE]),
    ],
    ids=["newer", "older", "rollback", "not loaded yet", "removed"],
)
def test_replicas_with_two_references(me: Candidate, notice_read: Notice, choices: list[Choice]) -> None:
    """The one with the newer one evaluates, and the older one abstains, whether the lease is free or not.

    One that saw its file change back claims, although its reference is an older one.
    """
    assert choices == [me.choose(lease, notice_read, fresh=True) for lease in (Lease(), Lease(FOREIGN))]


def test_an_older_reference_is_used_when_no_replica_has_the_newer_one_any_more() -> None:
    """The newest notice is older than three intervals."""
    assert Choice.ACQUIRE is candidate(reference="old").choose(Lease(), notice("new", "old"), fresh=False)


def test_a_holder_whose_reference_was_replaced_yields() -> None:
    """Another one has published with a newer reference meanwhile."""
    me = candidate(token=MINE, reference="old")

    assert Choice.YIELD is me.choose(Lease(MINE), notice("new", "old"), fresh=True)


def test_a_new_evaluator_remembers_eight_references_that_its_own_replaced() -> None:
    """The newest first, without its own, without none, and without a newer one that no replica has any more."""
    many = notice("v9", *(f"v{number}" for number in range(8, 0, -1)))

    assert replaced_by(candidate(reference="v10"), None) == ()
    assert tuple(f"v{number}" for number in range(9, 1, -1)) == replaced_by(candidate(reference="v10"), many)
    assert ("v9", *(f"v{n}" for n in (8, 7, 6, 4, 3, 2, 1))) == replaced_by(
        candidate(reference="v5", claims=True), many
    )
    assert tuple(f"v{number}" for number in (8, 7, 6, 4, 3, 2, 1)) == replaced_by(candidate(reference="v5"), many)
    assert replaced_by(candidate(reference="new"), notice("")) == ()
