"""Scikit-learn's wine data as the tests send and mount it: 178 rows, 13 features."""

import csv
import json
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.datasets import load_wine

_WINE = load_wine()
FEATURES: list[str] = list(_WINE.feature_names)
ROWS: NDArray[np.float64] = _WINE.data
TARGET: NDArray[np.int64] = _WINE.target


def write_reference(path: Path) -> Path:
    """Writes all rows as a CSV file with a header."""
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(FEATURES)
        writer.writerows(ROWS.tolist())
    return path


def v1(rows: NDArray[np.float64]) -> bytes:
    """A V1 request body: rows by position."""
    return json.dumps({"instances": rows.tolist()}).encode()


def v2_json(rows: NDArray[np.float64], request_id: str = "wine-1") -> bytes:
    """A V2 JSON request body: one tensor whose rows are as wide as the model."""
    tensor = {"name": "rows", "shape": list(rows.shape), "datatype": "FP64", "data": rows.tolist()}
    return json.dumps({"id": request_id, "inputs": [tensor]}).encode()


def v2_binary(rows: NDArray[np.float64], request_id: str = "wine-1") -> tuple[bytes, dict[str, str]]:
    """A V2 body whose tensor follows the JSON as raw FP64, and the headers that it needs.

    Source: https://github.com/kserve/open-inference-protocol/blob/main/specification/protocol/extension_binary_data.md
    """
    data = rows.astype("<f8").tobytes()
    tensor = {
        "name": "rows",
        "shape": list(rows.shape),
        "datatype": "FP64",
        "parameters": {"binary_data_size": len(data)},
    }
    head = json.dumps(
        {"id": request_id, "inputs": [tensor], "parameters": {"binary_data_output": True}},
    ).encode()
    headers = {
        "Content-Type": "application/octet-stream",
        "Inference-Header-Content-Length": str(len(head)),
    }
    return head + data, headers
