"""Which mode and options the doctor checks where no process runs."""

from pathlib import Path

import pytest

from driftgauge.cli.doctor.find_configuration import Situation, Sources, find_configuration
from driftgauge.cli.doctor.finding import Finding, Level, fail, ok
from driftgauge.config.options import LoggerConfig, ProxyConfig
from tests.support.ports import free_port


@pytest.fixture(autouse=True)
def _empty_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PORT", "INFERENCE_SERVICE_NAME"):
        monkeypatch.delenv(name, raising=False)


async def found(
    mode: str = "", *, file: Path | None = None, flags: dict[str, str] | None = None
) -> tuple[Situation, list[Finding]]:
    """What the doctor finds with some flags; nothing listens on the admin port."""
    return await find_configuration(Sources(mode, {"admin_port": str(free_port())} | (flags or {}), file))


@pytest.mark.parametrize(
    ("flags", "mode"),
    [
        ({}, "proxy"),
        ({"upstream_url": "http://127.0.0.1:1"}, "proxy"),
        ({"pair_ttl_seconds": "9"}, "logger"),
        ({"reference_dir": "/references"}, "logger"),
        ({"reference_dir": "/references", "upstream_url": "http://127.0.0.1:1"}, "proxy"),
    ],
)
async def test_the_mode_is_the_one_that_the_options_belong_to(flags: dict[str, str], mode: str) -> None:
    """An option of one mode decides, and a directory of references is most often the logger's; else the proxy."""
    situation, _ = await found(flags=flags)

    assert mode == situation.mode
    assert isinstance(situation.config, ProxyConfig if mode == "proxy" else LoggerConfig)


async def test_variables_decide_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """KServe names the InferenceService in the pod of a model."""
    monkeypatch.setenv("DRIFTGAUGE_MAX_EVENT_BYTES", "9")
    logger, _ = await found()
    monkeypatch.setenv("INFERENCE_SERVICE_NAME", "wine")
    proxy, _ = await found()

    assert ("logger", "proxy") == (logger.mode, proxy.mode)


async def test_a_mode_that_is_given_counts() -> None:
    """An option that it does not have is a fault."""
    situation, findings = await found("logger", flags={"upstream_url": "http://127.0.0.1:1"})

    assert situation.config is None
    sentence = "--upstream-url: unknown option of driftgauge logger; only driftgauge proxy has it"
    assert [fail("configuration", sentence)] == findings


async def test_every_fault_is_a_finding(tmp_path: Path) -> None:
    """Of flags and of the file."""
    file = tmp_path / "driftgauge.yaml"
    file.write_text("correctoin: holm\n")
    _, findings = await found(file=file, flags={"alpha": "7"})

    assert [fail("configuration", f"config: {file} has an unknown key 'correctoin'; did you mean correction?")] == (
        findings[:1]
    )
    assert findings[1].sentence.startswith("alpha: ")


async def test_valid_options_are_ok(tmp_path: Path) -> None:
    """The line names mode and file."""
    file = tmp_path / "driftgauge.yaml"
    file.write_text("correction: holm\n")
    _, findings = await found(file=file)

    assert [ok("configuration", f"the options of driftgauge proxy are valid, file {file}")] == findings


async def test_the_admin_port_is_looked_for_with_faults_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """The process that runs may have better options than the command."""
    monkeypatch.setenv("DRIFTGAUGE_HOST", "::1")
    good, _ = await find_configuration(Sources("", {"admin_port": "1"}, None))
    bad, _ = await find_configuration(Sources("", {"admin_port": "2", "alpha": "7"}, None))
    worse, _ = await find_configuration(Sources("", {"admin_port": "x"}, None))

    assert ("http://[::1]:1", "http://127.0.0.1:2", "http://127.0.0.1:9464") == (
        good.admin_url,
        bad.admin_url,
        worse.admin_url,
    )


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        ({"redis_url": "redis+sentinel://h"}, "redis_url: must be redis+sentinel://"),
        ({"redis_url": "redis+cluster://h/1"}, "redis_url: must be redis+cluster://"),
        ({"redis_url": "rediss://h", "redis_ca_file": "/none/ca.pem"}, "redis_ca_file: /none/ca.pem cannot be read"),
        ({"redis_ca_file": "/none/ca.pem"}, "redis_ca_file: needs redis_url"),
    ],
)
async def test_what_the_start_refuses_in_the_options_of_redis_is_a_fault(flags: dict[str, str], words: str) -> None:
    """Nothing is connected for it."""
    situation, findings = await found("proxy", flags=flags)

    assert situation.config is None
    assert ["configuration"] == [finding.check for finding in findings]
    assert Level.FAIL == findings[0].level
    assert findings[0].sentence.startswith(words)


async def test_the_url_of_redis_may_be_a_flag_of_the_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Before the process is asked for its flags, a password in the environment hides neither its port nor its token."""
    monkeypatch.setenv("DRIFTGAUGE_REDIS_PASSWORD", "hunter2")
    port = str(free_port())
    monkeypatch.setenv("DRIFTGAUGE_TLS_CERT_FILE", "cert.pem")
    monkeypatch.setenv("DRIFTGAUGE_TLS_KEY_FILE", "key.pem")
    situation, _ = await found(flags={"admin_port": port})

    assert f"https://127.0.0.1:{port}" == situation.admin_url
