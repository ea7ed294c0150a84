"""How a process introduces itself to Redis: users, passwords, certificates, and how many connections it opens."""

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from redis.credentials import CredentialProvider
from redis.exceptions import ConnectionError as RedisConnectionError

from driftgauge.errors import ConfigError
from driftgauge.storage.redis_url import Mode, RedisUrl

_ONE_LINE: Final = "must be the password in a single line, of which the line ending alone is cut"
"""What a file with a password must be like, as it reads after its name."""


@dataclass(frozen=True, slots=True)
class Login:
    """A user and a password.

    Args:
        username: The user of an ACL; empty for the default one.
        password: The password, if it is not in a file.
        password_file: A file with the password, such as a mounted Secret. It is read for each new connection.
    """

    username: str = ""
    password: str | None = None
    password_file: Path | None = None

    def options(self) -> dict[str, Any]:
        """The arguments of redis-py's connections."""
        if self.password_file is not None:
            return {"credential_provider": _PasswordFile(self.username, self.password_file)}
        return {name: value for name, value in (("username", self.username), ("password", self.password)) if value}


@dataclass(frozen=True, slots=True)
class Access:
    """What a URL does not say.

    Args:
        login: That of Redis; the URL may have one instead.
        sentinel_login: That of the Sentinels.
        ca_file: Certificates of the authorities that sign those of the servers; `None` for those of the system.
        cert_file: Certificate of this client.
        key_file: Its private key.
        max_connections: Most connections to one server.
        client_name: Name in CLIENT LIST; empty to set none.
    """

    login: Login = Login()
    sentinel_login: Login = Login()
    ca_file: Path | None = None
    cert_file: Path | None = None
    key_file: Path | None = None
    max_connections: int = 8
    client_name: str = "driftgauge"

    def tls_options(self) -> dict[str, Any]:
        """The arguments of redis-py's connections over TLS."""
        named = {"ssl_ca_certs": self.ca_file, "ssl_certfile": self.cert_file, "ssl_keyfile": self.key_file}
        return {name: str(file) for name, file in named.items() if file is not None}


def find_faults(url: RedisUrl, access: Access) -> list[str]:
    """What does not go together, one sentence each."""
    login, sentinel = access.login, access.sentinel_login
    with_user, with_password = "username" in url.options, "password" in url.options
    return [
        sentence
        for wrong, sentence in (
            (login.username and with_user, "redis_username: redis_url has a user already; give one of them"),
            (
                login.password_file and (login.password or with_password),
                "redis_password_file: there is a password in redis_password or redis_url already; give one of them",
            ),
            (
                login.password and with_password and login.password != url.options["password"],
                "redis_password: redis_url has another password; give one of them",
            ),
            (
                sentinel.password_file and sentinel.password,
                "redis_sentinel_password_file: redis_sentinel_password is set too; give one of them",
            ),
            (
                sentinel != Login() and url.mode is not Mode.SENTINEL,
                f"{_names_of(sentinel)}: only with redis+sentinel:// in redis_url",
            ),
            (
                access.tls_options() and not url.tls,
                "redis_ca_file, redis_cert_file, redis_key_file: only with TLS; write rediss in redis_url",
            ),
            (access.key_file and not access.cert_file, "redis_key_file: needs redis_cert_file"),
        )
        if wrong
    ] + [fault for name, file in _files(access) if (fault := _find_unreadable(name, file))]


def _names_of(sentinel: Login) -> str:
    """The options of the Sentinels' login that are set."""
    values = {"username": sentinel.username, "password": sentinel.password, "password_file": sentinel.password_file}
    return ", ".join(f"redis_sentinel_{name}" for name, value in values.items() if value)


def _files(access: Access) -> list[tuple[str, Path]]:
    files = {
        "redis_password_file": access.login.password_file,
        "redis_sentinel_password_file": access.sentinel_login.password_file,
        "redis_ca_file": access.ca_file,
        "redis_cert_file": access.cert_file,
        "redis_key_file": access.key_file,
    }
    return [(name, file) for name, file in files.items() if file is not None]


def _find_unreadable(name: str, file: Path) -> str | None:
    try:
        content = file.read_bytes()
    except OSError as error:
        return f"{name}: {file} cannot be read: {error.strerror}"
    try:
        if name.endswith("password_file"):
            _password_in(content)
    except ValueError as error:
        return f"{name}: {file} {error}"
    return None


def _password_in(content: bytes) -> str:
    """The password in a file, without the line ending.

    Raises:
        ValueError: The file has none, or more than it. The message contains no part of the file.
    """
    try:
        password = content.decode().rstrip("\r\n")
    except UnicodeDecodeError:
        raise ValueError(f"{_ONE_LINE}; it is no UTF-8") from None
    if not password:
        raise ValueError(f"{_ONE_LINE}; it is empty")
    if "\n" in password or "\r" in password:
        raise ValueError(f"{_ONE_LINE}; it has several lines")
    if password != password.rstrip():
        raise ValueError(f"{_ONE_LINE}; its line ends with a blank")
    return password


def check_access(url: RedisUrl, access: Access) -> None:
    """Check that a URL and the other options go together, and that files can be read.

    Raises:
        ConfigError: They do not.
    """
    faults = find_faults(url, access)
    if faults:
        raise ConfigError(faults)


class _PasswordFile(CredentialProvider):
    """Reads the password for each new connection, since a Secret may be replaced while the process runs."""

    def __init__(self, username: str, file: Path) -> None:
        self._username = username
        self._file = file

    def get_credentials(self) -> tuple[str] | tuple[str, str]:
        """User and password, or the password alone.

        Raises:
            RedisConnectionError: The file cannot be read, or is more or less than one line.
        """
        try:
            password = _password_in(self._file.read_bytes())
        except OSError as error:
            raise RedisConnectionError(f"{self._file} cannot be read: {error}") from error
        except ValueError as error:
            raise RedisConnectionError(f"{self._file} {error}") from None
        return (self._username, password) if self._username else (password,)

    async def get_credentials_async(self) -> tuple[str] | tuple[str, str]:
        """The same, read in a thread."""
        return await asyncio.to_thread(self.get_credentials)
