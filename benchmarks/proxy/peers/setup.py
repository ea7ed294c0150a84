"""How each proxy is started between a client and a model."""

import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

import aiohttp

from benchmarks.children import Program, module, version
from benchmarks.environment import driftgauge
from benchmarks.parts import build_go, create_environment
from benchmarks.proxy import configs
from tests.support.ports import free_port

_GO = Path(__file__).parent / "go"
_ONE_CORE = {"GOMAXPROCS": "1"}

_ENVOY_VERSION = "1.40.0"
"""As in the lock."""

OURS = "driftgauge"
NGINX = "nginx"
ENVOY = "envoy"
PLAIN = "aiohttp server and client"
GO = "Go ReverseProxy"
GO_EVENTS = "Go ReverseProxy, two events a request"


class Setup(NamedTuple):
    """What every proxy needs.

    Args:
        folder: For its files.
        model: Port of the model.
        reference: A dataset with the model's columns.
        sink: Port of a server that receives events.
    """

    folder: Path
    model: int
    reference: Path
    sink: int


Starter = Callable[[Setup], Program]


def _nginx(setup: Setup) -> Program:
    port, path = free_port(), setup.folder / "nginx.conf"
    path.write_text(configs.NGINX.format(port=port, model=setup.model, folder=setup.folder))
    return Program(["nginx", "-c", str(path), "-p", str(setup.folder)], port)


def _haproxy(setup: Setup) -> Program:
    port, path = free_port(), setup.folder / "haproxy.cfg"
    path.write_text(configs.HAPROXY.format(port=port, model=setup.model))
    return Program(["haproxy", "-db", "-f", str(path)], port)


def _envoy(program: Path) -> Starter:
    def start(setup: Setup) -> Program:
        port, path = free_port(), setup.folder / "envoy.yaml"
        path.write_text(configs.ENVOY.format(port=port, model=setup.model))
        words = ["--concurrency", "1", "-l", "off", "--disable-hot-restart", "-c", str(path)]
        return Program([str(program), *words], port)

    return start


def _go(program: Path, *, events: bool) -> Starter:
    def start(setup: Setup) -> Program:
        port = free_port()
        words = [str(port), str(setup.model), *([str(setup.sink)] if events else [])]
        return Program([str(program), *words], port, env=_ONE_CORE)

    return start


def _plain(setup: Setup) -> Program:
    port = free_port()
    return Program(module("benchmarks.proxy.peers.plain_aiohttp", port, setup.model), port)


def ours(*options: str, pure: bool = False) -> Starter:
    """The proxy of driftgauge, with all functions on: the compiled build if there is one, unless `pure`."""

    def start(setup: Setup) -> Program:
        upstream = f"http://127.0.0.1:{setup.model}"
        words = ["--upstream-url", upstream, "--reference", setup.reference, "--inference-service", "wine"]
        return driftgauge("proxy", *words, *options, pure=pure)

    return start


def starters() -> Mapping[str, Starter | None]:
    """How to start every proxy that is compared, by its name; `None` if it is not installed."""
    envoy, go = create_environment("envoy"), build_go("reverseproxy", _GO)
    return {
        OURS: ours(),
        NGINX: _nginx if shutil.which("nginx") else None,
        "haproxy": _haproxy if shutil.which("haproxy") else None,
        ENVOY: _envoy(next(envoy.parents[1].glob("lib/*/site-packages/envoy/_bin/envoy"))) if envoy else None,
        GO: _go(go, events=False) if go else None,
        GO_EVENTS: _go(go, events=True) if go else None,
        PLAIN: _plain,
    }


def versions() -> dict[str, str]:
    """The version of each program, as it prints it."""
    commands = {"nginx": ["nginx", "-v"], "haproxy": ["haproxy", "-v"], "go": ["go", "version"]}
    printed = {name: version(argv) for name, argv in commands.items() if shutil.which(argv[0])}
    return {**printed, "envoy": _ENVOY_VERSION, "aiohttp": aiohttp.__version__}
