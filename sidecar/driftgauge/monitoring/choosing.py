"""Chooses which replica evaluates a model, from what every replica sees: pure functions, the same in all of them.

Two rules. Who has the newer reference evaluates, so that a changed file resets a detector once. Among replicas with the
same reference the one with the highest rank evaluates, and ranks are hashes of replica and model, so that each replica
has its share of the models without a list of the replicas.
"""

from enum import Enum, auto
from hashlib import blake2b
from typing import NamedTuple

from driftgauge.inference.payload import ModelKey
from driftgauge.results.notice import Notice
from driftgauge.storage.leases import Lease

_KEPT_DIGESTS = 8
"""Replaced references that are remembered: more than change while a rollout is under way."""


class Choice(Enum):
    """What a replica does about a model at one look."""

    EVALUATE = auto()
    """It holds the lease: evaluate."""

    EVALUATE_AND_YIELD = auto()
    """Evaluate, then release the lease, since another replica wants it with reason."""

    YIELD = auto()
    """It holds the lease, but its reference was replaced: release it."""

    ACQUIRE = auto()
    """No replica holds the lease: try to acquire it."""

    WISH_SHARE = auto()
    """Another replica holds it, which has a lower rank: wish for it."""

    WISH_REFERENCE = auto()
    """Another replica holds it, which has an older reference: wish for it."""

    FOLLOW = auto()
    """Show what the evaluator publishes."""


class Candidate(NamedTuple):
    """A replica, as a candidate for the evaluation of one model.

    Args:
        replica: Its id.
        model: The model.
        token: The token of its term; empty if it has begun none.
        reference: Digest of its reference; empty without one.
        claims: Whether it saw its file change from the reference in use to this one, even if that is an older one.
    """

    replica: str
    model: ModelKey
    token: str
    reference: str
    claims: bool = False

    def choose(self, lease: Lease, notice: Notice | None, *, fresh: bool) -> Choice:
        """Choose what to do.

        Args:
            lease: The lease of the model.
            notice: What its evaluator has published last; `None` without any.
            fresh: Whether that is not too old.
        """
        behind = fresh and notice is not None and self._is_behind(notice)
        if lease.token and lease.token == self.token:
            if behind:
                return Choice.YIELD
            return Choice.EVALUATE_AND_YIELD if self._yields_to(lease, notice) else Choice.EVALUATE
        if behind:
            return Choice.FOLLOW
        ahead = notice is not None and self.is_ahead(notice)
        if not lease.token:
            return Choice.FOLLOW if self._waits_for(lease, ahead=ahead) else Choice.ACQUIRE
        if ahead:
            return Choice.WISH_REFERENCE
        agrees = notice is None or notice.reference == self.reference
        outranked = self.rank(lease.holder) < self.rank(self.replica)
        return Choice.WISH_SHARE if agrees and outranked and not self._waits_for(lease, ahead=False) else Choice.FOLLOW

    def is_ahead(self, notice: Notice) -> bool:
        """Whether its reference is newer than that of the evaluator.

        A digest that the evaluator never had is newer. A file that is missing is not, unless it was seen to vanish: it
        may not have been loaded yet.
        """
        if self.reference == notice.reference:
            return False
        return self.claims or (self.reference != "" and self.reference not in notice.replaced)

    def rank(self, replica: str) -> bytes:
        """The rank of a replica for the model: evenly distributed, and the same for all that compute it."""
        return blake2b("/".join((replica, *self.model)).encode("utf-8", "surrogatepass"), digest_size=8).digest()

    def _is_behind(self, notice: Notice) -> bool:
        """Whether the evaluator has a reference that replaced this one."""
        return self.reference != notice.reference and not self.is_ahead(notice)

    def _yields_to(self, lease: Lease, notice: Notice | None) -> bool:
        """Whether the wish of another replica is a reason to release the lease."""
        wish = lease.wish
        if wish is None or wish.replica == self.replica:
            return False
        if wish.reference:
            replaced = () if notice is None else notice.replaced
            return wish.reference != self.reference and not (self.claims and wish.reference in replaced)
        return self.rank(wish.replica) > self.rank(self.replica)

    def _waits_for(self, lease: Lease, *, ahead: bool) -> bool:
        """Whether another replica comes first, which has said so."""
        wish = lease.wish
        if wish is None or wish.replica == self.replica:
            return False
        if wish.reference:
            return not ahead and wish.reference != self.reference
        return not ahead and self.rank(wish.replica) > self.rank(self.replica)


def replaced_by(candidate: Candidate, notice: Notice | None) -> tuple[str, ...]:
    """The references that a new evaluator's one replaces, the newest first.

    Args:
        candidate: The new evaluator.
        notice: What the evaluator before has published last.

    Returns:
        Those of before, and that of the evaluator before if it is older. If it is newer, but no replica has had it
        for a while, it is none of them: a replica that comes back with it is ahead again.
    """
    if notice is None:
        return ()
    before = (notice.reference, *notice.replaced) if candidate.is_ahead(notice) else notice.replaced
    return tuple(one for one in before if one not in {"", candidate.reference})[:_KEPT_DIGESTS]
