"""What is wrong with Redis, and what to do about it."""

import re
from collections.abc import Iterator
from enum import StrEnum
from typing import Final, NamedTuple

from redis.exceptions import (
    AskError,
    AuthenticationError,
    BusyLoadingError,
    ClusterDownError,
    InvalidResponse,
    MasterDownError,
    MaxConnectionsError,
    MovedError,
    NoPermissionError,
    OutOfMemoryError,
    ReadOnlyError,
    SlotNotCoveredError,
)
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError

from driftgauge.errors import StorageError


class RedisFault(StrEnum):
    """A cause of failed calls, which one action of an operator removes."""

    PASSWORD = "password"  # noqa: S105 - no password
    PERMISSION = "permission"
    READ_ONLY = "read_only"
    MEMORY = "memory"
    IS_CLUSTER = "is_cluster"
    IS_NO_CLUSTER = "is_no_cluster"
    CLUSTER_DOWN = "cluster_down"
    NO_MASTER = "no_master"
    CLIENTS = "clients"
    LOADING = "loading"
    BUSY = "busy"
    NO_REDIS = "no_redis"
    WRONG_TYPE = "wrong_type"
    PERSISTENCE = "persistence"
    DATABASE = "database"
    CERTIFICATE_FILE = "certificate_file"
    CERTIFICATE = "certificate"
    NO_TLS = "no_tls"
    TLS = "tls"
    TIMEOUT = "timeout"
    CLOSED = "closed"
    UNREACHABLE = "unreachable"
    OTHER = "other"


class _Sign(NamedTuple):
    """How a fault shows.

    Args:
        fault: The fault.
        texts: One of these is in the text of an error.
        types: Or an error of this type is in the chain of causes.
        advice: What to do, as it reads after a colon.
    """

    fault: RedisFault
    texts: tuple[str, ...]
    types: tuple[type[BaseException], ...]
    advice: str


_SIGNS: Final = (
    _Sign(
        RedisFault.NO_MASTER,
        ("unknown command 'SENTINEL'", "unknown command `SENTINEL`"),
        (),
        "this is a Redis, not a Sentinel: name the Sentinels in redis_url, or write redis:// for this Redis",
    ),
    _Sign(
        RedisFault.NO_MASTER,
        ("auth:AuthenticationError",),  # of redis-py, in its text on each Sentinel
        (),
        "the Sentinels refuse the login: check redis_sentinel_username, and redis_sentinel_password or"
        " redis_sentinel_password_file",
    ),
    _Sign(
        RedisFault.NO_MASTER,
        ("network:UnsentError",),
        (),
        "no Sentinel could be reached: check their hosts in redis_url, the NetworkPolicy and, with rediss, that their"
        " ports have TLS and a certificate whose authority is known",
    ),
    _Sign(
        RedisFault.NO_MASTER,
        ("No master found",),
        (),
        "no Sentinel replies, or none knows a master of this name that is up: check the hosts and the name in"
        " redis_url, the Sentinels' own user and password, and SENTINEL MASTERS",
    ),
    _Sign(
        RedisFault.CERTIFICATE_FILE,
        ("No such file", "PEM lib", "KEY_VALUES_MISMATCH"),
        (FileNotFoundError,),
        "the file that the URL names in ssl_ca_certs is not there, or that of redis_ca_file,"
        " redis_cert_file, redis_key_file or redis_password_file, or it is of another kind (in the chart: redis.tls)",
    ),
    _Sign(
        RedisFault.CERTIFICATE_FILE,
        ("NO_CERTIFICATE_OR_CRL_FOUND",),
        (),
        "redis_ca_file, or the file that the URL names in ssl_ca_certs, has no certificate in PEM form",
    ),
    _Sign(
        RedisFault.CERTIFICATE,
        ("Hostname mismatch", "IP address mismatch"),
        (),
        "the certificate of Redis is not for this host: write a name that it has in redis_url, or add this one to it",
    ),
    _Sign(
        RedisFault.CERTIFICATE,
        ("certificate has expired", "certificate is not yet valid"),
        (),
        "renew the certificate of Redis or of its authority, or set the clock",
    ),
    _Sign(
        RedisFault.CERTIFICATE,
        ("CERTIFICATE_VERIFY_FAILED",),
        (),
        "redis_ca_file must have the certificate of the authority that signed that of Redis (in the chart:"
        " redis.tls.caSecret)",
    ),
    _Sign(
        RedisFault.NO_TLS, ("WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE"), (), "this port has no TLS: use redis://"
    ),
    _Sign(
        RedisFault.TLS,
        ("CERTIFICATE_REQUIRED", "ALERT_", "SSLV3_ALERT", "[SSL"),
        (),
        "Redis wants a client certificate, or refuses this one: check redis_cert_file and redis_key_file",
    ),
    _Sign(
        RedisFault.PASSWORD,
        ("must be the password in a single line",),  # of the reader of these files
        (),
        "write the password alone into the file of redis_password_file or redis_sentinel_password_file",
    ),
    _Sign(
        RedisFault.PASSWORD,
        ("Authentication required", "NOAUTH"),
        (),
        "give DRIFTGAUGE_REDIS_PASSWORD or redis_password_file",
    ),
    _Sign(
        RedisFault.PASSWORD,
        ("WRONGPASS", "invalid username-password"),
        (AuthenticationError,),
        "check redis_username, and DRIFTGAUGE_REDIS_PASSWORD or redis_password_file",
    ),
    _Sign(
        RedisFault.IS_NO_CLUSTER,  # before the missing right, since redis-py says this of a node that refuses it too
        ("Cluster mode is not enabled",),
        (),
        "if this is no cluster, write redis:// in redis_url; if it is one, its user needs +cluster|slots",
    ),
    _Sign(
        RedisFault.PERMISSION,
        ("NOPERM", "can't run this command or subcommand"),
        (NoPermissionError,),
        "give its user the rights of docs/security.md",
    ),
    _Sign(
        RedisFault.READ_ONLY,
        ("READONLY", "previous master is now a slave", "NOREPLICAS"),
        (ReadOnlyError,),
        "this is a replica, or a master without enough replicas: name the master, or use redis+sentinel://",
    ),
    _Sign(
        RedisFault.MEMORY,
        ("OOM command not allowed", "out of memory"),
        (OutOfMemoryError,),
        "raise maxmemory, or set maxmemory-policy allkeys-lru",
    ),
    _Sign(
        RedisFault.CLUSTER_DOWN,
        ("CLUSTERDOWN", "slots are not covered", "not covered by the cluster", "MASTERDOWN"),
        (ClusterDownError, SlotNotCoveredError),
        "a part of the cluster has no primary: see CLUSTER INFO",
    ),
    _Sign(
        RedisFault.IS_CLUSTER,
        (),
        (AskError,),
        "MOVED means that this is a node of a cluster: write redis+cluster:// (or rediss+cluster://) in redis_url",
    ),
    _Sign(
        RedisFault.CLIENTS,
        ("max number of clients", "Too many connections"),
        (MaxConnectionsError,),
        "raise maxclients of Redis, or lower redis_max_connections of the replicas",
    ),
    _Sign(RedisFault.NO_REDIS, (), (InvalidResponse,), "this is no Redis: check the host and the port in redis_url"),
    _Sign(RedisFault.LOADING, ("LOADING",), (BusyLoadingError,), "Redis reads its data after a start: wait"),
    _Sign(RedisFault.BUSY, ("BUSY ",), (), "another client's script keeps Redis busy: see SCRIPT KILL"),
    _Sign(
        RedisFault.WRONG_TYPE, ("WRONGTYPE",), (), "another program uses keys of driftgauge: give each its own database"
    ),
    _Sign(RedisFault.PERSISTENCE, ("MISCONF",), (), "Redis cannot save to its disk: see its log"),
    _Sign(
        RedisFault.DATABASE,
        ("DB index is out of range",),
        (),
        "the number at the end of redis_url is that of no database",
    ),
    _Sign(
        RedisFault.TIMEOUT,
        (),
        (RedisTimeoutError, TimeoutError),
        "check that Redis runs and is not overloaded, the NetworkPolicy and, with rediss, that this port has TLS; or"
        " raise redis_timeout_seconds",
    ),
    _Sign(
        RedisFault.CLOSED,
        ("Connection closed by server", "during the handshake"),
        (),
        "if this port has TLS, use rediss://; see the log of Redis",
    ),
    _Sign(
        RedisFault.UNREACHABLE,
        (),
        (OSError, RedisConnectionError),
        "check redis_url, the NetworkPolicy and that Redis runs",
    ),
)


def advise(error: BaseException) -> tuple[RedisFault, str]:
    """The fault that an error shows, and what to do about it, as it reads after a colon."""
    # the text of a StorageError has words of its own, such as "could not load a state"
    chain = [one for one in _causes(error) if not isinstance(one, StorageError)]
    text = " ".join(str(one) for one in chain)
    for sign in _SIGNS:
        if any(isinstance(one, sign.types) for one in chain) or any(part in text for part in sign.texts):
            return sign.fault, sign.advice
    return RedisFault.OTHER, "check redis_url, the password, the NetworkPolicy and that Redis runs"


_CODES: Final[dict[type[BaseException], str]] = {
    MovedError: "MOVED",
    AskError: "ASK",
    ReadOnlyError: "READONLY",
    NoPermissionError: "NOPERM",
    OutOfMemoryError: "OOM",
    ClusterDownError: "CLUSTERDOWN",
    MasterDownError: "MASTERDOWN",
    BusyLoadingError: "LOADING",
}
"""The first word of an error reply, which redis-py removes from the text."""


_CLIENT = re.compile(r"<redis\.asyncio\.client\.Redis\(.*?\)>\)> - ")
_PIPELINE = re.compile(r"Command # \d+ \(.*\) of pipeline caused error: (?:\(['\"](.*)['\"],\)$)?", re.DOTALL)


_PLACE = re.compile(r"[,.]?\s*script: [0-9a-f]+, on @user_script:\d+\.?")
"""Where a script failed, which Redis 7 adds to the reason."""


def describe(error: BaseException) -> str:
    """The text of an error of redis-py, with the code that Redis gave it and without the command and its values."""
    text = _CLIENT.sub("", _PIPELINE.sub(lambda found: found[1] or "", str(error))) or type(error).__name__
    text = text.partition(", with args beginning")[0]  # Redis quotes the arguments of a command that it does not know
    text = _PLACE.sub("", text)
    code = _CODES.get(type(error))
    return f"{code} {text}" if code else text


def _causes(error: BaseException) -> Iterator[BaseException]:
    """An error and what it was raised from, newest first."""
    one: BaseException | None = error
    while one is not None:
        yield one
        one = one.__cause__ or (None if one.__suppress_context__ else one.__context__)
