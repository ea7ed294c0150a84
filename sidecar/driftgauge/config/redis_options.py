"""The options of Redis."""

import re
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, Field, SecretStr, ValidationInfo, field_validator

from driftgauge.config.option_types import Seconds, split_url

NEEDS_REDIS = "needs redis_url, without which rows are kept in memory"
"""The rule of the options that say how a process introduces itself to Redis."""

_Login = TypeVar("_Login", str, SecretStr | None, Path | None)


class RedisOptions(BaseModel):
    """Where Redis is, how a process introduces itself to it, and how long it keeps rows."""

    redis_url: SecretStr | None = Field(
        None,
        description="URL of Redis: `redis://host[:port][/db]`, `redis+sentinel://host,host/master` with hosts of the"
        " Sentinels, or `redis+cluster://host,host`; `rediss` in place of `redis` for TLS; if not set, rows are kept in"
        " memory",
    )
    redis_username: str = Field("", description="user of Redis (ACL); empty for that of `redis_url` or the default one")
    redis_password: SecretStr | None = Field(None, description="password of Redis; only from environment or file")
    redis_password_file: Path | None = Field(
        None, description="file with the password of Redis, which is read for each new connection"
    )
    redis_sentinel_username: str = Field("", description="user of the Sentinels; empty for the default user")
    redis_sentinel_password: SecretStr | None = Field(
        None, description="password of the Sentinels; only from environment or file"
    )
    redis_sentinel_password_file: Path | None = Field(
        None, description="file with the password of the Sentinels, which is read for each new connection"
    )
    redis_ca_file: Path | None = Field(
        None, description="file with the certificates that sign that of Redis; if not set, those of the system"
    )
    redis_cert_file: Path | None = Field(
        None, description="file with the certificate by which driftgauge introduces itself to Redis"
    )
    redis_key_file: Path | None = Field(
        None, description="file with the private key of `redis_cert_file`; if not set, it is in that file"
    )
    redis_max_connections: int = Field(
        8, ge=2, le=1000, description="limit of the connections of a process to Redis, or to each node of a cluster"
    )
    redis_client_name: str = Field(
        "driftgauge",
        pattern=r"^[!-~]*$",
        description="name of the connections in `CLIENT LIST`; empty to set none, which needs one right less",
    )
    redis_timeout_seconds: Seconds = Field(2, description="time limit of one call to Redis, in seconds")
    ring_ttl_seconds: Seconds = Field(
        604_800, description="seconds without new rows after which the rows of a model expire"
    )

    @field_validator(
        "redis_username",
        "redis_password",
        "redis_password_file",
        "redis_sentinel_username",
        "redis_sentinel_password",
        "redis_sentinel_password_file",
        "redis_ca_file",
        "redis_cert_file",
        "redis_key_file",
    )
    @classmethod
    def _check_there_is_redis(cls, value: _Login, info: ValidationInfo) -> _Login:
        if value and info.data.get("redis_url", value) is None:
            raise ValueError(NEEDS_REDIS)
        return value

    @field_validator("redis_url")
    @classmethod
    def _check_redis_url(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None:
            scheme, _, rest = value.get_secret_value().partition("://")
            base, _, kind = scheme.partition("+")
            authority = re.split("[/?#]", rest, maxsplit=1)[0]
            if "@" in rest and "@" not in authority:  # a password has one of these characters, and must not be shown
                raise ValueError("reserved characters (/ ? # @ :) of a user or password must be percent-encoded")
            hosts = authority.rpartition("@")[2].split(",")
            valid = base in {"redis", "rediss"} and kind in {"", "sentinel", "cluster"}
            if not valid or not all(split_url(f"redis://{host}").hostname for host in hosts):
                raise ValueError("must be redis://host[:port][/db], redis+sentinel://... or redis+cluster://...")
        return value
