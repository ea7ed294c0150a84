"""Stands in for the kubelet: runs a rendered container on this machine, with its variables, files, command and probes.

Addresses, ports and mount points of the pod are replaced by loopback, free ports and a directory of the test.
Everything else stays as rendered.
"""

import os
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from tests.support.helm import Manifest, Release
from tests.support.ports import free_port
from tests.support.processes import Child, get

Secrets = Mapping[str, Mapping[str, str]]
"""Name of a Secret -> its keys and values."""

_ENTRY_POINT = (sys.executable, "-m", "driftgauge")  # as the entry point of the image
_REFERENCE = re.compile(r"\$\((\w+)\)")


class Container(Child):
    """A rendered container as a process.

    Args:
        container: As rendered.
        moved: Rendered text -> its replacement on this machine, in arguments and variables.
        secrets: The Secrets of its variables.
        entry_point: The command if the container names none.
        further: Arguments after the rendered ones.
    """

    def __init__(
        self,
        container: Manifest,
        moved: Mapping[str, str],
        secrets: Secrets | None = None,
        entry_point: Sequence[str] = _ENTRY_POINT,
        further: Sequence[str] = (),
    ) -> None:
        self._container = container
        self.ports = {port["name"]: free_port() for port in container.get("ports", [])}
        numbers = {str(port["containerPort"]): str(self.ports[port["name"]]) for port in container.get("ports", [])}
        env = {one["name"]: _value(one, secrets or {}) for one in container.get("env", [])}
        words = [_REFERENCE.sub(lambda found: env[found[1]], word) for word in container.get("args", [])]

        def here(text: str) -> str:
            for rendered, replacement in moved.items():
                text = text.replace(rendered, replacement)
            return numbers.get(text, text)

        argv = [*container.get("command", entry_point), *map(here, words), *further]
        super().__init__(
            argv,
            {name: here(text) for name, text in env.items()},
            hidden=[name for name in os.environ if name.startswith("DRIFTGAUGE_") or name == "PORT"],
        )

    def url(self, port: str, path: str = "/") -> str:
        """The URL of a path on a named port."""
        return f"http://127.0.0.1:{self.ports[port]}{path}"

    def probe_url(self, probe: str) -> str:
        """The URL of a probe such as `readinessProbe`."""
        request = self._container[probe]["httpGet"]
        return self.url(request["port"], request["path"])

    def await_probe(self, probe: str) -> None:
        """Wait until a probe succeeds, at most for its rendered time.

        Raises:
            TimeoutError: The probe did not succeed in its time.
        """
        times = self._container[probe]
        self.await_response(self.probe_url(probe), times["periodSeconds"] * times["failureThreshold"])

    def scrape(self) -> str:
        """Scrape its metrics; returns the text."""
        return get(self.url("metrics", "/metrics")).decode()


def mount_config_map(config_map: Manifest, items: Iterable[Mapping[str, str]], directory: Path) -> None:
    """Write the files of a ConfigMap as the kubelet does: a version in a hidden directory, and links to it.

    Source: https://pkg.go.dev/k8s.io/kubernetes/pkg/volume/util#AtomicWriter
    """
    version = directory / "..2026_11_23_04_50_06.703448179"
    paths = {one["key"]: one["path"] for one in items} or {key: key for key in config_map["data"]}
    for key, path in paths.items():
        (version / path).parent.mkdir(parents=True, exist_ok=True)
        (version / path).write_text(config_map["data"][key])
    (directory / "..data").symlink_to(version.name)
    for top in {Path(path).parts[0] for path in paths.values()}:
        (directory / top).symlink_to(f"..data/{top}")


def mount_references(release: Release, directory: Path) -> None:
    """Write the files that the release mounts as references; a volume that the release does not fill stays empty."""
    (volume,) = [one for one in pod_of(release)["volumes"] if one["name"] == "reference"]
    if release.of_kind("ConfigMap") and "configMap" in volume:
        own = [one for one in release.of_kind("ConfigMap") if one["metadata"]["name"] == volume["configMap"]["name"]]
        for config_map in own:
            mount_config_map(config_map, volume["configMap"].get("items", []), directory)


def pod_of(release: Release) -> Manifest:
    """The spec of the logger's pods."""
    spec: Manifest = release.one("Deployment")["spec"]["template"]["spec"]
    return spec


def _value(variable: Manifest, secrets: Secrets) -> str:
    if "value" in variable:
        return str(variable["value"])
    source = variable["valueFrom"]["secretKeyRef"]
    return secrets[source["name"]][source["key"]]
