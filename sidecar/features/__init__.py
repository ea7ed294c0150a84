"""Tensors -> rows: the reference's columns of a request, the columns of a response.

This room is pure: values in, values out. A missing value is NaN, and a category is its code.
"""

from sidecar.features.inputs import extract
from sidecar.features.outputs import Outputs, are_alike, extract_outputs
from sidecar.features.predictions import extract_predictions
from sidecar.features.table import MAX_CELLS, missing_per_column

__all__ = [
    "MAX_CELLS",
    "Outputs",
    "are_alike",
    "extract",
    "extract_outputs",
    "extract_predictions",
    "missing_per_column",
]
