"""Whose labels a request has: the names that it gives, which several models may fit."""

from collections.abc import Iterable
from typing import NamedTuple

from driftgauge.inference.payload import PREDICTOR, ModelKey, is_overflow


class LabelTarget(NamedTuple):
    """The names that a request gives; untrusted, at most 253 characters each.

    Args:
        namespace: Of the InferenceService; may be empty.
        inference_service: Its name; empty if the request gives none.
        component: Its component.
        model_name: The model's own name; `None` for any.
        revision: The revision; `None` for any.
    """

    namespace: str
    inference_service: str
    component: str = PREDICTOR
    model_name: str | None = None
    revision: str | None = None

    def __str__(self) -> str:
        """The names as in a key of Redis, those that are given."""
        names = [self.namespace, self.inference_service, self.component]
        more = [] if self.model_name is None else [self.model_name]
        return "/".join(names + more) + ("" if self.revision is None else f" revision {self.revision}")

    def candidates(self, models: Iterable[ModelKey]) -> tuple[ModelKey, ...]:
        """Those of some models that the names fit, without keys that stand for many models."""
        return tuple(model for model in models if self._fits(model) and not is_overflow(model))

    def _fits(self, model: ModelKey) -> bool:
        return (
            model[:3] == self[:3]
            and self.model_name in {None, model.model_name}
            and self.revision in {None, model.revision}
        )
