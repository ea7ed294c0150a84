"""The option `forward_url`: its forms, its faults, and that no fault shows a secret."""

import json
from pathlib import Path

import pytest

from driftgauge.config.load import holds_password, load
from driftgauge.config.options import LoggerConfig, split_urls
from driftgauge.errors import ConfigError


def urls_of(flags: dict[str, str], yaml: Path | None = None) -> list[str]:
    """The URLs of a configuration."""
    config = load("logger", flags, (), yaml)
    assert isinstance(config, LoggerConfig)
    return split_urls(config.forward_url)


def test_none_by_default() -> None:
    """Without the option events are not sent on."""
    assert [] == urls_of({})


def test_several_in_a_flag() -> None:
    """Commas separate URLs; spaces beside them do not count."""
    assert ["http://a:1/x", "https://b/y?z=1"] == urls_of({"forward_url": "http://a:1/x, https://b/y?z=1,"})


@pytest.mark.parametrize("text", ["forward_url: 'http://a,http://b'", "forward_url: [http://a, http://b]"])
def test_in_the_file(text: str, tmp_path: Path) -> None:
    """The file has a text or a list."""
    file = tmp_path / "options.yaml"
    file.write_text(text)
    assert ["http://a", "http://b"] == urls_of({}, file)


def test_list_in_a_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    """A variable may hold a list in JSON, which the chart writes."""
    monkeypatch.setenv("DRIFTGAUGE_FORWARD_URL", json.dumps(["http://a", "http://b"]))
    assert ["http://a", "http://b"] == urls_of({})


@pytest.mark.parametrize(
    "text",
    ["ftp://u:s3cret@a", "a/s3cret", "http://:s3cret@", "http://a:x/s3cret", "http://a#s3cret", "http://s3cret\x7f.b"],
)
def test_fault_without_the_value(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A URL that cannot be used is one fault, which does not quote it."""
    monkeypatch.setenv("DRIFTGAUGE_FORWARD_URL", f"http://good,{text}")
    with pytest.raises(ConfigError) as caught:
        load("logger", {})
    (fault,) = caught.value.faults
    assert fault.startswith("forward_url: ")
    assert "s3cret" not in fault


def test_named_twice() -> None:
    """The same URL twice would send each event twice."""
    with pytest.raises(ConfigError, match="forward_url: names a URL twice"):
        load("logger", {"forward_url": "http://a,http://a"})


@pytest.mark.parametrize("text", ["http://b,http://u:s3cret@a", "http://b,http://a/?access_token=s3cret"])
def test_password_in_a_flag(text: str) -> None:
    """Every process of the machine can read flags, so a secret in any of the URLs is refused there."""
    with pytest.raises(ConfigError) as caught:
        load("logger", {"forward_url": text})
    assert "forward_url: a flag must hold no password" in str(caught.value)
    assert "s3cret" not in str(caught.value)
    assert holds_password(text)
