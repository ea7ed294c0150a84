"""What is said of failed calls to Redis: the cause, and what to do."""

from collections.abc import Callable, Iterator

import pytest
from redis import Redis
from redis.asyncio.sentinel import MasterNotFoundError
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisClusterException, RedisError
from redis.exceptions import TimeoutError as RedisTimeoutError
from redis.retry import Retry

from driftgauge.errors import StorageError
from driftgauge.storage.redis_faults import RedisFault, advise, describe
from tests.support.redis_server import RedisServer

Replied = Callable[[str], Exception]
"""Returns the error that redis-py makes of a reply."""


@pytest.fixture(name="replied")
def _replied(redis_server: RedisServer) -> Iterator[Replied]:
    """Has the server reply with the error."""
    with Redis.from_url(redis_server.url, retry=Retry(NoBackoff(), 0)) as client:

        def reply(text: str) -> Exception:
            """The error of a command."""
            with pytest.raises(RedisError) as caught:
                client.eval("return redis.error_reply(ARGV[1])", 0, text)
            return caught.value

        yield reply


def caused_by(error: BaseException) -> StorageError:
    """The error of a call that failed because of another one."""
    failure = StorageError(f"Redis could not append rows: {describe(error)}")
    failure.__cause__ = error
    return failure


@pytest.mark.parametrize(
    ("reply", "fault", "words"),
    [
        ("WRONGPASS invalid username-password pair or user is disabled.", RedisFault.PASSWORD, "check redis_username"),
        ("NOAUTH Authentication required.", RedisFault.PASSWORD, "give DRIFTGAUGE_REDIS_PASSWORD"),
        ("NOPERM this user has no permissions to run the command", RedisFault.PERMISSION, "give its user the rights"),
        ("ERR The user executing the script can't run this command or subcommand", RedisFault.PERMISSION, "rights"),
        ("READONLY You can't write against a read only replica.", RedisFault.READ_ONLY, "redis+sentinel://"),
        ("NOREPLICAS Not enough good replicas to write.", RedisFault.READ_ONLY, "replica"),
        ("OOM command not allowed when used memory > 'maxmemory'.", RedisFault.MEMORY, "raise maxmemory"),
        ("ERR Error running script: -OOM command not allowed when used memory", RedisFault.MEMORY, "raise maxmemory"),
        ("MOVED 3999 127.0.0.1:6381", RedisFault.IS_CLUSTER, "MOVED means that this is a node of a cluster"),
        ("ASK 3999 127.0.0.1:6381", RedisFault.IS_CLUSTER, "redis+cluster://"),
        ("CLUSTERDOWN Hash slot not served", RedisFault.CLUSTER_DOWN, "CLUSTER INFO"),
        ("MASTERDOWN Link with MASTER is down", RedisFault.CLUSTER_DOWN, "no primary"),
        ("ERR max number of clients reached", RedisFault.CLIENTS, "raise maxclients"),
        ("LOADING Redis is loading the dataset in memory", RedisFault.LOADING, "wait"),
        ("BUSY Redis is busy running a script.", RedisFault.BUSY, "SCRIPT KILL"),
        ("WRONGTYPE Operation against a key of the wrong kind", RedisFault.WRONG_TYPE, "its own database"),
        ("MISCONF Redis is configured to save RDB snapshots", RedisFault.PERSISTENCE, "disk"),
        ("ERR DB index is out of range", RedisFault.DATABASE, "the number at the end of redis_url"),
        ("ERR unknown command 'XADD'", RedisFault.OTHER, "check redis_url"),
    ],
)
def test_each_reply_has_its_fault_and_what_to_do(replied: Replied, reply: str, fault: RedisFault, words: str) -> None:
    """As redis-py reads the replies of real servers."""
    found, advice = advise(caused_by(replied(reply)))

    assert fault == found
    assert words in advice


@pytest.mark.parametrize(
    ("error", "fault"),
    [
        (RedisConnectionError("Error 111 connecting to 127.0.0.1:1. Connect call failed"), RedisFault.UNREACHABLE),
        (ConnectionResetError(104, "Connection reset by peer"), RedisFault.UNREACHABLE),
        (RedisTimeoutError("Timeout connecting to server"), RedisFault.TIMEOUT),
        (TimeoutError(), RedisFault.TIMEOUT),
        (RedisConnectionError("Connection closed by server."), RedisFault.CLOSED),
        (MasterNotFoundError("No master found for 'mymaster'"), RedisFault.NO_MASTER),
        (RedisClusterException("Cluster mode is not enabled on this node"), RedisFault.IS_NO_CLUSTER),
        (RedisConnectionError("[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed"), RedisFault.CERTIFICATE),
        (RedisConnectionError("[SSL: WRONG_VERSION_NUMBER] wrong version number"), RedisFault.NO_TLS),
        (RedisConnectionError("[SSL: TLSV13_ALERT_CERTIFICATE_REQUIRED] tlsv13 alert"), RedisFault.TLS),
        (FileNotFoundError(2, "No such file or directory"), RedisFault.CERTIFICATE_FILE),
    ],
)
def test_each_error_of_a_connection_has_its_fault(error: Exception, fault: RedisFault) -> None:
    """The cause is found below the error of the call."""
    assert fault == advise(caused_by(error))[0]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("No master found for 'm' : auth:AuthenticationError", "the Sentinels refuse the login"),
        ("No master found for 'm' : network:UnsentError", "with rediss, that their ports have TLS"),
        ("No master found for 'm'", "SENTINEL MASTERS"),
        ("unknown command 'SENTINEL'", "this is a Redis, not a Sentinel"),
        ("certificate verify failed: IP address mismatch, certificate is not valid for '::1'", "not for this host"),
        ("certificate verify failed: Hostname mismatch, certificate is not valid for 'a'", "not for this host"),
        ("[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: certificate has expired", "renew"),
        ("[SSL: CERTIFICATE_VERIFY_FAILED] self-signed certificate in chain", "redis_ca_file must have the"),
        ("[X509: NO_CERTIFICATE_OR_CRL_FOUND] no certificate or crl found", "no certificate in PEM form"),
    ],
)
def test_errors_of_one_kind_have_their_own_advice(text: str, words: str) -> None:
    """The advice names the one thing that is wrong."""
    assert words in advise(caused_by(RedisConnectionError(text)))[1]


def test_a_server_without_cluster_mode_is_named_though_the_right_to_ask_is_missing(replied: Replied) -> None:
    """redis-py says the same of both."""
    error = RedisClusterException("Cluster mode is not enabled on this node")
    error.__context__ = replied("NOPERM this user has no permissions to run the 'cluster|slots' command")

    fault, advice = advise(caused_by(error))

    assert RedisFault.IS_NO_CLUSTER == fault
    assert "write redis:// in redis_url" in advice
    assert "+cluster|slots" in advice


@pytest.mark.parametrize(
    ("reply", "sentence"),
    [
        (
            "READONLY You can't write against a read only replica.",
            "READONLY You can't write against a read only replica",
        ),
        (
            "OOM command not allowed when used memory > 'maxmemory'.",
            "OOM command not allowed when used memory > 'maxmemory'",
        ),
    ],
)
def test_the_place_in_a_script_is_not_shown(replied: Replied, reply: str, sentence: str) -> None:
    """It is a place in the code of driftgauge, which no operator can change."""
    assert sentence == describe(replied(f"{reply} script: {'7a' * 20}, on @user_script:47."))


def test_the_code_of_a_reply_is_shown(replied: Replied) -> None:
    """redis-py removes it from the text."""
    assert describe(replied("MOVED 3999 127.0.0.1:6381")) == "MOVED 3999 127.0.0.1:6381"


def test_a_command_of_a_pipeline_is_not_shown() -> None:
    """It holds keys and values of requests."""
    error = RedisConnectionError("Command # 1 (EVAL ... secret) of pipeline caused error: OOM command not allowed")

    assert describe(error) == "OOM command not allowed"


def test_arguments_of_an_unknown_command_are_not_shown(replied: Replied) -> None:
    """Redis quotes the first arguments of a command that it does not know, which may be rows."""
    error = replied("ERR unknown command `XADD`, with args beginning with: `key`, `s3cret`, ")
    assert "unknown command `XADD`" == describe(error)


@pytest.mark.parametrize("action", ["load a state", "append rows within ASK MOVED [SSL"])
def test_the_words_of_a_call_are_no_fault(replied: Replied, action: str) -> None:
    """Only the error below counts."""
    failure = StorageError(f"Redis could not {action}: x")
    failure.__cause__ = replied("NOPERM no permission")

    assert RedisFault.PERMISSION == advise(failure)[0]
