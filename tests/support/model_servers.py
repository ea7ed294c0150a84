"""Real model servers as child processes: KServe's own Python server and MLServer, each with the wine model."""

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.parts import environment_python
from tests.support.ports import free_port
from tests.support.processes import Child

_PROGRAMS = Path(__file__).parents[1] / "real" / "programs"
_START_SECONDS = 150


def _train(python: Path, directory: Path) -> Path:
    """Write a model file with the scikit-learn of the server that will read it."""
    path = directory / "model.joblib"
    subprocess.run([python, _PROGRAMS / "train_wine.py", path], check=True, timeout=_START_SECONDS)
    return path


@contextmanager
def kserve_server(directory: Path) -> Iterator[str]:
    """Run a KServe Python server with the model `wine`; yields its URL once it is ready."""
    python = environment_python("kserve")
    model, port = _train(python, directory), free_port()
    argv: list[str | Path] = [python, _PROGRAMS / "kserve_wine.py", model, str(port), str(free_port())]
    with Child(argv, cwd=directory) as server:
        server.await_response(f"http://127.0.0.1:{port}/v2/models/wine/ready", _START_SECONDS)
        yield f"http://127.0.0.1:{port}"


@contextmanager
def ml_server(directory: Path) -> Iterator[str]:
    """Run an MLServer with the model `wine`; yields its URL once it is ready."""
    python = environment_python("mlserver")
    port = _configure_ml_server(_train(python, directory))
    with Child([python.with_name("mlserver"), "start", "."], cwd=directory) as server:
        server.await_response(f"http://127.0.0.1:{port}/v2/models/wine/ready", _START_SECONDS)
        yield f"http://127.0.0.1:{port}"


def _configure_ml_server(model: Path) -> int:
    """Write MLServer's two settings files next to the model; returns the HTTP port."""
    ports = {name: free_port() for name in ("http_port", "grpc_port", "metrics_port")}
    settings = {"host": "127.0.0.1", "parallel_workers": 0, "debug": False, **ports}
    model_settings = {
        "name": "wine",
        "implementation": "mlserver_sklearn.SKLearnModel",
        "parameters": {"uri": f"./{model.name}"},
    }
    model.with_name("settings.json").write_text(json.dumps(settings))
    model.with_name("model-settings.json").write_text(json.dumps(model_settings))
    return ports["http_port"]
