"""The models that tests speak of."""

from driftgauge.inference.payload import ModelKey

WINE = ModelKey("cellar", "wine", "predictor", "wine")
IRIS = ModelKey("garden", "iris", "predictor", "iris")


def labels(model: ModelKey = WINE, **more: str) -> dict[str, str]:
    """The labels of a model's series."""
    return {
        "inference_service_namespace": model.namespace,
        "inference_service": model.inference_service,
        "component": model.component,
        "model_name": model.model_name,
        "revision": model.revision,
        **more,
    }
