"""Rules for the objects of Knative Eventing in the documents: the fields that they use, and no other.

Source: https://knative.dev/docs/eventing/brokers/, https://knative.dev/docs/eventing/triggers/,
https://knative.dev/docs/eventing/sources/kafka-source/,
https://knative.dev/docs/eventing/custom-event-source/sinkbinding/.
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
_FILTER: Final = {
    "type": "object",
    "minProperties": 1,
    "maxProperties": 1,
    "additionalProperties": False,
    "properties": {
        **{name: {**_TEXTS, "minProperties": 1, "maxProperties": 1} for name in ("exact", "prefix", "suffix")},
        **{name: {"type": "array", "minItems": 1, "items": {"$ref": "#/$defs/filter"}} for name in ("all", "any")},
        "not": {"$ref": "#/$defs/filter"},
        "cesql": {"type": "string", "minLength": 1},
    },
}
"""A filter of a Trigger; several attributes in one `exact` would be allowed too, and are written one by one here."""

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
            "filters": {"type": "array", "items": {"$ref": "#/$defs/filter"}},
            "subscriber": {
                "type": "object",
                "minProperties": 1,
                "additionalProperties": False,
                "properties": {"ref": _REFERENCE, "uri": {"type": "string"}},
            },
        },
    },
}

_SPECS["SinkBinding"] = {
    "type": "object",
    "required": ["subject", "sink"],
    "additionalProperties": False,
    "properties": {
        "subject": _REFERENCE,
        "sink": {
            "type": "object",
            "additionalProperties": False,
            "required": ["ref"],
            "properties": {"ref": _REFERENCE},
        },
        "ceOverrides": {"type": "object", "additionalProperties": False, "properties": {"extensions": _TEXTS}},
    },
}
_SPECS["KafkaSource"] = {
    "type": "object",
    "required": ["bootstrapServers", "topics", "sink"],
    "additionalProperties": False,
    "properties": {
        "consumerGroup": {"type": "string", "minLength": 1},
        "bootstrapServers": {"type": "array", "minItems": 1, "items": {"type": "string", "pattern": r"^[^:/]+:\d+$"}},
        "topics": {"type": "array", "minItems": 1, "items": {"type": "string", "minLength": 1}},
        "sink": {
            "type": "object",
            "minProperties": 1,
            "additionalProperties": False,
            "properties": {"ref": _REFERENCE, "uri": {"type": "string", "pattern": "^https?://"}},
        },
    },
}


_SOURCES: Final = ("KafkaSource", "SinkBinding")


def is_eventing(manifest: Manifest) -> bool:
    """Whether an object belongs to Knative Eventing."""
    return bool(manifest["apiVersion"].startswith(("eventing.knative.dev/", "sources.knative.dev/")))


def eventing_faults(manifest: Manifest) -> list[str]:
    """Why an object of Knative Eventing is refused."""
    schema = {
        "$defs": {"filter": _FILTER},
        "type": "object",
        "required": ["metadata", "spec"],
        "additionalProperties": False,
        "properties": {
            "apiVersion": {"const": f"{'sources' if manifest['kind'] in _SOURCES else 'eventing'}.knative.dev/v1"},
            "kind": {"enum": list(_SPECS)},
            "metadata": {"type": "object", "required": ["name"]},
            "spec": _SPECS.get(manifest["kind"], {}),
        },
    }
    validator = package("jsonschema").Draft202012Validator(schema)
    return [f"{error.json_path}: {error.message}" for error in validator.iter_errors(manifest)]
