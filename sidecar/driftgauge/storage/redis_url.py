"""The URL of Redis: one server, the Sentinels that know the master, or nodes of a cluster."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final
from urllib.parse import parse_qsl, unquote, urlsplit

from redis.asyncio.connection import parse_url

from driftgauge.errors import ConfigError

_PORT: Final = 6379
_SENTINEL_PORT: Final = 26_379
_RULES: Final = {
    "": "redis://[user:password@]host[:port][/db]",
    "sentinel": "redis+sentinel://[user:password@]host[:port],host[:port].../master[/db]",
    "cluster": "redis+cluster://[user:password@]host[:port],host[:port]..., without a database",
}
_RULE: Final = (
    "redis_url: must be {}; rediss in place of redis for TLS; a query holds ssl_ options alone and needs TLS; reserved "
    "characters of a user or password are percent-encoded"
)


class Mode(StrEnum):
    """What the hosts of a URL are; its value follows the `+` of the scheme."""

    SERVER = ""
    SENTINEL = "sentinel"
    CLUSTER = "cluster"


@dataclass(frozen=True, slots=True)
class RedisUrl:
    """A parsed URL.

    Args:
        mode: What the hosts are.
        tls: Whether connections use TLS.
        hosts: Names or addresses, with ports; at least one.
        master: The name by which the Sentinels know the master; empty in other modes.
        options: Arguments of redis-py's connections: `db`, `username`, `password`, `ssl_...`.
    """

    mode: Mode
    tls: bool
    hosts: tuple[tuple[str, int], ...]
    master: str
    options: dict[str, Any]


def parse_redis_url(url: str) -> RedisUrl:
    """Parse a URL.

    Raises:
        ConfigError: It is none. The message contains no part of it, since it may hold a password.
    """
    try:
        return _parse(url)
    except ValueError:
        raise ConfigError([url_rule(url)]) from None


def url_rule(url: str) -> str:
    """What a URL of this scheme must be like. The sentence contains no part of it."""
    kind = url.partition("://")[0].lower().partition("+")[2]
    return _RULE.format(_RULES.get(kind, " or ".join(_RULES.values())))


def _parse(url: str) -> RedisUrl:
    scheme, _, rest = url.partition("://")
    base, _, mode_name = scheme.lower().partition("+")
    mode = Mode(mode_name)
    if base not in {"redis", "rediss"} or "#" in rest:
        raise ValueError
    place, _, query = rest.partition("?")
    authority, _, path = place.partition("/")
    user, _, host_list = authority.rpartition("@")
    port = _SENTINEL_PORT if mode is Mode.SENTINEL else _PORT
    hosts = tuple(_parse_host(host, port) for host in host_list.split(","))
    if mode is Mode.SERVER and len(hosts) > 1:
        raise ValueError
    names = [name for name, _ in parse_qsl(query, keep_blank_values=True, strict_parsing=bool(query))]
    if not all(name.startswith("ssl_") for name in names) or (names and base == "redis"):
        raise ValueError
    options = dict(parse_url(f"{base}://{user}{'@' if user else ''}host?{query}"))
    for name in ("host", "connection_class"):
        options.pop(name, None)
    master, options["db"] = _parse_path(path, mode)
    return RedisUrl(mode, base == "rediss", hosts, master, options)


def _parse_host(text: str, port: int) -> tuple[str, int]:
    parts = urlsplit(f"//{text}")
    if not parts.hostname or parts.path or parts.query or "@" in text:
        raise ValueError
    return parts.hostname, parts.port or port


def _parse_path(path: str, mode: Mode) -> tuple[str, int]:
    """The name of the master, and the number of the database."""
    master = ""
    if mode is Mode.SENTINEL:
        master, _, path = path.partition("/")
        if not master:
            raise ValueError
    if path and not path.isdecimal():
        raise ValueError
    database = int(path or 0)
    if mode is Mode.CLUSTER and database:
        raise ValueError
    return unquote(master), database
