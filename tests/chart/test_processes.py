"""The rendered pods run as processes: command, arguments, variables, files and probes are those rendered."""

import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from redis import Redis
from redis.exceptions import AuthenticationError

from tests.support.agent import Event, post
from tests.support.helm import LOGGERS, Release, only_container, render, scenario, scenario_values
from tests.support.kubelet import Container, Secrets, mount_references
from tests.support.models import WINE
from tests.support.parts import program
from tests.support.ports import free_port
from tests.support.processes import get
from tests.support.redis_server import RedisServer
from tests.support.redis_tls import RedisCertificates
from tests.support.scrape import Samples
from tests.support.waiting import wait_until

PROBES = ("startupProbe", "livenessProbe", "readinessProbe")
PASSWORD = "s3cret"  # noqa: S105 - of a Redis that lives as long as one test
SECRETS: Secrets = {
    "redis-login": {
        "password": PASSWORD,
        "redis-password": PASSWORD,
        "url": f"redis://:{PASSWORD}@redis.example.com:6379/0",
    },
}
REDIS_ADDRESS = re.compile(r"rediss?://(?:[^@/]*@)?([^/?]+)")


def address_of_redis(release: Release) -> str | None:
    """Host and port of the Redis that the logger would connect to."""
    for variable in release.logger["env"]:
        if variable["name"] == "DRIFTGAUGE_REDIS_URL":
            found = REDIS_ADDRESS.match(variable.get("value") or SECRETS["redis-login"]["url"])
            return found[1] if found else None
    return None


def mount_secret_files(release: Release, directory: Path) -> dict[str, str]:
    """Write the passwords, tokens and the certificate that the logger reads from files.

    Returns:
        Mount paths and directories.
    """
    mounted = {one["name"]: one["mountPath"] for one in release.logger.get("volumeMounts", [])}
    secrets = ("redis-login", "redis-cert", "labels-token")
    places = {mounted[name]: directory / name for name in secrets if name in mounted}
    for place in places.values():
        place.mkdir(parents=True)
        if place.name == "redis-login":
            for key in ("password", "sentinel-password"):
                (place / key).write_text(PASSWORD)
        elif place.name == "labels-token":
            (place / "token").write_text(PASSWORD)
        else:
            for file, key in zip(RedisCertificates(place).sign("logger"), ("tls.crt", "tls.key"), strict=True):
                file.rename(place / key)
    return {mount: str(place) for mount, place in places.items()}


@contextmanager
def running(release: Release, directory: Path, redis_port: int | None = None, **moved: str) -> Iterator[Container]:
    """Start the logger of a release, with Redis at a port, or without."""
    with ExitStack() as stack:
        references = directory / "reference"
        references.mkdir()
        if "DRIFTGAUGE_REFERENCE_DIR" in release.variables:
            mount_references(release, references)
        places = {"/mnt/reference": str(references)} | mount_secret_files(release, directory / "redis") | moved
        if (address := address_of_redis(release)) is not None:
            places[address] = f"127.0.0.1:{redis_port or free_port()}"
        logger = stack.enter_context(Container(release.logger, places, SECRETS))
        for probe in PROBES:
            logger.await_probe(probe)
        yield logger
        if logger.exit_code() is None:
            drained(logger)


def drained(logger: Container) -> int:
    """Stop a logger by SIGTERM; a second one ends the drain delay. Returns the exit code."""
    logger.signal(signal.SIGTERM)
    wait_until(lambda: refused(logger), "a logger that is unready")
    return logger.terminate()


def refused(logger: Container) -> bool:
    """Whether the readiness probe fails."""
    try:
        get(logger.probe_url("readinessProbe"))
    except OSError:
        return True
    return False


@pytest.mark.parametrize("name", [name for name in LOGGERS if name != "trust"])  # test_trust runs that one
def test_every_scenario_starts_passes_its_probes_and_ends(name: str, tmp_path: Path) -> None:
    """It is ready in time, accepts events, is unready after SIGTERM, and exits with 0."""
    with running(scenario(name), tmp_path) as logger:
        responded = post(logger.ports["http"], Event("request", b'{"instances": [[9.4, 3.51]]}'))
        metrics = logger.scrape()
        code = drained(logger)

    assert [200] == responded
    assert "driftgauge_build_info" in metrics
    assert 0 == code


def test_references_in_the_values_reach_their_models(tmp_path: Path) -> None:
    """One file is for every namespace, one for a single namespace, both in a ConfigMap."""
    events = (
        Event("request", b'{"instances": [[9.4, 3.51]]}', inference_service="wine", namespace="models"),
        Event("request", b'{"instances": [[19.5, 3.60]]}', "b", inference_service="port", namespace="cellar"),
        Event("request", b'{"instances": [[19.5, 3.60]]}', "c", inference_service="port", namespace="models"),
    )
    with running(polling_often("references-inline"), tmp_path) as logger:
        post(logger.ports["http"], *events)
        rows = wait_until(lambda: reference_rows(logger, 3), "the gauges of three models")

    assert {("wine", "models"): 3.0, ("port", "cellar"): 2.0, ("port", "models"): 0.0} == rows


@pytest.mark.parametrize(
    "name", ["references-configmap", "references-pvc", "references-volume", "references-object-storage"]
)
def test_an_empty_reference_volume_leaves_the_logger_serving(name: str, tmp_path: Path) -> None:
    """Events get status code 200, and the gauge of the alert is 0."""
    with running(polling_often(name), tmp_path) as logger:
        responded = post(logger.ports["http"], Event("request", b'{"instances": [[9.4, 3.51]]}'))
        rows = wait_until(lambda: reference_rows(logger, 1), "the gauge of the model")

    assert [200] == responded
    assert {(WINE.inference_service, WINE.namespace): 0.0} == rows


def polling_often(name: str) -> Release:
    """A scenario whose logger checks its references ten times a second, so that the test is fast."""
    values = scenario_values(name)
    return render(values | {"config": values.get("config", {}) | {"reference_poll_seconds": 0.1}})


def reference_rows(logger: Container, models: int) -> dict[tuple[str, str], float] | None:
    """Rows of the reference of each model, once that many models are known."""
    found = {
        (one.labels["inference_service"], one.labels["inference_service_namespace"]): one.value
        for one in Samples.parse(logger.scrape())
        if one.name == "driftgauge_reference_rows"
    }
    return found if len(found) == models else None


def redis_is_up(logger: Container) -> bool:
    """Whether the last call to Redis succeeded."""
    return Samples.parse(logger.scrape()).total("driftgauge_redis_up", call="ping") == 1


@contextmanager
def internal_redis(release: Release, directory: Path, secrets: Secrets = SECRETS) -> Iterator[Container]:
    """Start the Redis of a release, on loopback only."""
    mounts = {f"/{name}": str(directory / name) for name in ("data", "run/redis")}
    for path in mounts.values():
        Path(path).mkdir(parents=True, exist_ok=True)
    rendered = only_container(release.one("StatefulSet"))
    program("redis-server")
    with Container(rendered, mounts, secrets, further=["--bind", "127.0.0.1"]) as redis:
        redis.await_port(redis.ports["redis"])
        yield redis


@pytest.mark.parametrize("name", ["redis-internal", "redis-internal-persistent"])
def test_the_logger_logs_in_to_the_redis_of_the_chart(name: str, tmp_path: Path) -> None:
    """It does so with and without a password, and the gauge is 1."""
    release = scenario(name)
    with (
        internal_redis(release, tmp_path) as redis,
        running(release, tmp_path, redis.ports["redis"]) as logger,
    ):
        assert wait_until(lambda: redis_is_up(logger), "a Redis that responds to the logger")


@pytest.mark.parametrize(("name", "kept"), [("redis-internal", None), ("redis-internal-persistent", b"1")])
def test_the_redis_of_the_chart_keeps_rows_only_with_persistence(name: str, kept: bytes | None, tmp_path: Path) -> None:
    """After a restart with the same files a key exists with persistence, and not without."""
    release = scenario(name)
    password = PASSWORD if kept else None
    with internal_redis(release, tmp_path) as redis, Redis(port=redis.ports["redis"], password=password) as client:
        client.set("key", 1)
        ended = redis.terminate()
    with internal_redis(release, tmp_path) as redis, Redis(port=redis.ports["redis"], password=password) as client:
        found = client.get("key")

    assert (0, kept) == (ended, found)


def test_the_redis_of_the_chart_needs_the_password(tmp_path: Path) -> None:
    """A client without it is refused."""
    with (
        internal_redis(scenario("redis-internal-persistent"), tmp_path) as redis,
        Redis(port=redis.ports["redis"], protocol=2) as client,
        pytest.raises(AuthenticationError, match="Authentication required"),
    ):
        client.ping()


@pytest.mark.parametrize("password", ["a b\"c'd\\", "#$(id) `id` %s %% \\x41 \u00e9", "two\nlines", " save "])
def test_a_password_may_have_any_character(password: str, tmp_path: Path) -> None:
    """Quotes, backslashes, blanks and special characters of a shell or of redis.conf are kept."""
    secrets = {"redis-login": {"redis-password": password}}
    with (
        internal_redis(scenario("redis-internal-persistent"), tmp_path, secrets) as redis,
        Redis(port=redis.ports["redis"], password=password) as client,
    ):
        assert client.ping()


def test_only_redis_can_read_its_password(tmp_path: Path) -> None:
    """It is neither in the arguments nor in the variables of the process, and only its user can read the file."""
    with internal_redis(scenario("redis-internal-persistent"), tmp_path) as redis:
        process = Path(f"/proc/{redis.pid}")
        argv, variables = ((process / name).read_bytes() for name in ("cmdline", "environ"))

    assert b"redis-server" in argv
    assert PASSWORD.encode() not in argv + variables
    assert 0o600 == (tmp_path / "run/redis/login.conf").stat().st_mode & 0o777


def test_the_url_of_a_redis_may_come_from_a_secret(tmp_path: Path) -> None:
    """The URL with its password is not in the rendered objects."""
    release = scenario("redis-external-url-secret")
    with RedisServer("--requirepass", PASSWORD) as redis, running(release, tmp_path, redis.port) as logger:
        assert wait_until(lambda: redis_is_up(logger), "a Redis that responds to the logger")

    assert [] == [text for text in release.texts.values() if PASSWORD in text]


def certificates(directory: Path) -> Path:
    """Make an authority and a certificate for loopback signed by it; returns the directory."""
    openssl = program("openssl")
    directory.mkdir()
    (directory / "san").write_text("subjectAltName=IP:127.0.0.1")
    new_key = ("-newkey", "rsa:2048", "-nodes")
    sign = ("-CA", "tls-ca.crt", "-CAkey", "ca.key", "-CAcreateserial", "-extfile", "san")
    for words in (
        ("req", "-x509", *new_key, "-subj", "/CN=authority", "-keyout", "ca.key", "-out", "tls-ca.crt", "-days", "2"),
        ("req", *new_key, "-subj", "/CN=redis", "-keyout", "redis.key", "-out", "redis.csr"),
        ("x509", "-req", "-in", "redis.csr", *sign, "-out", "redis.crt", "-days", "2"),
    ):
        subprocess.run([openssl, *words], cwd=directory, check=True, capture_output=True)
    return directory


def test_redis_behind_tls_is_trusted_by_the_authority_in_the_secret(tmp_path: Path) -> None:
    """With the user in the URL, password and certificate in Secrets, the logger reaches a Redis with TLS."""
    program("redis-server")  # the one of the demo knows no TLS
    files = certificates(tmp_path / "certificates")
    port = free_port()
    tls = ("--tls-port", str(port), "--tls-auth-clients", "no", "--tls-ca-cert-file", str(files / "tls-ca.crt"))
    key = ("--tls-cert-file", str(files / "redis.crt"), "--tls-key-file", str(files / "redis.key"))
    user = ("--user", "driftgauge", "on", f">{PASSWORD}", "~*", "+@all")
    moved = {"/etc/driftgauge/redis-ca": str(files)}
    with (
        RedisServer(*tls, *key, *user),
        running(scenario("redis-external-tls-secret"), tmp_path, port, **moved) as logger,
    ):
        assert wait_until(lambda: redis_is_up(logger), "a Redis that responds to the logger")


@pytest.mark.parametrize("name", ["minimal", "full"])
def test_the_test_hook_fails_without_a_running_logger(name: str, tmp_path: Path) -> None:
    """The command of `helm test` exits with 0 while the logger runs, and with another code afterwards."""
    release = scenario(name)
    (hook,) = release.one("Pod")["spec"]["containers"]
    with running(release, tmp_path) as logger:
        asked = [to_loopback(url, release, logger) for url in hook["args"]]
        while_it_runs = run_hook(hook["command"], asked)
    when_it_is_gone = run_hook(hook["command"], asked)

    assert 0 == while_it_runs
    assert 0 != when_it_is_gone


def to_loopback(url: str, release: Release, logger: Container) -> str:
    """A URL of the Service, with the address of the process behind it."""
    service = release.one("Service", release.one("Deployment")["metadata"]["name"])
    targets = {port["port"]: logger.ports[port["targetPort"]] for port in service["spec"]["ports"]}
    found = re.fullmatch(r"http://([^/:]+)(?::(\d+))?(/.*)", url)
    assert found is not None
    assert found[1].startswith(f"{service['metadata']['name']}.{service['metadata']['namespace']}.svc.")
    return f"http://127.0.0.1:{targets[int(found[2] or 80)]}{found[3]}"


def run_hook(command: list[str], arguments: list[str]) -> int:
    """Run the hook's command with this interpreter; returns its exit code."""
    assert "python" == command[0]
    done = subprocess.run([sys.executable, *command[1:], *arguments], check=False, capture_output=True, timeout=60)
    return done.returncode


def test_numbers_reach_the_logger_as_they_were_written(tmp_path: Path) -> None:
    """A number of bytes that YAML reads as a float is not written as 1.34217728e+08, which would be refused."""
    config = scenario_values("full")["config"] | {"max_event_bytes": 2**40, "flush_interval_seconds": 0.0001}
    release = render({"config": config, "terminationGracePeriodSeconds": 90})
    variables = release.variables
    with running(release, tmp_path) as logger:
        assert "driftgauge_build_info" in logger.scrape()

    assert ("134217728", "1099511627776") == (
        variables["DRIFTGAUGE_QUEUE_BYTES"],
        variables["DRIFTGAUGE_MAX_EVENT_BYTES"],
    )
    assert 0.0001 == float(variables["DRIFTGAUGE_FLUSH_INTERVAL_SECONDS"])
