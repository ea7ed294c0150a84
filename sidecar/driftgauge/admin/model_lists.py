"""Which models a query means, and the list of models as a page."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from urllib.parse import urlencode

from driftgauge.inference.payload import PREDICTOR, ModelKey
from driftgauge.page.model_index import Entry, render_index
from driftgauge.results.latest import ModelEvaluations
from driftgauge.results.latest_outcomes import OutcomeResult
from driftgauge.results.model_state import ModelState

Outcomes = Mapping[ModelKey, OutcomeResult]
"""The newest results on labels, by model."""

_NO_OUTCOMES: Outcomes = MappingProxyType({})

_NAMED = 20
"""Models that a sentence names."""


def named_model(query: Mapping[str, str]) -> ModelKey:
    """The model that a query names, with what is usual for what it leaves out.

    Args:
        query: Has `inference_service`, and may have `namespace`, `component`, `model_name` and `revision`.
    """
    service = query.get("inference_service", "")
    return ModelKey(
        query.get("namespace", ""),
        service,
        query.get("component") or PREDICTOR,
        query.get("model_name") or service,
        query.get("revision", ""),
    )


def matching_models(query: Mapping[str, str], models: Sequence[ModelKey]) -> list[ModelKey]:
    """The models that a query may mean.

    Args:
        query: As in `named_model`; an empty value is one that was left out.
        models: All models.

    Returns:
        None if none matches. One if the query names it with what is usual (no namespace, the predictor, the model that
        is named as its InferenceService, no revision), if no other matches, or if it is the only usual one of its
        namespace and revision. Else all that match.
    """
    exact = named_model(query)
    if exact in models:
        return [exact]
    given = {field: value for field in ModelKey._fields if (value := query.get(field))}
    found = [model for model in models if all(getattr(model, field) == value for field, value in given.items())]
    usual = [model for model in found if model == exact._replace(namespace=model.namespace, revision=model.revision)]
    return usual if len(usual) == 1 else found


def model_title(model: ModelKey) -> str:
    """A model's name for people; the component and the model's own name are left out where they are the usual ones."""
    service = f"{model.namespace}/{model.inference_service}" if model.namespace else model.inference_service
    component = "" if model.component == PREDICTOR else f" {model.component}"
    name = "" if model.model_name == model.inference_service else f" {model.model_name}"
    return service + component + name + (f" revision {model.revision}" if model.revision else "")


def other_revisions(model: ModelKey, models: Sequence[ModelKey]) -> tuple[tuple[str, str], ...]:
    """Name and link of each other revision of a model."""
    others = [one for one in models if one != model and one[:-1] == model[:-1]]
    return tuple((one.revision or "none", f"report?{_query(one)}") for one in others)


def which_of(models: Sequence[ModelKey]) -> str:
    """A sentence that asks for more of a query that several models match."""
    named = "; ".join(_query(model) for model in models[:_NAMED])
    more = f"; and {len(models) - _NAMED:,} more" if len(models) > _NAMED else ""
    return f"{len(models):,} models match this query, say which: {named}{more}"


def render_models(
    models: Sequence[ModelEvaluations], states: Mapping[ModelKey, ModelState], outcomes: Outcomes = _NO_OUTCOMES
) -> str:
    """The list of the models with a state; those without an evaluation have no page.

    Args:
        models: Those with an evaluation.
        states: The states of all.
        outcomes: The newest results on labels.
    """
    evaluated = {one.model: _entry(one, states[one.model], outcomes.get(one.model)) for one in models}
    others = [
        Entry(model_title(model), "", None, None, None, one, outcomes.get(model))
        for model, one in states.items()
        if model not in evaluated
    ]
    return render_index([*evaluated.values(), *others])


def render_choice(
    models: Sequence[ModelEvaluations], states: Mapping[ModelKey, ModelState], outcomes: Outcomes = _NO_OUTCOMES
) -> str:
    """The list of the models that a query may mean."""
    sentence = f"{len(models):,} models match this address. Choose one:"
    return render_index([_entry(one, states[one.model], outcomes.get(one.model)) for one in models], sentence)


def _entry(evaluations: ModelEvaluations, state: ModelState, outcomes: OutcomeResult | None) -> Entry:
    """A model's line in the list, with the link to its page."""
    model, inputs, predictions = evaluations
    return Entry(
        name=model_title(model),
        link=f"report?{_query(model)}",
        inputs=None if inputs is None else inputs.report,
        predictions=None if predictions is None else predictions.report,
        time=max((one.time for one in (inputs, predictions) if one is not None), default=None),
        state=state,
        outcomes=outcomes,
    )


def _query(model: ModelKey) -> str:
    """The query that names a model in full; an empty revision is left out."""
    fields = model._asdict()
    return urlencode(fields if model.revision else {name: fields[name] for name in ModelKey._fields[:-1]})
