"""The labels that every model's series carry. Never `namespace`: it collides with the scrape target's own."""

from sidecar.payload import ModelKey

MODEL = ("inference_service_namespace", "inference_service", "component", "model_name")


def of(model: ModelKey) -> tuple[str, str, str, str]:
    """Label values of a model, in the order of `MODEL`."""
    return (model.namespace, model.inference_service, model.component, model.model_name)
