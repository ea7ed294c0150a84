"""The rows in the window of a running driftgauge."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from driftgauge.reference.files import parse_table
from tests.support.processes import Driftgauge, get


def captured_rows(process: Driftgauge, rows: int) -> NDArray[np.float64]:
    """The window of the requests of the InferenceService `wine`, shape `(rows, d)`, oldest first.

    Args:
        process: A process with the option `allow_capture`.
        rows: How many rows to wait for.
    """
    process.wait_for(lambda found: found.total("driftgauge_window_rows") >= rows, f"{rows} rows in the window")
    content = get(f"{process.admin_url}/window?inference_service=wine")
    return parse_table(Path("window.npz"), content).values
