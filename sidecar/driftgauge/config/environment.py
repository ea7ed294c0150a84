"""The variables of the options, and those of Kubernetes that are none."""

import re
from collections.abc import Mapping

PREFIX = "DRIFTGAUGE_"
"""Prefix of the variables of the options."""

FALLBACKS = {
    "port": "PORT",
    "inference_service": "INFERENCE_SERVICE_NAME",
    "revision": "K_REVISION",
    "event_url": "K_SINK",
    "event_overrides": "K_CE_OVERRIDES",
    "event_ca": "K_CA_CERTS",
}
"""Variables of Knative and KServe, used if the variable of the option is not set."""

_SERVICE_LINK = re.compile(r"driftgauge(_\w+)?_(service_(host|port\w*)|port_\d+_(tcp|udp|sctp)\w*)")
_SERVICE_LINK_PORT = re.compile(r"driftgauge(_\w+)?_port")
_SERVICE_LINK_VALUE = re.compile(r"(tcp|udp|sctp)://")


def environment(variables: Mapping[str, str | None]) -> dict[str, str | None]:
    """The environment without Kubernetes' service links, and with the variables of the platform as fallbacks.

    A Service named `driftgauge` adds variables like `DRIFTGAUGE_PORT=tcp://10.0.0.1:80` to every pod of its namespace,
    one named `driftgauge-logger` adds `DRIFTGAUGE_LOGGER_PORT=...`. These are not options.

    Source: https://kubernetes.io/docs/tutorials/services/connect-applications-service/#environment-variables
    """
    kept = {name.lower(): value for name, value in variables.items() if not _is_service_link(name.lower(), value)}
    for option, fallback in FALLBACKS.items():
        own = (PREFIX + option).lower()
        if kept.get(fallback.lower()) and not kept.get(own):
            kept[own] = kept[fallback.lower()]
    return kept


def _is_service_link(name: str, value: str | None) -> bool:
    if _SERVICE_LINK.fullmatch(name):
        return True
    return bool(_SERVICE_LINK_PORT.fullmatch(name) and _SERVICE_LINK_VALUE.match(value or ""))
