"""Reads the options from flags, environment and file, and lists every error at once."""

import os
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from pydantic import ValidationError
from pydantic_settings import EnvSettingsSource, YamlConfigSettingsSource

from driftgauge.config.environment import PREFIX, environment
from driftgauge.config.options import Config, LoggerConfig, ProxyConfig
from driftgauge.config.suggestions import closest
from driftgauge.errors import ConfigError

MODES: dict[str, type[Config]] = {"proxy": ProxyConfig, "logger": LoggerConfig}

SECRETS = frozenset({"redis_password", "redis_sentinel_password", "token", "admin_token", "labels_token"})
"""Options without a flag, since every process of a machine can read command lines."""

_SECRET_NAME = re.compile("password|token|secret|signature|api.?key", re.IGNORECASE)
"""A part of the name of a parameter in the query of a URL that holds a secret."""

_SECRET_OPTIONS = ("redis", "forward", "event_url", "event_ca", "token", "admin_token", "labels_token")
"""Beginnings of the names of options whose values are not printed."""


def load(mode: str, flags: Mapping[str, str], unknown: tuple[str, ...] = (), yaml: Path | None = None) -> Config:
    """Read the configuration of a mode.

    Args:
        mode: `proxy` or `logger`.
        flags: The text of each flag, by the name of the option.
        unknown: Arguments of the command line that are not options.
        yaml: The file of `--config`.

    Raises:
        ConfigError: Lists the errors of all sources.
    """
    faults = [_unknown_option(name, mode) for name in without_values(unknown)]
    faults += _password_in_flag(flags)
    file_faults, readable = _check_file(yaml)
    faults += _unknown_variables(MODES[mode]) + file_faults
    try:
        config: Config = _with_sources(MODES[mode], readable, flags)(**flags)
    except ValidationError as error:
        faults += [_sentence(dict(one)) for one in error.errors()]
    if faults:
        raise ConfigError(faults)
    return config


def wanted_log_format(flags: Mapping[str, str], yaml: Path | None) -> str:
    """The text of the option `log_format`, where others have faults; empty if no source has it."""
    given = flags.get("log_format") or environment(os.environ).get("driftgauge_log_format")
    _, readable = _check_file(yaml)
    content = {} if given or readable is None else YamlConfigSettingsSource(Config, yaml_file=readable)()
    return str(given or content.get("log_format") or "")


def _with_sources(model: type[Config], yaml: Path | None, flags: Mapping[str, str]) -> Callable[..., Config]:
    """The options with a file as a source. A subclass, since pydantic-settings finds the file on the class only."""
    names = {"yaml_path": yaml, "flags": dict(flags), "__module__": model.__module__}
    return type(model.__name__, (model,), names)


def _all_options() -> set[str]:
    return {name for model in MODES.values() for name in model.model_fields}


def flag_of(option: str) -> str:
    """The flag of an option: `--window-rows` of `window_rows`."""
    return "--" + option.replace("_", "-")


def _unknown_option(name: str, mode: str) -> str:
    """The sentence on a flag that a mode does not have, with what was most likely meant."""
    sentence = f"{name}: unknown option of driftgauge {mode}"
    own = MODES[mode].model_fields
    meant = closest(name, own)
    if meant in SECRETS:
        return f"{sentence}; every process of a machine can read a flag: set {(PREFIX + meant).upper()}"
    option = name.lstrip("-").replace("-", "_")
    others = [other for other, model in MODES.items() if name.startswith("-") and option in model.model_fields]
    if others and mode not in others:
        return f"{sentence}; only driftgauge {others[0]} has it"
    return sentence + (f"; did you mean {flag_of(meant)}?" if meant else "")


def _unknown_variables(model: type[Config]) -> list[str]:
    prefix = PREFIX.lower()
    names = environment(EnvSettingsSource(model, env_ignore_empty=False).env_vars)
    strays = sorted(name for name in names if name.startswith(prefix) and name[len(prefix) :] not in _all_options())
    return [_unknown_variable(name.upper()) for name in strays]


def _unknown_variable(name: str) -> str:
    """The sentence on a variable. The prefix is not compared: it would make all names alike."""
    meant = closest(name.removeprefix(PREFIX), sorted(_all_options()))
    hint = f"did you mean {(PREFIX + meant).upper()}?" if meant else "`driftgauge options` lists the known ones"
    return f"{name}: unknown variable; {hint}"


def _check_file(yaml: Path | None) -> tuple[list[str], Path | None]:
    """The errors of the file, and its path if it contains options."""
    if yaml is None:
        return [], None
    if not yaml.is_file():
        return [f"config: {yaml} is not a file"], None
    try:
        content = YamlConfigSettingsSource(Config, yaml_file=yaml)()
    except Exception as error:  # noqa: BLE001 the YAML library has many error types, and all mean the same here
        return [f"config: {yaml} is not a YAML mapping of options ({_without_text(error)})"], None
    unknown = [key for key in content if key not in _all_options()]
    return [_unknown_key(key, yaml) for key in unknown], yaml


def _unknown_key(key: str, yaml: Path) -> str:
    meant = closest(key, sorted(_all_options()))
    return f"config: {yaml} has an unknown key {key!r}" + (f"; did you mean {meant}?" if meant else "")


def _without_text(error: Exception) -> str:
    """What a YAML error says, without the lines of the file that it quotes: they may contain a password."""
    problem, mark = getattr(error, "problem", None), getattr(error, "problem_mark", None)
    if problem is None or mark is None:
        return type(error).__name__
    return f"{problem}, line {mark.line + 1}, column {mark.column + 1}"


def without_values(arguments: Sequence[str]) -> list[str]:
    """The arguments without the values of flags, one of which may be a password: `--a=b` and `--a b` are `--a`."""
    after_flag = [False, *(argument.startswith("-") and "=" not in argument for argument in arguments)]
    return [
        argument.partition("=")[0] if argument.startswith("-") else argument
        for argument, is_value in zip(arguments, after_flag, strict=False)
        if argument.startswith("-") or not is_value
    ]


def holds_password(text: str) -> bool:
    """Whether the value of an option is a URL with a password, or several: `redis://:x@host`, `...?ssl_password=x`."""
    return any(_url_holds_password(url) for url in text.split(","))


def _url_holds_password(text: str) -> bool:
    try:
        url = urlsplit(text.strip())
    except ValueError:
        return "@" in text
    return url.password is not None or any(_SECRET_NAME.search(name) for name, _ in parse_qsl(url.query))


def _password_in_flag(flags: Mapping[str, str]) -> list[str]:
    """The sentences on URLs in flags that hold a password."""
    redis, forward = flags.get("redis_url", ""), flags.get("forward_url", "")
    instead = {
        "redis_url": ("DRIFTGAUGE_REDIS_PASSWORD", _has_password_of_redis(redis)),
        "forward_url": ("DRIFTGAUGE_FORWARD_URL", holds_password(forward)),
        "event_url": ("DRIFTGAUGE_EVENT_URL", holds_password(flags.get("event_url", ""))),
    }
    return [
        f"{option}: a flag must hold no password; set {variable} or use the configuration file"
        for option, (variable, is_shown) in instead.items()
        if is_shown
    ]


def _has_password_of_redis(url: str) -> bool:
    """Whether a URL of Redis holds a password, also one whose reserved characters are not percent-encoded."""
    login = url.partition("://")[2].rpartition("@")[0]
    return ":" in login or holds_password(url.partition("?")[0])


def _sentence(error: dict[str, Any]) -> str:
    option = ".".join(str(part) for part in error["loc"])
    rule = str(error["msg"]).removeprefix("Value error, ")
    rule = rule[:1].lower() + rule[1:]
    if error["input"] is None:  # the rule is about another option, which the sentence names
        return f"{option}: {rule}"
    if option.startswith(_SECRET_OPTIONS) or "@" in str(error["input"]):  # a secret, or a URL that may hold a password
        return f"{option}: {rule}"
    return f"{option}: {rule}; it is {error['input']!r}"
