"""The environment as the options see it: the platform's fallbacks in, Kubernetes' service links out."""

import re
from collections.abc import Mapping

PREFIX = "DRIFTGAUGE_"

FALLBACKS = {"port": "PORT", "inference_service": "INFERENCE_SERVICE_NAME"}
"""Variables that the platform sets (Knative, KServe); read where the option's own variable is not set."""

_SERVICE_LINK = re.compile(r"driftgauge(_\w+)?_(service_(host|port\w*)|port_\d+_(tcp|udp|sctp)\w*)")
_SERVICE_LINK_PORT = re.compile(r"driftgauge(_\w+)?_port")
_SERVICE_LINK_VALUE = re.compile(r"(tcp|udp|sctp)://")


def environment(variables: Mapping[str, str | None]) -> dict[str, str | None]:
    """The environment without Kubernetes' service links, with the platform's fallbacks filled in.

    A Service named `driftgauge` puts `DRIFTGAUGE_PORT=tcp://10.0.0.1:80` and its like into every pod of its
    namespace, one named `driftgauge-logger` puts `DRIFTGAUGE_LOGGER_PORT=...`; they are not options.

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
