"""Collects the labels of one body. What is malformed is counted one by one, and costs nothing else of the body."""

from collections.abc import Callable
from typing import Final, final

from driftgauge.errors import PayloadError, Reason
from driftgauge.protocol.label_values import Label

MAX_LABELS: Final = 20_000
"""Most labels of one body, malformed ones included: some 8 MB of memory and 0.1 s of work."""

_LINES_A_LABEL: Final = 5
"""Most lines of a body of CSV for each label that it may have: those without a label take time too."""

SENTENCES: Final = 5
"""How many malformed labels of a body get a sentence."""

_CAUSE_CHARS: Final = 200
"""Longest cause in a sentence; it may quote what a sender sent."""

_LABELS_A_PAUSE: Final = 32
"""Labels, or lines, between two calls of the pause: some 0.1 ms."""


@final
class LabelCollector:
    """The labels of one body, and how many were malformed.

    Args:
        default_id: The id of labels that have none; empty to refuse them.
        pause: Called again and again while a body is read, so that a thread can let others run.
        limit: Most labels.

    Attributes:
        labels: The labels, in the order of the body.
        malformed: How many were malformed.
        sentences: What is wrong with the first few of these.
        rest: The pause.
    """

    def __init__(self, default_id: str = "", pause: Callable[[], None] = lambda: None, limit: int = MAX_LABELS) -> None:
        self.default_id = default_id
        self.labels: list[Label] = []
        self.malformed = 0
        self.sentences: list[str] = []
        self.rest = pause
        self._limit = limit

    def add(self, label: Label) -> None:
        """Take a label.

        Raises:
            PayloadError: `TOO_COMPLEX` if there are too many.
        """
        self._count_one()
        self.labels.append(label)

    def reject(self, place: str, cause: str) -> None:
        """Count a malformed label.

        Args:
            place: Where it is, such as `line 3`.
            cause: What is wrong: a clause.

        Raises:
            PayloadError: As `add`.
        """
        self._count_one()
        self.malformed += 1
        if len(self.sentences) < SENTENCES:
            self.sentences.append(f"{place[:1].upper()}{place[1:]}: {cause.rstrip('.'):.{_CAUSE_CHARS}}.")

    def check_lines(self, number: int) -> None:
        """Refuse a body by the number of its lines, with or without a label, before any of them is read.

        Raises:
            PayloadError: `TOO_COMPLEX` if there are too many.
        """
        most = _LINES_A_LABEL * self._limit
        if number > most + 1:  # the header is the first one
            message = f"The body has more than {most} lines: leave out those without a label, or send it in several."
            raise PayloadError(Reason.TOO_COMPLEX, message)

    def note_line(self, number: int) -> None:
        """Note that a line is read, with or without a label, by its number from 1."""
        if number % _LABELS_A_PAUSE == 0:
            self.rest()

    def _count_one(self) -> None:
        count = len(self.labels) + self.malformed
        if count >= self._limit:
            message = f"The body has more than {self._limit} labels: send them in several."
            raise PayloadError(Reason.TOO_COMPLEX, message)
        if count % _LABELS_A_PAUSE == 0:
            self.rest()
