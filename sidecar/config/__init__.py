"""The configuration: `options` declares, `load` reads, `environment` knows what is really ours."""

from sidecar.config.load import MODES, SECRETS, load
from sidecar.config.options import Config, LoggerConfig, ProxyConfig

__all__ = ["MODES", "SECRETS", "Config", "LoggerConfig", "ProxyConfig", "load"]
