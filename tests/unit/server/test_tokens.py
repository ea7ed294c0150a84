"""Which tokens are valid, and in which places of a request."""

from pathlib import Path

import pytest

from driftgauge.errors import ConfigError
from driftgauge.server.tokens import Tokens


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A file with two tokens, an empty line and spaces."""
    file = tmp_path / "tokens"
    file.write_text("old-token.1~+/==\n\n  new-token \r\n")
    return file


@pytest.mark.parametrize(
    ("authorization", "expected"),
    [
        (b"Bearer old-token.1~+/==", True),
        (b"bearer   new-token ", True),
        (b"Bearer new-toke", False),
        (b"Bearer new-token2", False),
        (b"Bearer ", False),
        (b"Bearer", False),
        (b"", False),
        (b"new-token", False),
        (b"Basic new-token", False),
        (b"Bearer new-token, Bearer new-token", False),
        (b"Bearer \xff", False),
    ],
)
def test_header(file: Path, authorization: bytes, expected: bool) -> None:  # noqa: FBT001 - a parameter of the test
    """The header has the scheme Bearer in any case, and one of the tokens exactly."""
    assert expected == Tokens("token_file", file, None).admits({b"authorization": authorization})


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        (b"/?access_token=new-token", True),
        (b"/events?tenant=a&access_token=new-token&x=y", True),
        (b"/?access_token=old-token.1~%2B/%3D%3D", True),
        (b"/?access_token=wrong", False),
        (b"/?access_token=", False),
        (b"/?xaccess_token=new-token", False),
        (b"/?access_token=new-token&access_token=new-token", False),
        (b"/access_token=new-token", False),
        (b"/new-token", False),
        (b"/?" + b"&" * 200 + b"access_token=new-token", False),
        (b"*", False),
    ],
)
def test_query(file: Path, target: bytes, expected: bool) -> None:  # noqa: FBT001 - as above
    """A sender without the header may have the token once in the query."""
    assert expected == Tokens("token_file", file, None).admits({}, target)


def test_wrong_header_beside_a_valid_query(file: Path) -> None:
    """The header counts where there is one."""
    assert not Tokens("token_file", file, None).admits({b"authorization": b"Bearer x"}, b"/?access_token=new-token")


def test_file_and_option(file: Path) -> None:
    """Both a token of the file and that of the option are valid."""
    tokens = Tokens("token_file", file, "mine")
    assert [True, True, False] == [tokens.accepts(one) for one in (b"mine", b"new-token", None)]


def test_exchange_of_tokens(file: Path) -> None:
    """While both tokens are in the file both are valid; the old one is not once it is gone."""
    tokens = Tokens("token_file", file, None)
    file.write_text("new-token\nnewest")
    tokens.reload()
    assert [False, True, True] == [tokens.accepts(one) for one in (b"old-token.1~+/==", b"new-token", b"newest")]


@pytest.mark.parametrize("content", [b"", b"\n \n", b"two words", b"s3cret\xff", b"x" * (2**20 + 1)])
def test_file_that_cannot_be_used(file: Path, content: bytes, caplog: pytest.LogCaptureFixture) -> None:
    """At the start it is a fault; later the tokens before stay valid, and one line says why without the content."""
    tokens = Tokens("token_file", file, None)
    file.write_bytes(content)
    tokens.reload()
    tokens.reload()
    assert tokens.accepts(b"new-token")
    assert 1 == len(caplog.records)
    with pytest.raises(ConfigError, match=r"^token_file: ") as caught:
        Tokens("token_file", file, None)
    assert "s3cret" not in caplog.text + str(caught.value)


def test_file_that_is_gone(file: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A file that is gone for a while leaves the tokens valid; when it is back it is read."""
    tokens = Tokens("token_file", file, None)
    file.unlink()
    tokens.reload()
    tokens.reload()
    file.write_text("back")
    tokens.reload()
    assert [True, False] == [tokens.accepts(one) for one in (b"back", b"new-token")]
    assert 1 == sum(record.levelname == "ERROR" for record in caplog.records)
