"""Reads the options from all their sources and lists every fault at once."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pydantic import ValidationError
from pydantic_settings import EnvSettingsSource, YamlConfigSettingsSource

from driftgauge.config.options import PREFIX, Config, LoggerConfig, ProxyConfig, environment
from driftgauge.errors import ConfigError

MODES: dict[str, type[Config]] = {"proxy": ProxyConfig, "logger": LoggerConfig}

SECRETS = frozenset({"redis_password"})
"""Options without a flag: a command line can be read by every process of the machine."""


def load(mode: str, flags: Mapping[str, str], unknown: tuple[str, ...] = (), yaml: Path | None = None) -> Config:
    """The configuration of a mode.

    Args:
        mode: `proxy` or `logger`.
        flags: Option name -> text, as the command line gave them.
        unknown: Command line arguments that nobody knows.
        yaml: The file of `--config`.

    Raises:
        ConfigError: With every fault of all sources at once.
    """
    faults = [f"{argument}: unknown option of driftgauge {mode}" for argument in unknown]
    faults += _password_in_flag(flags)
    file_faults, readable = _look_at(yaml)
    base = MODES[mode]
    model = type(base.__name__, (base,), {"yaml_path": readable, "__module__": base.__module__})
    faults += _unknown_variables(model) + file_faults
    try:
        config: Config = model(**flags)
    except ValidationError as error:
        faults += [_sentence(dict(one)) for one in error.errors()]
    if faults:
        raise ConfigError(faults)
    return config


def _all_options() -> set[str]:
    return {name for model in MODES.values() for name in model.model_fields}


def _unknown_variables(model: type[Config]) -> list[str]:
    prefix = PREFIX.lower()
    names = environment(EnvSettingsSource(model, env_ignore_empty=False).env_vars)
    strays = sorted(name for name in names if name.startswith(prefix) and name[len(prefix) :] not in _all_options())
    return [f"{name.upper()}: unknown variable; `driftgauge options` lists the known ones" for name in strays]


def _look_at(yaml: Path | None) -> tuple[list[str], Path | None]:
    """Faults of the file, and the file if it can be read as options at all."""
    if yaml is None:
        return [], None
    if not yaml.is_file():
        return [f"config: {yaml} is not a file"], None
    try:
        content = YamlConfigSettingsSource(Config, yaml_file=yaml)()
    except Exception as error:  # noqa: BLE001 the YAML library has many error types, and each of them means this
        return [f"config: {yaml} is not a YAML mapping of options ({' '.join(str(error).split())})"], None
    unknown = [key for key in content if key not in _all_options()]
    return [f"config: {yaml} has an unknown key {key!r}" for key in unknown], yaml


def _password_in_flag(flags: Mapping[str, str]) -> list[str]:
    try:
        shown = urlsplit(flags.get("redis_url", "")).password is not None
    except ValueError:
        return []
    rule = "redis_url: a flag must hold no password; set DRIFTGAUGE_REDIS_PASSWORD or use the configuration file"
    return [rule] if shown else []


def _sentence(error: dict[str, Any]) -> str:
    option = ".".join(str(part) for part in error["loc"])
    rule = str(error["msg"]).removeprefix("Value error, ")
    rule = rule[:1].lower() + rule[1:]
    if option.startswith("redis"):
        return f"{option}: {rule}"
    return f"{option}: {rule}; it is {error['input']!r}"
