"""Which mode, flags and file the doctor checks: those of the command line, else those of the running process."""

import os
from argparse import Namespace
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from driftgauge.app.stores import redis_access
from driftgauge.cli.doctor.finding import Finding, fail, ok, warn
from driftgauge.cli.doctor.running_process import RunningProcess, ask_process
from driftgauge.config.environment import FALLBACKS, PREFIX
from driftgauge.config.load import MODES, flag_of, load
from driftgauge.config.options import Config
from driftgauge.config.redis_options import NEEDS_REDIS
from driftgauge.errors import ConfigError
from driftgauge.storage.redis_client import connect

_CHECK = "configuration"


@dataclass(frozen=True, slots=True)
class Sources:
    """Where the configuration comes from, beside the environment.

    Args:
        mode: `proxy` or `logger`; empty to find out.
        flags: The text of each flag, by the name of its option.
        file: The file of `--config`, if any.
        hidden: The options of the running process's flags whose values it does not show.
    """

    mode: str
    flags: Mapping[str, str]
    file: Path | None
    hidden: frozenset[str] = frozenset()

    @classmethod
    def of(cls, known: Namespace) -> "Sources":
        """Those of the command line."""
        names = {name for model in MODES.values() for name in model.model_fields}
        flags = {name: value for name, value in vars(known).items() if name in names}
        return cls(known.mode or "", flags, known.config)

    @property
    def are_bare(self) -> bool:
        """Whether they say at most where the admin port is, so that the running process is what is to be checked."""
        return not self.mode and self.file is None and set(self.flags) <= {"admin_port", "host"}


@dataclass(frozen=True, slots=True)
class Situation:
    """What the checks are about.

    Args:
        mode: `proxy` or `logger`.
        config: The options; `None` if they have faults.
        admin_url: Where a running process is looked for.
        process: The running process, if there is one.
        hidden: Options that the process has and `config` lacks: what depends on them cannot be checked.
    """

    mode: str
    config: Config | None
    admin_url: str
    process: RunningProcess | None
    hidden: frozenset[str] = frozenset()


async def find_configuration(sources: Sources) -> tuple[Situation, list[Finding]]:
    """Load the options of the sources; without any, ask the running process how it was started, and load the same.

    The environment is that of this command: in a container it is the same as that of the process.
    """
    first = sources.mode or _likely_mode(sources)
    config, _ = _load(first, sources, url_is_known=False)
    url = admin_url(config, sources)
    token = _admin_token(config)
    process = await ask_process(url, token)
    if process is None and url.startswith("http:"):  # a flag or a file of the process may ask for TLS
        secured = url.replace("http:", "https:", 1)
        process = await ask_process(secured, token)
        url = url if process is None else secured
    of_process = process is not None and process.mode is not None and sources.are_bare
    if process is not None and of_process:
        sources = _sources_of(process)
    mode = sources.mode or first
    config, faults = _load(mode, sources, url_is_known="redis_url" not in sources.hidden)
    if config is not None and not any(option.startswith("redis_") for option in sources.hidden):
        faults = await _faults_of_redis(config)
        config = None if faults else config
    found = [fail(_CHECK, fault) for fault in faults]
    if not faults:
        how = " as the running process was started" if of_process else ""
        file_text = f", file {sources.file}" if sources.file else ""
        found = [ok(_CHECK, f"the options of driftgauge {mode} are valid{how}{file_text}")]
    if sources.hidden:
        names = ", ".join(map(flag_of, sorted(sources.hidden)))
        text = f"the value of {names} of the running process is hidden: give all its flags to check what depends on it"
        found.append(warn(_CHECK, text))
    return Situation(mode, config, url, process, sources.hidden), found


def _sources_of(process: RunningProcess) -> Sources:
    file = process.status.get("config_file")
    flags = {str(name): str(value) for name, value in dict(process.status.get("flags") or {}).items()}
    hidden = frozenset(map(str, process.status.get("flags_hidden") or ()))
    return Sources(process.mode or "", flags, Path(file) if file else None, hidden)


def admin_url(config: Config | None, sources: Sources) -> str:
    """The admin port of the options; with faults, the one of flag or variable if it is a number, else the default."""
    if config is not None:
        port = str(config.admin_port)
    else:
        given = sources.flags.get("admin_port") or os.environ.get(f"{PREFIX}ADMIN_PORT") or ""
        port = given if given.isdigit() else str(Config.model_fields["admin_port"].default)
    host = "127.0.0.1" if config is None or config.host in {"0.0.0.0", "::", ""} else config.host  # noqa: S104 compared
    scheme = "http" if config is None or config.tls_cert_file is None else "https"
    return f"{scheme}://[{host}]:{port}" if ":" in host else f"{scheme}://{host}:{port}"


def _admin_token(config: Config | None) -> str | None:
    """A token of the admin port: that of the environment, else the first of the file; `None` if there is none."""
    if config is None:
        return None
    if config.admin_token is not None:
        return config.admin_token.get_secret_value()
    with suppress(OSError, UnicodeError):
        if config.admin_token_file is not None:
            return next(iter(config.admin_token_file.read_text("ascii").split()), None)
    return None


def _likely_mode(sources: Sources) -> str:
    """The mode that an option, or a variable of KServe, belongs to alone; else the proxy."""
    given = {*sources.flags, *_variables()}
    own = {mode: set(model.model_fields) - set(Config.model_fields) for mode, model in MODES.items()}
    if given & (own["logger"] | {"reference_dir"}) and not given & own["proxy"]:
        return "logger"
    return "proxy"


def _variables() -> set[str]:
    """The options that the environment sets."""
    set_names = {name for name, value in os.environ.items() if value}
    own = {name.removeprefix(PREFIX).lower() for name in set_names if name.startswith(PREFIX)}
    return own | {option for option, fallback in FALLBACKS.items() if fallback in set_names}


def _load(mode: str, sources: Sources, *, url_is_known: bool) -> tuple[Config | None, tuple[str, ...]]:
    """The options, or their faults. If the URL of Redis may be a flag of the process, its absence is none."""
    flags = {name: value for name, value in sources.flags.items() if name in MODES[mode].model_fields}
    strays = tuple(f"--{name.replace('_', '-')}" for name in sources.flags if name not in flags)
    try:
        return load(mode, flags, strays, sources.file), ()
    except ConfigError as error:
        faults = error.faults
    if url_is_known or not all(fault.endswith(NEEDS_REDIS) for fault in faults):
        return None, faults
    return load(mode, flags | {"redis_url": "redis://not-known"}, strays, sources.file), ()


async def _faults_of_redis(config: Config) -> tuple[str, ...]:
    """What the start refuses in the options of Redis. Nothing is connected."""
    if config.redis_url is None:
        return ()
    try:
        client = connect(config.redis_url.get_secret_value(), config.redis_timeout_seconds, redis_access(config))
    except ConfigError as error:
        return error.faults
    await client.aclose()
    return ()
