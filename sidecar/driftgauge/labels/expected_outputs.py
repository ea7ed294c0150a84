"""Which outputs the labels of a request may be of, as far as that is known before they meet their responses."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from driftgauge.drift.profile import FeatureKind
from driftgauge.inference.payload import printable
from driftgauge.protocol.label_values import Label
from driftgauge.storage.labels import LabelLayout


class ExpectedOutputs(NamedTuple):
    """The outputs of the models that labels may be of.

    Args:
        names: Their names.
        is_required: Whether a label must name one: each model has several.
        is_complete: Whether a label of another output fits no model.
        numbers: The outputs of which labels are numbers, in each model; empty unless `is_complete`.
    """

    names: tuple[str, ...] = ()
    is_required: bool = False
    is_complete: bool = False
    numbers: frozenset[str] = frozenset()

    @classmethod
    def of(cls, layouts: Iterable[LabelLayout | None]) -> "ExpectedOutputs":
        """The outputs of models with these layouts; `None` is one whose layout is not known."""
        known = [*layouts]
        found = [layout for layout in known if layout is not None]
        names = tuple(dict.fromkeys(name for layout in found for name in layout.outputs))
        required = bool(found) and all(len(layout.outputs) > 1 for layout in found)
        complete = bool(names) and len(found) == len(known)
        texts = {
            name
            for layout in found
            for name, kind in zip(layout.outputs, layout.output_kinds, strict=True)
            if kind is not FeatureKind.NUMERIC
        }
        return cls(names, required, complete, frozenset(names) - texts if complete else frozenset())

    def sort_out(self, labels: Sequence[Label]) -> tuple[Sequence[Label], list[str]]:
        """The labels that may be of one of the outputs, and a sentence for each fault of the others."""
        fitting: list[Label] = []
        unnamed: list[Label] = []
        others: list[Label] = []
        texts: list[Label] = []
        only = self.names[0] if len(self.names) == 1 else ""
        for label in labels:
            output = only if label.output is None else label.output
            if label.output is None and self.is_required:
                unnamed.append(label)
            elif label.output is not None and self.is_complete and label.output not in self.names:
                others.append(label)
            elif label.number is None and output in self.numbers:
                texts.append(label)
            else:
                fitting.append(label)
        known = ", ".join(f"`{printable(name):.80}`" for name in self.names)
        sentences = []
        if unnamed:
            names = _counted(unnamed, "names", "name")
            sentences.append(f"{names} no output, and the model has {known}: name one of them as `output`.")
        if others:
            lacking = f"the output `{printable(others[0].output or ''):.80}`"
            some = "" if len(others) == 1 else "others, such as "
            sentences.append(
                f"{_counted(others, 'is', 'are')} of {some}{lacking}, which the model lacks: it has {known}."
            )
        if texts:
            place = f"`{printable(texts[0].output or only):.80}`"
            sentences.append(
                f"{_counted(texts, 'is', 'are')} no number up to 1e100, and the output {place} is a number."
            )
        return fitting, sentences


def _counted(labels: Sequence[Label], one: str, several: str) -> str:
    return f"1 label {one}" if len(labels) == 1 else f"{len(labels):,} labels {several}"
