"""The wire messages are decoded as KServe's own code decodes them."""

import base64
import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from driftgauge.protocol.tensor import Tensor
from tests.support.parts import environment_python
from tests.support.payloads import listed, read
from tests.support.wire import MESSAGES

pytestmark = pytest.mark.real_server

ORACLE = Path(__file__).parents[1] / "support" / "kserve_oracle.py"
SHARED = [message for message in MESSAGES if message.in_kserve]


def reported(tensor: Tensor) -> dict[str, Any]:
    """A tensor in the oracle's words, without its datatype."""
    values = [value.decode() if isinstance(value, bytes) else value for value in listed(tensor.data.ravel())]
    return {"name": tensor.name, "shape": list(tensor.data.shape), "values": values}


def test_same_tensors() -> None:
    """Names, shapes and values are those of kserve's InferRequest (V2) and get_predict_input (V1)."""
    python = environment_python("kserve")
    questions = [
        {
            "name": message.file,
            "body_b64": base64.b64encode(message.body).decode(),
            "json_length": message.json_length,
        }
        for message in SHARED
    ]
    lines = "".join(json.dumps(question) + "\n" for question in questions)
    ran = subprocess.run([python, ORACLE], input=lines, capture_output=True, text=True, check=True, timeout=110)
    responses = [json.loads(line) for line in ran.stdout.splitlines()]
    expected = {
        response["name"]: [{key: tensor[key] for key in ("name", "shape", "values")} for tensor in response["tensors"]]
        for response in responses
    }

    assert expected == {
        message.file: [reported(tensor) for tensor in read(message.body, json_length=message.json_length).tensors]
        for message in SHARED
    }
