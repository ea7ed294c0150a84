"""The faults of options: each is one sentence with the option and the rule, and shows no secret."""

from pathlib import Path

import pytest

from driftgauge.config.load import load
from tests.support.refused_options import faults_of


def test_every_fault_of_every_source_is_listed_at_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The errors of flags, variables and file come in one list."""
    yaml = tmp_path / "driftgauge.yaml"
    yaml.write_text("correctoin: holm\nwindow_rows: 100\n")
    monkeypatch.setenv("DRIFTGAUGE_WINDOWROWS", "3")
    monkeypatch.setenv("DRIFTGAUGE_ALPHA", "7")

    faults = faults_of({"correction": "foo", "upstream_url": "ftp://x"}, "--nope", yaml=yaml)

    assert [fault.split(":")[0] for fault in faults] == [
        "--nope",
        "DRIFTGAUGE_WINDOWROWS",
        "config",
        "min_rows",
        "alpha",
        "correction",
        "upstream_url",
    ]


@pytest.mark.parametrize(
    ("option", "value", "rule"),
    [
        ("port", "70000", "less than or equal to 65535"),
        ("port", "http", "valid integer"),
        ("admin_port", "8080", "must differ from port"),
        ("window_rows", "0", "greater than or equal to 1"),
        ("min_rows", "2001", "must not be more than window_rows"),
        ("evaluation_interval_seconds", "0", "greater than 0"),
        ("evaluation_interval_seconds", "nan", "finite number"),
        ("alpha", "0", "greater than 0"),
        ("alpha", "1", "less than 1"),
        ("correction", "bonferoni", "'holm', 'bh', 'bonferroni' or 'none'"),
        ("sample_ratio", "1.5", "less than or equal to 1"),
        ("upstream_url", "grpc://127.0.0.1:9000", "gRPC is not carried"),
        ("upstream_url", "http://127.0.0.1:8085/v1", "without a path"),
        ("upstream_url", "127.0.0.1:8085", "must be http://host:port"),
        ("upstream_url", "http://user:hunter2@127.0.0.1:8085", "must hold no user and no password"),
        ("upstream_url", "http://user@127.0.0.1:8085", "must hold no user and no password"),
        ("upstream_url", "http://127.0.0.1:99999", "is not a URL"),
        ("redis_url", "http://redis", "must be redis://"),
        *((("redis_url", f"redis://{text}@redis:6379/0", "percent-encoded")) for text in ("a/b", "a?b", "a#b")),
        ("component", "router", "'predictor', 'transformer' or 'explainer'"),
        ("log_level", "loud", "'debug', 'info', 'warning' or 'error'"),
    ],
)
def test_a_wrong_value_is_reported_with_its_option_and_its_rule(option: str, value: str, rule: str) -> None:
    """The message names the option and what it must be."""
    faults = faults_of({option: value})

    assert len(faults) == 1
    assert faults[0].startswith(option + ": ")
    assert rule in faults[0]


def test_two_places_for_the_reference_are_refused() -> None:
    """A file and a directory at once are ambiguous."""
    faults = faults_of({"reference": "a.csv", "reference_dir": "refs"}, mode="logger")

    assert [fault.split(";")[0] for fault in faults] == ["reference_dir: give reference or reference_dir, not both"]


@pytest.mark.parametrize("text", ["- a\n- b\n", "a: [\n", "just words\n"])
def test_a_file_that_is_no_mapping_is_refused_and_hides_no_other_fault(tmp_path: Path, text: str) -> None:
    """The errors of the other sources are still listed."""
    yaml = tmp_path / "driftgauge.yaml"
    yaml.write_text(text)

    faults = faults_of({"alpha": "7"}, yaml=yaml)

    assert [fault.split(":")[0] for fault in faults] == ["config", "alpha"]


def test_a_missing_file_is_reported(tmp_path: Path) -> None:
    """The message names the path."""
    assert faults_of(yaml=tmp_path / "none.yaml") == (f"config: {tmp_path / 'none.yaml'} is not a file",)


def test_a_password_in_a_flag_is_refused_without_showing_it() -> None:
    """A command line can be read by every process of the machine."""
    faults = faults_of({"redis_url": "redis://:hunter2@redis:6379/0"})

    assert len(faults) == 1
    assert "DRIFTGAUGE_REDIS_PASSWORD" in faults[0]
    assert "hunter2" not in faults[0]


@pytest.mark.parametrize("password", ["hun/ter2", "hun?ter2", "hun#ter2", "hun@ter2"])
@pytest.mark.parametrize("as_flag", [True, False])
def test_no_part_of_a_password_with_reserved_characters_is_shown(
    monkeypatch: pytest.MonkeyPatch,
    password: str,
    as_flag: bool,  # noqa: FBT001
) -> None:
    """Generated passwords have such characters, and a fault of the URL must not print them into the log of a pod."""
    url = f"redis://driftgauge:{password}@redis:port/0"
    if not as_flag:
        monkeypatch.setenv("DRIFTGAUGE_REDIS_URL", url)
    faults = " ".join(faults_of({"redis_url": url} if as_flag else {}))

    assert "redis_url: " in faults
    assert not any(part in faults for part in ("hun", "ter2"))


@pytest.mark.parametrize(
    "url",
    [
        "http://user:hunter2@127.0.0.1:8085",
        "http://:hunter2@127.0.0.1",
        "https://hunter2@model",
        "http://user:hunter2@127.0.0.1:99999",
        "http://user:hunter2@[::1",
        "http://user:/hunter2@model:8085",
        "grpc://user:hunter2@127.0.0.1:9000",
        "user:hunter2@127.0.0.1:8085",
    ],
)
def test_a_password_of_the_model_server_is_not_shown(url: str) -> None:
    """A URL of the model server with a user or a password is refused in one sentence that shows neither."""
    faults = faults_of({"upstream_url": url})

    assert 1 == len(faults)
    assert faults[0].startswith("upstream_url: ")
    assert "hunter2" not in faults[0]


def test_a_broken_file_is_not_quoted(tmp_path: Path) -> None:
    """The error of a file that cannot be read has the line and the column, and no text of the file."""
    yaml = tmp_path / "driftgauge.yaml"
    yaml.write_text("redis_password: hunter2: x\n")

    (fault,) = faults_of(yaml=yaml)

    assert "line 1" in fault
    assert "hunter2" not in fault


def test_a_value_of_an_unknown_flag_is_not_shown() -> None:
    """An unknown flag is named without its value, since secrets are no flags but may be given as one."""
    rule = "every process of a machine can read a flag: set DRIFTGAUGE_REDIS_PASSWORD"
    sentence = f"--redis-password: unknown option of driftgauge proxy; {rule}"

    assert (sentence,) == faults_of({}, "--redis-password=hunter2")
    assert (sentence, "--x: unknown option of driftgauge proxy") == faults_of({}, "--redis-password", "hunter2", "--x")
    assert ("proxy2: unknown option of driftgauge proxy",) == faults_of({}, "proxy2")


@pytest.mark.parametrize(
    ("flag", "end"),
    [
        ("--widow-rows", "; did you mean --window-rows?"),
        ("--window_rows", "; did you mean --window-rows?"),
        ("--Port", "; did you mean --port?"),
        ("port=80", "; did you mean --port?"),
        ("--max-event-bytes", "; only driftgauge logger has it"),
        ("--redis-pasword", "; every process of a machine can read a flag: set DRIFTGAUGE_REDIS_PASSWORD"),
        ("--zzz", ""),
    ],
)
def test_an_unknown_flag_comes_with_the_one_that_was_meant(flag: str, end: str) -> None:
    """The nearest flag of the mode is named, or the mode that has the flag; nothing where none is like it."""
    assert (f"{flag}: unknown option of driftgauge proxy{end}",) == faults_of({}, flag)


@pytest.mark.parametrize(
    ("variable", "hint"),
    [
        ("DRIFTGAUGE_PROT", "did you mean DRIFTGAUGE_PORT?"),
        ("DRIFTGAUGE_REDISPASSWORD", "did you mean DRIFTGAUGE_REDIS_PASSWORD?"),
        ("DRIFTGAUGE_X", "`driftgauge options` lists the known ones"),
    ],
)
def test_an_unknown_variable_comes_with_the_one_that_was_meant(
    monkeypatch: pytest.MonkeyPatch, variable: str, hint: str
) -> None:
    """The nearest variable is named, else the command that lists all."""
    monkeypatch.setenv(variable, "hunter2")

    assert (f"{variable}: unknown variable; {hint}",) == faults_of()


def test_an_unknown_key_comes_with_the_one_that_was_meant(tmp_path: Path) -> None:
    """The nearest key of the file is named."""
    yaml = tmp_path / "driftgauge.yaml"
    yaml.write_text("correctoin: holm\nzzz: 1\n")

    assert (
        f"config: {yaml} has an unknown key 'correctoin'; did you mean correction?",
        f"config: {yaml} has an unknown key 'zzz'",
    ) == faults_of({}, yaml=yaml)


@pytest.mark.parametrize(
    "option",
    ["username", "password", "password_file", "sentinel_username", "sentinel_password", "ca_file", "cert_file"],
)
def test_a_login_of_redis_without_its_url_is_refused(option: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A URL that was forgotten would cost the rows that replicas share."""
    monkeypatch.setenv(f"DRIFTGAUGE_REDIS_{option.upper()}", "hunter2")

    assert (f"redis_{option}: needs redis_url, without which rows are kept in memory",) == faults_of()
    monkeypatch.setenv("DRIFTGAUGE_REDIS_URL", "redis://redis")
    assert load("proxy", {}).redis_url is not None


def test_a_bad_url_of_redis_is_the_one_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    """The login is not said to lack a URL."""
    monkeypatch.setenv("DRIFTGAUGE_REDIS_PASSWORD", "hunter2")

    (fault,) = faults_of({"redis_url": "http://redis"})
    assert fault.startswith("redis_url: must be")


def test_a_certificate_without_its_key_has_no_value_in_its_sentence() -> None:
    """The option that the sentence is about is not set."""
    assert ("tls_key_file: give tls_cert_file and tls_key_file together",) == faults_of({"tls_cert_file": "cert.pem"})
