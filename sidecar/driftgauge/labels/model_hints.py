"""What the reply to labels of an unknown model says: which models may be meant instead."""

from collections.abc import Collection, Sequence
from http import HTTPStatus
from typing import Final

from driftgauge.inference.label_target import LabelTarget
from driftgauge.inference.payload import PREDICTOR, ModelKey, printable
from driftgauge.labels.label_request import RefusedRequestError

_HINTS: Final = 3
"""How many models of the same name a sentence names."""


def unknown_model(
    target: LabelTarget, namesakes: Sequence[ModelKey], namespaces: Collection[str] | None
) -> RefusedRequestError:
    """The refusal of labels of an unknown model.

    Args:
        target: The names that the request gives.
        namesakes: The known models of the same InferenceService's name: in another namespace or component, or of
            another revision.
        namespaces: Namespaces that may be named beside that of the request; `None` for all. Who needs no token may be
            of another namespace, and is not to learn the names of any.
    """
    sentence = f"No model of {target} is known: labels are taken once it has had inferences."
    return RefusedRequestError(HTTPStatus.NOT_FOUND, sentence + _hint(target, namesakes, namespaces))


def _hint(target: LabelTarget, namesakes: Sequence[ModelKey], namespaces: Collection[str] | None) -> str:
    if not namesakes:
        return "" if target.namespace else " The query has no namespace."
    shown = [
        model
        for model in namesakes
        if namespaces is None or model.namespace in namespaces or model.namespace in {target.namespace, ""}
    ]
    if not shown:
        return " There is one in another namespace." + ("" if target.namespace else " The query has no namespace.")
    others = dict.fromkeys(_described(model, named=target.model_name is not None) for model in shown)
    return f" There is {', '.join(list(others)[:_HINTS])}."


def _described(model: ModelKey, *, named: bool) -> str:
    """The names of a model that a query may have, in words."""
    where = f"in the namespace `{model.namespace}`" if model.namespace else "without a namespace"
    more = "" if model.component == PREDICTOR else f" of the component `{model.component}`"
    revision = f" of revision `{model.revision}`" if model.revision else ""
    name = f" with the model_name `{model.model_name}`" if named else ""
    return printable(f"`{model.inference_service}` {where}{more}{name}{revision}")
