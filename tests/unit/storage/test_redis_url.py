"""The three forms of the URL of Redis, and what must go together with it."""

from dataclasses import astuple
from pathlib import Path
from typing import Any

import pytest
from redis.exceptions import ConnectionError as RedisConnectionError

from driftgauge.errors import ConfigError
from driftgauge.storage.redis_access import Access, Login
from driftgauge.storage.redis_client import connect
from driftgauge.storage.redis_faults import advise
from driftgauge.storage.redis_url import Mode, parse_redis_url

PASSWORD = "s3cret-but-long"  # noqa: S105 - of no server


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("redis://h", (Mode.SERVER, False, (("h", 6379),), "", {"db": 0})),
        ("rediss://h:1/2", (Mode.SERVER, True, (("h", 1),), "", {"db": 2})),
        ("redis://[::1]:7", (Mode.SERVER, False, (("::1", 7),), "", {"db": 0})),
        (
            "redis://u:p%40%2F@h/0",
            (Mode.SERVER, False, (("h", 6379),), "", {"db": 0, "username": "u", "password": "p@/"}),
        ),
        (
            "rediss://h/?ssl_check_hostname=False",
            (Mode.SERVER, True, (("h", 6379),), "", {"db": 0, "ssl_check_hostname": False}),
        ),
        (
            "rediss://h?ssl_ca_certs=/etc/ca.pem",
            (Mode.SERVER, True, (("h", 6379),), "", {"db": 0, "ssl_ca_certs": "/etc/ca.pem"}),
        ),
        (
            "rediss+cluster://a,b:5?ssl_ca_certs=/etc/ca.pem",
            (Mode.CLUSTER, True, (("a", 6379), ("b", 5)), "", {"db": 0, "ssl_ca_certs": "/etc/ca.pem"}),
        ),
        (
            "redis+sentinel://a,b:5,[::1]:6/my%20master/3",
            (Mode.SENTINEL, False, (("a", 26379), ("b", 5), ("::1", 6)), "my master", {"db": 3}),
        ),
        (
            "rediss+sentinel://:p@a/m?ssl_ca_certs=/ca.pem",
            (Mode.SENTINEL, True, (("a", 26379),), "m", {"db": 0, "password": "p", "ssl_ca_certs": "/ca.pem"}),
        ),
        (
            "redis+cluster://u:p@a,b:5/0",
            (Mode.CLUSTER, False, (("a", 6379), ("b", 5)), "", {"db": 0, "username": "u", "password": "p"}),
        ),
        ("rediss+cluster://a", (Mode.CLUSTER, True, (("a", 6379),), "", {"db": 0})),
    ],
)
def test_each_form_is_parsed(url: str, expected: tuple[object, ...]) -> None:
    """Ports and the number of the database have defaults."""
    assert expected == astuple(parse_redis_url(url))


@pytest.mark.parametrize(
    "url",
    [
        f"redis://:{PASSWORD}@a,b",
        f"redis://:{PASSWORD}@a/x",
        f"redis://:{PASSWORD}@a/-1",
        f"redis://:{PASSWORD}@a:99999",
        f"redis://:{PASSWORD}@a?ssl_ca_certs=x",
        f"rediss://:{PASSWORD}@a?timeout=1",
        f"redis+sentinel://:{PASSWORD}@a",
        f"redis+sentinel://:{PASSWORD}@a/m/x",
        f"redis+sentinel://:{PASSWORD}@/m",
        f"redis+cluster://:{PASSWORD}@a/1",
        f"redis+cluster://:{PASSWORD}@a,,b",
        f"redis+proxy://:{PASSWORD}@a",
        f"redis://:{PASSWORD}@a#x",
        PASSWORD,
    ],
)
def test_what_is_no_url_is_refused_without_being_shown(url: str) -> None:
    """The sentence shows the form of its scheme."""
    with pytest.raises(ConfigError, match=r"^redis_url: must be redis") as caught:
        parse_redis_url(url)

    assert PASSWORD not in str(caught.value)


CONFLICTS: dict[str, tuple[str, dict[str, Any]]] = {
    "redis_username: redis_url has a user already": ("redis://u@h", {"login": Login("v")}),
    "redis_password_file: there is a password in redis_password or redis_url already": (
        "redis://:p@h",
        {"login": Login(password_file=Path("password"))},
    ),
    "redis_sentinel_password_file: redis_sentinel_password is set too": (
        "redis+sentinel://h/m",
        {"sentinel_login": Login(password="p", password_file=Path("password"))},  # noqa: S106 - of no server
    ),
    "redis_password: redis_url has another password": ("redis://:p@h", {"login": Login(password="q")}),  # noqa: S106 - of no server
    "redis_sentinel_username: only with redis+sentinel:// in redis_url": ("redis://h", {"sentinel_login": Login("v")}),
    "redis_sentinel_password: only with redis+sentinel:// in redis_url": (
        "redis://h",
        {"sentinel_login": Login(password="p")},  # noqa: S106 - of no server
    ),
    "only with TLS; write rediss in redis_url": ("redis://h", {"ca_file": Path(__file__)}),
    "redis_key_file: needs redis_cert_file": ("rediss://h", {"key_file": Path(__file__)}),
    "redis_ca_file: /none/ca.pem cannot be read: No such file": ("rediss://h", {"ca_file": Path("/none/ca.pem")}),
    "redis_password_file: /none/pw cannot be read": ("redis://h", {"login": Login(password_file=Path("/none/pw"))}),
}


@pytest.mark.parametrize(("words", "given"), CONFLICTS.items(), ids=CONFLICTS)
def test_what_does_not_go_together_is_refused(
    words: str, given: tuple[str, dict[str, Any]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One sentence names the option and what to do."""
    monkeypatch.chdir(tmp_path)
    Path("password").write_text("p\n")
    url, access = given
    with pytest.raises(ConfigError) as caught:
        connect(url, 1, Access(**access))

    assert [True] == [words in fault for fault in caught.value.faults]


async def test_the_same_password_twice_is_no_fault() -> None:
    """A Secret may hold a URL with the password beside the password."""
    client = connect("redis://:p@h", 1, Access(Login(password="p")))  # noqa: S106 - of no server
    await client.aclose()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "it is empty"),
        (b"\r\n", "it is empty"),
        (b"one\ntwo\n", "it has several lines"),
        (b"hunter2 \n", "its line ends with a blank"),
        (b"hunter2\t\r\n", "its line ends with a blank"),
        (b"\xff\xfehunter2", "it is no UTF-8"),
    ],
)
@pytest.mark.parametrize("option", ["redis_password_file", "redis_sentinel_password_file"])
def test_a_file_that_is_more_or_less_than_a_password_is_refused(
    tmp_path: Path, content: bytes, words: str, option: str
) -> None:
    """The sentence names the file and the rule, and shows nothing of the file."""
    file = tmp_path / "password"
    file.write_bytes(content)
    login = Login(password_file=file)
    access = Access(sentinel_login=login) if "sentinel" in option else Access(login)
    with pytest.raises(ConfigError) as caught:
        connect("redis+sentinel://h/m", 1, access)

    (fault,) = caught.value.faults
    assert fault.startswith(f"{option}: {file} must be the password in a single line")
    assert fault.endswith(words)
    assert "hunter2" not in fault


@pytest.mark.parametrize("content", ["hunter2", "hunter2\n", "hunter2\r\n"])
async def test_a_line_ending_is_no_part_of_a_password(tmp_path: Path, content: str) -> None:
    """Editors add one."""
    file = tmp_path / "password"
    file.write_bytes(content.encode())
    provider = Login(password_file=file).options()["credential_provider"]

    assert ("hunter2",) == await provider.get_credentials_async()


async def test_a_file_that_is_spoiled_later_is_named(tmp_path: Path) -> None:
    """The next connection says so, with what to do."""
    file = tmp_path / "password"
    file.write_text("one\ntwo")
    with pytest.raises(RedisConnectionError, match="it has several lines") as caught:
        await Login(password_file=file).options()["credential_provider"].get_credentials_async()

    assert "write the password alone into the file" in advise(caught.value)[1]
