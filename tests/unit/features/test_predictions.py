"""The columns of a response that a reference names."""

from typing import Any

import numpy as np
import pytest

from driftgauge.drift.profile import FeatureKind
from driftgauge.errors import Reason
from driftgauge.features.predictions import extract_predictions
from driftgauge.features.row_table import MAX_CELLS
from driftgauge.protocol.category import code
from driftgauge.protocol.tensor import Decoded
from tests.support.payloads import decoded, listed, refusal

NUMERIC, CATEGORICAL, IGNORED = FeatureKind.NUMERIC, FeatureKind.CATEGORICAL, FeatureKind.IGNORED
RED = code("red")


@pytest.mark.parametrize(
    ("payload", "predictions", "expected"),
    [
        (decoded(_=[5, 6]), {"prediction": NUMERIC}, [[5.0], [6.0]]),
        (decoded(_=[5, 6]), {"quality": NUMERIC}, [[5.0], [6.0]]),
        (decoded(_=[[1, 3]]), {"p_0": NUMERIC, "p_1": NUMERIC}, [[1.0, 3.0]]),
        (decoded(_=[[0.25, 0.75]]), {"p_class": NUMERIC, "p_0": NUMERIC, "p_1": NUMERIC}, [[1.0, 0.25, 0.75]]),
        (decoded(_=[[0.25, 0.75]]), {"p_1": NUMERIC, "p_class": NUMERIC, "p_0": NUMERIC}, [[0.75, 1.0, 0.25]]),
        (decoded(_=[["red", 6]]), {"prediction_1": NUMERIC, "prediction_0": CATEGORICAL}, [[6.0, RED]]),
        (
            decoded(label=["red", None], p=[[1, 2], [3, 4]]),
            {"p_1": NUMERIC, "label": CATEGORICAL},
            [[2, RED], [4, None]],
        ),
        (decoded(p=[1], embedding=np.zeros((2, 5000))), {"p": NUMERIC}, [[1.0]]),
        (decoded(p=[1], day=["x"]), {"p": NUMERIC, "day": IGNORED}, [[1.0, None]]),
        (decoded(p=[1]), {"p": NUMERIC, "day": IGNORED}, [[1.0, None]]),
        (decoded(p=[1, 2]), {"day": IGNORED}, [[None], [None]]),
    ],
    ids=[
        "unnamed",
        "unnamed, with a name in the reference",
        "unnamed, with several names in the reference",
        "unnamed scores",
        "unnamed scores, in another order",
        "in the reference's order",
        "text and numbers",
        "others are left out, whatever their rows",
        "an ignored one",
        "an ignored one that is not there",
        "nothing but ignored ones",
    ],
)
def test_outputs_are_taken_by_the_names_of_the_reference(
    payload: Decoded, predictions: dict[str, FeatureKind], expected: list[Any]
) -> None:
    """Each is read by the reference's kind."""
    rows = extract_predictions(payload, list(predictions), list(predictions.values()))

    assert expected == listed(rows)
    assert rows.flags.c_contiguous


@pytest.mark.parametrize(
    ("predictions", "expected"),
    [
        ({"p_confidence": NUMERIC}, [[0.75], [None]]),
        ({"p_class": CATEGORICAL, "p_0": NUMERIC}, [[code("1"), 0.25], [None, 0.5]]),
        ({"p_class": NUMERIC}, [[1.0], [None]]),
    ],
)
def test_confidence_and_class_are_made_of_scores_where_the_reference_asks(
    predictions: dict[str, FeatureKind], expected: list[Any]
) -> None:
    """Of a row that is no scores they are missing."""
    payload = decoded(p=[[0.25, 0.75], [0.5, 0.75]])

    assert expected == listed(extract_predictions(payload, list(predictions), list(predictions.values())))


def test_a_column_of_the_response_goes_before_one_that_is_made() -> None:
    """A class in the response has precedence over the derived one."""
    payload = decoded(p=[[0.25, 0.75]], p_class=["red"])

    assert [[RED]] == extract_predictions(payload, ["p_class"], [CATEGORICAL]).tolist()


@pytest.mark.parametrize(
    ("payload", "predictions", "reason", "named"),
    [
        (decoded(q=[1]), {"p": NUMERIC}, Reason.WRONG_WIDTH, "Expected 1 column ('p'), got 1 tensor ('q'"),
        (decoded(p=[1]), {"p": NUMERIC, "q": NUMERIC}, Reason.WRONG_WIDTH, "'p', 'q'"),
        (decoded(p=[1]), {"p_confidence": NUMERIC}, Reason.WRONG_WIDTH, "'p_confidence'"),
        (decoded(_=[5]), {"fruit_class": NUMERIC, "fruit_weight": NUMERIC}, Reason.WRONG_WIDTH, "'fruit_class'"),
        (decoded(_=[5]), {"fruit_class": IGNORED, "fruit_weight": NUMERIC}, Reason.WRONG_WIDTH, "'fruit_weight'"),
        (decoded(p=["red"]), {"p": NUMERIC}, Reason.WRONG_TYPE, "'p'"),
        (decoded(p=[["red", "white"]]), {"p_class": CATEGORICAL}, Reason.WRONG_TYPE, "'p_0'"),
        (decoded(p=[1, 2], q=[1]), {"p": NUMERIC, "q": NUMERIC}, Reason.MALFORMED, "'q' has 1"),
        (decoded(p=[[1, 2]], p_0=[3]), {"p_0": NUMERIC}, Reason.UNSUPPORTED, "one name"),
        (decoded(p=[[np.inf, 1]]), {"p_0": NUMERIC, "p_class": CATEGORICAL}, Reason.INFINITE, "'p_0'"),
        (decoded(p=np.empty((0, 2))), {"p_class": CATEGORICAL}, Reason.EMPTY, "no rows"),
        (decoded(p=np.zeros(MAX_CELLS + 1, dtype="u1")), {"p": NUMERIC}, Reason.TOO_LARGE, "1 columns"),
    ],
)
def test_refused_predictions(payload: Decoded, predictions: dict[str, FeatureKind], reason: Reason, named: str) -> None:
    """A response without a column of the reference is refused, and the message lists what it has."""
    found, sentence = refusal(lambda: extract_predictions(payload, list(predictions), list(predictions.values())))

    assert reason == found
    assert named in sentence
