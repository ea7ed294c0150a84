"""Which outputs the labels of a request may be of, as far as that is known before they meet their responses."""

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from driftgauge.inference.payload import printable
from driftgauge.protocol.label_values import Label
from driftgauge.storage.labels import LabelLayout

_NAMES: Final = 10
"""How many outputs a sentence names: as many as get labels."""


class ExpectedOutputs(NamedTuple):
    """The outputs of the models that labels may be of.

    Args:
        names: Their names.
        is_required: Whether a label must name one: each model has several.
        is_complete: Whether a label of another output fits no model.
    """

    names: tuple[str, ...] = ()
    is_required: bool = False
    is_complete: bool = False

    @classmethod
    def of(cls, layouts: Iterable[LabelLayout | None]) -> "ExpectedOutputs":
        """The outputs of models with these layouts; `None` is one whose layout is not known."""
        known = [*layouts]
        found = [layout for layout in known if layout is not None]
        names = tuple(dict.fromkeys(name for layout in found for name in layout.outputs))
        required = bool(found) and all(len(layout.outputs) > 1 for layout in found)
        return cls(names, required, bool(names) and len(found) == len(known))

    def sort_out(self, labels: Sequence[Label]) -> tuple[Sequence[Label], list[str]]:
        """The labels that may be of one of the outputs, and a sentence for each fault of the others."""
        if not self.is_required and not (self.is_complete and any(label.output is not None for label in labels)):
            return labels, []
        fitting = [label for label in labels if self._fits(label)]
        unnamed = sum(label.output is None for label in labels) if self.is_required else 0
        others = [label.output for label in labels if label.output is not None and not self._fits(label)]
        known = ", ".join(f"`{printable(name):.80}`" for name in self.names[:_NAMES])
        sentences = []
        if unnamed:
            without = "1 label names" if unnamed == 1 else f"{unnamed:,} labels name"
            sentences.append(f"{without} no output, and the model has {known}: name one of them as `output`.")
        if others:
            name = f"the output `{printable(others[0]):.80}`"
            of_it = f"1 label is of {name}" if len(others) == 1 else f"{len(others):,} labels are of others, as {name}"
            sentences.append(f"{of_it}, which the model lacks: it has {known}.")
        return fitting, sentences

    def _fits(self, label: Label) -> bool:
        """Whether a label may be of one of the outputs."""
        if label.output is None:
            return not self.is_required
        return not self.is_complete or label.output in self.names
