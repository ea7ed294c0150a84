"""The options: their sources, the order of the sources, and values that a source may have."""

from pathlib import Path

import pytest

from driftgauge.config.load import load
from driftgauge.config.options import LoggerConfig, ProxyConfig
from driftgauge.protocol.missing_words import split_words
from tests.support.refused_options import faults_of


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


def test_an_option_of_the_other_mode_is_ignored_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """One ConfigMap may serve sidecars and loggers."""
    monkeypatch.setenv("DRIFTGAUGE_UPSTREAM_URL", "http://127.0.0.1:1234")

    assert isinstance(load("logger", {}), LoggerConfig)


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
