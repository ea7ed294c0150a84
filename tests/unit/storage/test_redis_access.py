"""How a process introduces itself to Redis: certificates, users of an ACL, and passwords that are replaced."""

from collections.abc import Callable
from pathlib import Path

import pytest
from redis import Redis

from driftgauge.errors import StorageError
from driftgauge.storage.redis_access import Access, Login
from driftgauge.storage.redis_client import BoundedRedis, Call, connect
from driftgauge.storage.redis_faults import RedisFault, advise
from tests.support.redis_cluster import RedisCluster
from tests.support.redis_sentinel import RedisSentinel
from tests.support.redis_server import RedisServer
from tests.support.redis_tls import RedisCertificates, tls_server
from tests.support.tcp_relay import TcpRelay

OLD, NEW = "old-and-long", "new-and-long"


@pytest.fixture(name="certificates", scope="module")
def _certificates(tmp_path_factory: pytest.TempPathFactory) -> RedisCertificates:
    """An authority."""
    return RedisCertificates(tmp_path_factory.mktemp("certificates"))


async def ping(url: str, access: Access, timeout_seconds: float = 5) -> bool:
    """Whether Redis replies.

    Raises:
        StorageError: It does not.
    """
    redis = BoundedRedis(connect(url, timeout_seconds, access), timeout_seconds)
    try:
        return bool(await redis.run(Call.PING, "respond", redis.client.ping))
    finally:
        await redis.close()


async def fault_of(url: str, access: Access) -> RedisFault:
    """Why Redis does not reply."""
    with pytest.raises(StorageError) as caught:
        await ping(url, access)
    return advise(caught.value)[0]


async def test_a_client_certificate_opens_a_server_that_demands_one(certificates: RedisCertificates) -> None:
    """The authority, the certificate and its key are files."""
    certificate, key = certificates.sign("client")
    server, port = tls_server(certificates)
    with server:
        assert await ping(
            f"rediss://127.0.0.1:{port}", Access(Login(), Login(), certificates.ca_file, certificate, key)
        )


@pytest.mark.parametrize(
    ("scheme", "access", "fault"),
    [
        ("rediss", lambda own: Access(ca_file=own.ca_file), RedisFault.TLS),
        ("rediss", lambda _: Access(), RedisFault.CERTIFICATE),
        ("redis", lambda _: Access(), RedisFault.CLOSED),
    ],
)
async def test_each_fault_of_tls_is_named(
    certificates: RedisCertificates, scheme: str, access: Callable[[RedisCertificates], Access], fault: RedisFault
) -> None:
    """No certificate of the client, an authority that is not known, no TLS at all."""
    server, port = tls_server(certificates)
    with server:
        assert fault == await fault_of(f"{scheme}://127.0.0.1:{port}", access(certificates))


async def test_tls_on_a_port_without_it_is_named(redis_server: RedisServer) -> None:
    """Redis waits for the rest of a command, so the sentence on timeouts says it."""
    with pytest.raises(StorageError) as caught:
        await ping(redis_server.url.replace("redis:", "rediss:"), Access(), timeout_seconds=0.5)

    assert "with rediss, that this port has TLS" in advise(caught.value)[1]


async def test_certificates_are_read_again_for_each_connection(certificates: RedisCertificates, tmp_path: Path) -> None:
    """A certificate that is replaced counts from the next connection on."""
    server, port = tls_server(certificates)
    files = [tmp_path / name for name in ("ca.pem", "client.pem", "client.key")]
    for file in files:
        file.write_text("")
    ca_file, certificate, key = files
    access = Access(ca_file=ca_file, cert_file=certificate, key_file=key)
    client = connect(f"rediss://127.0.0.1:{port}", 5, access)
    redis = BoundedRedis(client, 5)
    with server:
        with pytest.raises(StorageError):
            await redis.run(Call.PING, "respond", redis.client.ping)
        for file, source in zip(files, (certificates.ca_file, *certificates.sign("client")), strict=True):
            file.write_bytes(source.read_bytes())
        replied = await redis.run(Call.PING, "respond", redis.client.ping)
        await redis.close()

    assert replied


@pytest.mark.parametrize("user", ["", "driftgauge"])
async def test_a_password_that_was_replaced_is_read_from_its_file(tmp_path: Path, user: str) -> None:
    """Redis has the new password first; from then on no call fails once the file has it too."""
    file = tmp_path / "password"
    file.write_text(f"{OLD}\n")
    with RedisServer() as server, Redis.from_url(server.url) as admin:
        name = user or "default"
        admin.execute_command("ACL", "SETUSER", name, "on", f">{OLD}", "+@all", "~*")
        async with TcpRelay(server.port) as relay:
            client = connect(f"redis://127.0.0.1:{relay.port}", 5, Access(Login(user, password_file=file)))
            redis = BoundedRedis(client, 5)
            await redis.run(Call.PING, "respond", client.ping)
            with Redis.from_url(f"redis://{name}:{OLD}@127.0.0.1:{server.port}") as owner:
                owner.execute_command("ACL", "SETUSER", name, f">{NEW}", f"<{OLD}")
            await relay.reset()
            with pytest.raises(StorageError) as caught:
                await redis.run(Call.PING, "respond", client.ping)
            file.write_text(NEW)
            replied = await redis.run(Call.PING, "respond", client.ping)
            await redis.close()

    assert RedisFault.PASSWORD == advise(caught.value)[0]
    assert caught.value.may_be_done is False
    assert replied


async def test_sentinels_and_servers_have_their_own_logins() -> None:
    """A password of the Sentinels is not that of Redis."""
    options = ("--requirepass", OLD, "--masterauth", OLD)
    sentinel_config = f"sentinel auth-pass mymaster {OLD}\nrequirepass {NEW}"
    logins = Access(Login(password=OLD), Login(password=NEW))
    with RedisSentinel(*options, sentinel_config=sentinel_config, passwords=(OLD, NEW)) as sentinel:
        assert await ping(sentinel.url, logins)
        assert RedisFault.NO_MASTER == await fault_of(sentinel.url, Access(Login(password=OLD)))
        assert RedisFault.PASSWORD == await fault_of(sentinel.url, Access(Login(), Login(password=NEW)))


async def test_a_wrong_password_of_a_cluster_is_named() -> None:
    """Each node refuses it."""
    with RedisCluster("--requirepass", OLD, "--masterauth", OLD, password=OLD) as cluster:
        assert await ping(cluster.url, Access(Login(password=OLD)))
        assert RedisFault.PASSWORD == await fault_of(cluster.url, Access(Login(password=NEW)))


async def test_a_cluster_url_of_a_server_that_is_none_says_what_to_write(redis_server: RedisServer) -> None:
    """The server replies, but not as a node."""
    url = redis_server.url.replace("redis:", "redis+cluster:")

    assert RedisFault.IS_NO_CLUSTER == await fault_of(url, Access())


async def test_without_a_client_name_no_right_to_set_one_is_needed() -> None:
    """A user who may do nothing but PING connects."""
    with RedisServer() as server, Redis.from_url(server.url) as admin:
        admin.execute_command("ACL", "SETUSER", "probe", "on", f">{OLD}", "+ping")
        login = Login("probe", OLD)
        assert await ping(server.url, Access(login, client_name=""))
        assert RedisFault.PERMISSION == await fault_of(server.url, Access(login))


@pytest.mark.parametrize(
    ("host", "content", "words"),
    [
        ("localhost", None, "the certificate of Redis is not for this host"),
        ("127.0.0.1", "no certificate", "has no certificate in PEM form"),
    ],
)
async def test_a_name_and_a_file_that_are_wrong_are_reported_from_an_unknown_authority(
    certificates: RedisCertificates, tmp_path: Path, host: str, content: str | None, words: str
) -> None:
    """The server's certificate is for 127.0.0.1."""
    ca_file = tmp_path / "ca.pem"
    ca_file.write_text(content or certificates.ca_file.read_text())
    server, port = tls_server(certificates)
    with server, pytest.raises(StorageError) as caught:
        await ping(f"rediss://{host}:{port}", Access(ca_file=ca_file))

    assert words in advise(caught.value)[1]
