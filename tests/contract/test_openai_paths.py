"""The OpenAI-compatible paths that are counted are those of KServe's own server."""

import re
import subprocess
from pathlib import Path

import pytest

from driftgauge.proxy.routing import is_openai_inference
from tests.support.parts import environment_python

pytestmark = pytest.mark.real_server

_WHERE = (
    "import importlib.util; print(importlib.util.find_spec('kserve').submodule_search_locations[0])"  # imports no vLLM
)
_ROUTE = re.compile(r'r"(/v1/[^"]+)",\s+endpoints\.\w+,\s+methods=\["(\w+)"\]')


def test_every_endpoint_of_kserve_is_counted() -> None:
    """Each path that KServe serves by POST is an inference, with the prefix `/openai` and without; others are not."""
    python = environment_python("kserve")
    package = subprocess.run([python, "-c", _WHERE], capture_output=True, text=True, check=True).stdout.strip()
    routes = _ROUTE.findall((Path(package) / "protocol/rest/openai/endpoints.py").read_text())

    assert {"POST", "GET"} == {method for _, method in routes}
    assert [(path, method == "POST") for path, method in routes] == [
        (path, is_openai_inference(b"POST", path.encode(), {})) for path, _ in routes
    ]
    assert [(path, method == "POST") for path, method in routes] == [
        (path, is_openai_inference(b"POST", b"/openai" + path.encode(), {})) for path, _ in routes
    ]
