"""Checks objects against the schemas of many Kubernetes versions and of CRDs, and against the rules beyond them."""

import json
import os
import re
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.helm import YAML_LOADER, Manifest
from tests.support.kserve_rules import rule_faults
from tests.support.parts import package

_OLDEST = (1, 27)  # as in Chart.yaml


def faults_of(documents: Sequence[Manifest]) -> list[str]:
    """Why a cluster would refuse objects, or why they do not work: the faults of schemas and of the rules beyond them.

    For the YAML of a document, pass the whole objects of one block together. A fragment needs what stands above it,
    with the annotation `serving.kserve.io/deploymentMode`. An object whose CRD is not in `KUBERNETES_CRDS` is checked
    by the rules alone.

    Args:
        documents: The objects of one file or block; a runtime is merged into the services that name it.
    """
    newest = kubernetes_versions()[-1]
    found = []
    for document in documents:
        if not is_custom(document):
            faults = kubernetes_faults(document, newest)
        else:
            faults = custom_faults(document) if has_crd(document) else []
        found += [f"{document['kind']} {document['metadata']['name']}: {fault}" for fault in faults]
    return found + rule_faults(documents)


def has_crd(manifest: Manifest) -> bool:
    """Whether `KUBERNETES_CRDS` has the CRD of a custom object."""
    group = manifest["apiVersion"].split("/")[0]
    return any(crd["spec"]["names"]["kind"] == manifest["kind"] for crd in _crds(crd_directory(), group))


def kubernetes_versions() -> list[str]:
    """Every Kubernetes version with installed schemas, from the oldest that the chart supports."""
    known = package("kubernetes_validate")
    versions: list[str] = known.utils.all_versions()
    return sorted({one for one in versions if _numbers(one) >= _OLDEST}, key=_numbers)


def kubernetes_faults(manifest: Manifest, version: str) -> list[str]:
    """Why a version of Kubernetes would refuse one of its own objects; an unknown field is a fault."""
    group = re.sub(r"^([^./]*)(?:\.[^/]*)?/", r"\1-", manifest["apiVersion"])
    return _faults(_kubernetes_validator(f"{manifest['kind'].lower()}-{group}", version), manifest)


def custom_faults(manifest: Manifest) -> list[str]:
    """Why a CRD would refuse an object; a field that it would prune is a fault.

    Raises:
        LookupError: There is no CRD for this kind and version.
    """
    group, version = manifest["apiVersion"].split("/")
    return _faults(_custom_validator(group, manifest["kind"], version), manifest)


def is_custom(manifest: Manifest) -> bool:
    """Whether an object belongs to the Prometheus operator or KServe instead of Kubernetes itself."""
    return manifest["apiVersion"].split("/")[0] in {"monitoring.coreos.com", "serving.kserve.io"}


def crd_directory() -> Path:
    """The directory of the CRDs; skips the test if `KUBERNETES_CRDS` names none."""
    named = os.environ.get("KUBERNETES_CRDS")
    if not named or not Path(named).is_dir():
        pytest.skip("KUBERNETES_CRDS names no directory of CRDs; `bash .ci/crds FOLDER` downloads them")
    return Path(named)


def closed(schema: Any) -> Any:  # noqa: ANN401 - a JSON Schema is any JSON
    """A CRD's openAPIV3Schema as a JSON Schema in which an unknown field is a fault.

    Source: https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/
        (structural schemas, pruning, nullable, x-kubernetes-int-or-string)
    """
    if isinstance(schema, list):
        return [closed(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    result = {key: closed(value) for key, value in schema.items() if key != "nullable"}
    if isinstance(schema.get("properties"), dict):
        result["properties"] = {name: closed(one) for name, one in schema["properties"].items()}
        if not schema.get("x-kubernetes-preserve-unknown-fields"):
            result.setdefault("additionalProperties", False)
    if schema.get("x-kubernetes-int-or-string") is True:
        result["type"] = ["integer", "string"]
    if schema.get("nullable") is True:
        result["type"] = [*([result["type"]] if isinstance(result["type"], str) else result["type"]), "null"]
    return result


@cache
def _kubernetes_validator(name: str, version: str) -> Any:  # noqa: ANN401
    draft = package("jsonschema").Draft202012Validator
    referencing = package("referencing")
    schemas = package("kubernetes_validate").utils
    schema = schemas.schema_contents(f"kubernetes-json-schema/v{version}-local-strict/{name}.json", version)
    registry = _definitions(version) @ referencing.Registry()
    return draft(schema, registry=referencing.Resource.from_contents(schema) @ registry)


@cache
def _definitions(version: str) -> Any:  # noqa: ANN401
    schemas = package("kubernetes_validate").utils
    contents = schemas.schema_contents(f"kubernetes-json-schema/v{version}-local-strict/_definitions.json", version)
    return package("referencing").Resource.from_contents(contents)


@cache
def _custom_validator(group: str, kind: str, version: str) -> Any:  # noqa: ANN401
    draft = package("jsonschema").Draft202012Validator
    for crd in _crds(crd_directory(), group):
        if crd["spec"]["names"]["kind"] == kind:
            for served in crd["spec"]["versions"]:
                if served["name"] == version:
                    schema = closed(served["schema"]["openAPIV3Schema"])
                    # The API server checks metadata itself; the CRD only says that it is an object.
                    schema["properties"]["metadata"] = {"type": "object", "required": ["name"]}
                    return draft(schema)
    raise LookupError(f"no CRD for {kind} {group}/{version}")


@cache
def _crds(directory: Path, group: str) -> list[Manifest]:
    paths = sorted(directory.glob(f"{group}_*.yaml"))
    return [yaml.load(path.read_text(), Loader=YAML_LOADER) for path in paths]  # noqa: S506 - a safe loader


def _faults(validator: Any, manifest: Manifest) -> list[str]:  # noqa: ANN401
    # Converted through JSON, as on the way to a server, so that dates and keys become text.
    plain = json.loads(json.dumps(manifest))
    found = sorted((error.json_path, error.message) for error in validator.iter_errors(plain))
    return [f"{path}: {message}" for path, message in found]


def _numbers(version: str) -> tuple[int, int]:
    major, minor = version.split(".")[:2]
    return int(major), int(minor)
