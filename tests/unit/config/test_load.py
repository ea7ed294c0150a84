"""The options: their sources, the order of the sources, and their errors."""

from pathlib import Path

import pytest

from driftgauge.config.load import load
from driftgauge.config.options import LoggerConfig, ProxyConfig
from driftgauge.errors import ConfigError
from driftgauge.protocol.missing_words import split_words


@pytest.fixture(autouse=True)
def _empty_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PORT", "INFERENCE_SERVICE_NAME", "K_REVISION"):
        monkeypatch.delenv(name, raising=False)


def faults_of(
    flags: dict[str, str] | None = None, *unknown: str, yaml: Path | None = None, mode: str = "proxy"
) -> tuple[str, ...]:
    """The errors of a configuration that must have some."""
    with pytest.raises(ConfigError) as caught:
        load(mode, flags or {}, unknown, yaml)
    return caught.value.faults


def test_no_source_at_all_gives_the_documented_defaults() -> None:
    """Without flags, variables and file, the defaults of the README apply."""
    config = load("proxy", {})

    assert isinstance(config, ProxyConfig)
    assert (8080, 9464, "http://127.0.0.1:8085", 2000, 200, 30, 0.05, "holm") == (
        config.port,
        config.admin_port,
        config.upstream_url,
        config.window_rows,
        config.min_rows,
        config.evaluation_interval_seconds,
        config.alpha,
        config.correction,
    )


def test_flags_win_over_the_environment_and_that_over_the_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Each source overrides the next one."""
    yaml = tmp_path / "driftgauge.yaml"
    yaml.write_text("window_rows: 500\nalpha: 0.01\nmin_rows: 50\n")
    monkeypatch.setenv("DRIFTGAUGE_ALPHA", "0.02")
    monkeypatch.setenv("DRIFTGAUGE_MIN_ROWS", "60")

    config = load("proxy", {"min_rows": "70"}, yaml=yaml)

    assert (500, 0.02, 70) == (config.window_rows, config.alpha, config.min_rows)


def test_the_platform_names_the_port_and_the_service(monkeypatch: pytest.MonkeyPatch) -> None:
    """Knative's PORT and KServe's INFERENCE_SERVICE_NAME are read where the option's own variable is not set."""
    monkeypatch.setenv("PORT", "8012")
    monkeypatch.setenv("INFERENCE_SERVICE_NAME", "wine")

    config = load("proxy", {})

    assert isinstance(config, ProxyConfig)
    assert (8012, "wine") == (config.port, config.inference_service)


def test_the_platform_names_the_revision(monkeypatch: pytest.MonkeyPatch) -> None:
    """Knative's K_REVISION is read if the option's own variable is not set; the logger has no such option."""
    monkeypatch.setenv("K_REVISION", "wine-predictor-00002")
    found = [load("proxy", flags) for flags in ({}, {"revision": "v2"})]
    load("logger", {})

    assert ["wine-predictor-00002", "v2"] == [config.revision for config in found if isinstance(config, ProxyConfig)]


@pytest.mark.parametrize(
    ("revision", "sentence"),
    [
        ("a\nb", "revision: must be text without control characters; it is 'a\\nb'"),
        ("(other)", "revision: must not be the name that stands for all other ones; it is '(other)'"),
        ("x" * 254, "revision: string should have at most 253 characters"),
    ],
)
def test_a_revision_is_a_name(revision: str, sentence: str) -> None:
    """It becomes a label and a part of keys."""
    (fault,) = faults_of({"revision": revision})

    assert fault.startswith(sentence)


def test_the_options_own_variable_wins_over_the_platforms(monkeypatch: pytest.MonkeyPatch) -> None:
    """DRIFTGAUGE_PORT goes before PORT."""
    monkeypatch.setenv("PORT", "8012")
    monkeypatch.setenv("DRIFTGAUGE_PORT", "8013")

    assert load("proxy", {}).port == 8013


@pytest.mark.parametrize("service", ["DRIFTGAUGE", "DRIFTGAUGE_LOGGER", "DRIFTGAUGE_ADMIN", "DRIFTGAUGE_WINE_2"])
def test_the_service_links_of_kubernetes_are_no_options(monkeypatch: pytest.MonkeyPatch, service: str) -> None:
    """A Service whose name begins with driftgauge puts variables of our prefix into every pod; they are ignored."""
    links = {
        "PORT": "tcp://10.0.0.7:80",
        "PORT_80_TCP": "tcp://10.0.0.7:80",
        "PORT_80_TCP_ADDR": "10.0.0.7",
        "PORT_80_TCP_PORT": "80",
        "PORT_80_TCP_PROTO": "tcp",
        "SERVICE_HOST": "10.0.0.7",
        "SERVICE_PORT": "80",
        "SERVICE_PORT_HTTP": "80",
    }
    for name, value in links.items():
        monkeypatch.setenv(f"{service}_{name}", value)
    monkeypatch.setenv("PORT", "8012")

    assert load("proxy", {}).port == 8012


def test_an_empty_variable_counts_as_unset(monkeypatch: pytest.MonkeyPatch) -> None:
    """A chart may render a variable without a value."""
    monkeypatch.setenv("DRIFTGAUGE_REDIS_URL", "")

    assert load("logger", {}).redis_url is None


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


def test_an_option_of_the_other_mode_is_ignored_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """One ConfigMap may serve sidecars and loggers."""
    monkeypatch.setenv("DRIFTGAUGE_UPSTREAM_URL", "http://127.0.0.1:1234")

    assert isinstance(load("logger", {}), LoggerConfig)


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


def test_secrets_are_never_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither an error nor the text of the configuration shows a secret."""
    monkeypatch.setenv("DRIFTGAUGE_REDIS_URL", "http://user:hunter2@redis")
    monkeypatch.setenv("DRIFTGAUGE_REDIS_PASSWORD", "hunter2")

    faults = faults_of()

    assert "hunter2" not in "".join(faults)
    monkeypatch.setenv("DRIFTGAUGE_REDIS_URL", "redis://user:hunter2@redis")
    assert "hunter2" not in repr(load("proxy", {}))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("missing_words: NA, unknown", {"NA", "unknown"}),
        ("missing_words: [NA, -999, 'a,b', ' x']", {"NA", "-999", "a,b", " x"}),
        ("missing_words: []", set()),
        ("missing_words: -999", {"-999"}),
    ],
)
def test_words_in_the_file(text: str, words: set[str], tmp_path: Path) -> None:
    """A list of YAML, or a text with commas."""
    yaml = tmp_path / "driftgauge.yaml"
    yaml.write_text(text)

    assert words == split_words(load("logger", {}, yaml=yaml).missing_words)


def test_words_in_a_flag() -> None:
    """With commas between them."""
    assert {"NA", "unknown"} == split_words(load("proxy", {"missing_words": "NA,unknown"}).missing_words)


@pytest.mark.parametrize("name", ["Mars/Olympus", "Europe", "../UTC", "/etc/localtime", "Europe/Berlin\0"])
def test_an_unknown_time_zone_is_refused(name: str) -> None:
    """The sentence shows what is meant; a path is no name."""
    assert ("rhythm_timezone: is not the name of a time zone, such as UTC or Europe/Berlin",) == tuple(
        fault.partition(";")[0] for fault in faults_of({"rhythm_timezone": name})
    )


def test_times_of_references() -> None:
    """By default files have no times, and the hours of the day are those of UTC."""
    config = load("proxy", {"rhythm_timezone": "Asia/Kolkata", "time_column": "ts"})

    assert ("UTC", "", False) == (
        load("logger", {}).rhythm_timezone,
        load("logger", {}).time_column,
        load("logger", {}).reference_ordered,
    )
    assert ("Asia/Kolkata", "ts") == (config.rhythm_timezone, config.time_column)


@pytest.mark.parametrize("text", ["missing_words: [null]", "missing_words: [true]", "missing_words: [[a]]"])
def test_words_that_are_none(text: str, tmp_path: Path) -> None:
    """YAML reads some words as values of other types."""
    yaml = tmp_path / "driftgauge.yaml"
    yaml.write_text(text)

    assert faults_of(yaml=yaml)[0].startswith("missing_words: must be words, with commas between them or as a list")
