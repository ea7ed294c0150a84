"""The options of the logger, as the part `config` of the chart's schema."""

import json
from enum import StrEnum
from typing import Any

from driftgauge.config.documents import as_json_schema
from driftgauge.config.options import LoggerConfig
from driftgauge.drift.budget import Decision
from driftgauge.drift.statistics.correction import Correction

SET_BY_CHART = frozenset(
    {
        *("port", "admin_port", "reference", "reference_dir"),
        *("redis_url", "redis_username", "redis_password", "redis_password_file"),
        *("redis_sentinel_username", "redis_sentinel_password", "redis_sentinel_password_file"),
        *("redis_ca_file", "redis_cert_file", "redis_key_file"),
        *("tls_cert_file", "tls_key_file", "tls_client_ca_file"),
        *("token", "token_file", "admin_token", "admin_token_file"),
        *("labels_port", "labels_token", "labels_token_file"),
    }
)
"""Options that the chart sets itself, so that ports, mounts and Secrets match them."""

_ENUMS: dict[str, type[StrEnum]] = {"#/$defs/Correction": Correction, "#/$defs/Decision": Decision}


def logger_options() -> dict[str, Any]:
    """The JSON schema of every option that `config` accepts, by name.

    Name, limits, default and description are those of `driftgauge options --format json-schema`; the values of an
    option with a fixed set of them are listed in place, instead of in a definition.
    """
    known = json.loads(as_json_schema())["properties"]
    return {name: _option(known[name]) for name in LoggerConfig.model_fields if name not in SET_BY_CHART}


def _option(schema: dict[str, Any]) -> dict[str, Any]:
    option = {key: value for key, value in schema.items() if key not in {"title", "$ref"}}
    values = _ENUMS.get(schema.get("$ref", ""))
    return option if values is None else option | {"type": "string", "enum": [value.value for value in values]}
