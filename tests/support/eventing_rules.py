"""Rules for the objects of Knative Eventing in the documents: the fields that they use, and no other.

Source: https://knative.dev/docs/eventing/brokers/, https://knative.dev/docs/eventing/triggers/.
"""

from typing import Any, Final

from tests.support.parts import package

Manifest = dict[str, Any]

_REFERENCE: Final = {
    "type": "object",
    "required": ["apiVersion", "kind", "name"],
    "additionalProperties": False,
    "properties": {name: {"type": "string", "minLength": 1} for name in ("apiVersion", "kind", "name", "namespace")},
}
_TEXTS: Final = {"type": "object", "additionalProperties": {"type": "string"}}
_SPECS: Final = {
    "Broker": {
        "type": "object",
        "additionalProperties": False,
        "properties": {"config": _REFERENCE},
    },
    "Trigger": {
        "type": "object",
        "required": ["broker", "subscriber"],
        "additionalProperties": False,
        "properties": {
            "broker": {"type": "string", "minLength": 1},
            "filter": {"type": "object", "additionalProperties": False, "properties": {"attributes": _TEXTS}},
            "subscriber": {
                "type": "object",
                "minProperties": 1,
                "additionalProperties": False,
                "properties": {"ref": _REFERENCE, "uri": {"type": "string"}},
            },
        },
    },
}


def is_eventing(manifest: Manifest) -> bool:
    """Whether an object belongs to Knative Eventing."""
    return bool(manifest["apiVersion"].startswith("eventing.knative.dev/"))


def eventing_faults(manifest: Manifest) -> list[str]:
    """Why an object of Knative Eventing is refused."""
    schema = {
        "type": "object",
        "required": ["metadata", "spec"],
        "additionalProperties": False,
        "properties": {
            "apiVersion": {"const": "eventing.knative.dev/v1"},
            "kind": {"enum": list(_SPECS)},
            "metadata": {"type": "object", "required": ["name"]},
            "spec": _SPECS.get(manifest["kind"], {}),
        },
    }
    validator = package("jsonschema").Draft202012Validator(schema)
    return [f"{error.json_path}: {error.message}" for error in validator.iter_errors(manifest)]
