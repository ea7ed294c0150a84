"""TLS and tokens of whole processes, and the commands that speak with them."""

import json
import os
import re
import ssl
import subprocess
import sys
import urllib.request
from pathlib import Path
from urllib.error import HTTPError

import pytest

from tests.support.certificates import Authority
from tests.support.echo_model import EchoModel
from tests.support.ports import free_port
from tests.support.processes import Child, Driftgauge
from tests.support.shell_commands import commands
from tests.support.waiting import wait_until

SCRIPT = Path(__file__).parents[2] / "sidecar/healthcheck.sh"


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """An authority that signed the certificate `server`."""
    authority = Authority.make(tmp_path_factory.mktemp("authority"))
    authority.sign("server")
    return authority


class Secured(Child):
    """driftgauge with TLS on both ports.

    Args:
        mode: `proxy` or `logger`.
        authority: Has the certificate.
        flags: More flags.
        env: Variables.
    """

    def __init__(self, mode: str, authority: Authority, *flags: str | Path, env: dict[str, str] | None = None) -> None:
        self.port, self.admin_port = free_port(), free_port()
        self.trusted = authority.client_context()
        files = (
            "--tls-cert-file",
            authority.directory / "server.pem",
            "--tls-key-file",
            authority.directory / "server.key",
        )
        ports = ("--port", str(self.port), "--admin-port", str(self.admin_port))
        words = [sys.executable, "-m", "driftgauge", mode, *ports, *files, "--drain-delay-seconds=0", *flags]
        super().__init__(words, env)

    def status(self, port: int, path: str, body: bytes | None = None, token: str | None = None) -> int:
        """The status code of a request."""
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        request = urllib.request.Request(f"https://127.0.0.1:{port}{path}", body, headers)
        try:
            with urllib.request.urlopen(request, timeout=10, context=self.trusted) as response:  # noqa: S310
                return int(response.status)
        except HTTPError as error:
            with error:
                return error.code

    def await_ready(self) -> None:
        """Wait until it is ready."""
        wait_until(lambda: self.status(self.admin_port, "/readyz") == 200, "a ready process")


def run(*words: str, **env: str) -> subprocess.CompletedProcess[str]:
    """Run a command of driftgauge with these variables as the only ones of driftgauge."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("DRIFTGAUGE_")}
    argv = [sys.executable, "-m", "driftgauge", *words]
    return subprocess.run(argv, capture_output=True, text=True, check=False, timeout=60, env={**inherited, **env})


def test_proxy(authority: Authority) -> None:
    """The proxy serves inferences by TLS, and speaks plain HTTP to the model server in the pod."""
    with EchoModel() as model, Secured("proxy", authority, "--upstream-url", model.url) as proxy:
        proxy.await_ready()
        assert 200 == proxy.status(proxy.port, "/v1/models/wine:predict", b'{"instances": [[1]]}')
        assert 0 == proxy.terminate()


def test_commands_of_the_guide(authority: Authority, tmp_path: Path) -> None:
    """An event and a look at the metrics, as docs/install.md has them: with the authority and a token from a file."""
    guide = Path(__file__).parents[2] / "docs" / "install.md"
    send, look = [one.text for one in commands(guide) if one.text.startswith("curl --cacert")]
    (tmp_path / "ca.crt").write_bytes(authority.file.read_bytes())
    for name in ("events", "admin"):
        (tmp_path / f"{name}.header").write_text(f"Authorization: Bearer {name}-token")
    reference = Path(__file__).parents[2] / "examples" / "wine" / "red.csv"
    (tmp_path / "wine.csv").write_bytes(reference.read_bytes())
    tokens = {"DRIFTGAUGE_TOKEN": "events-token", "DRIFTGAUGE_ADMIN_TOKEN": "admin-token"}
    with Secured("logger", authority, "--reference-dir", tmp_path, env=tokens) as logger:
        logger.await_ready()

        def shell(text: str) -> str:
            """Run a command as it stands, with the ports and the name of this process; returns what it prints."""
            for name, real in (
                ("driftgauge-logger.default.svc.cluster.local", "localhost"),
                (":8443", f":{logger.port}"),
                (":9464", f":{logger.admin_port}"),
            ):
                text = text.replace(name, real)
            done = subprocess.run(["bash", "-c", text], cwd=tmp_path, capture_output=True, text=True, check=False)
            return done.stdout

        assert "401" == shell(send.replace("@events.header", "'Authorization: Bearer wrong'"))[-3:]
        assert "200" == shell(send)[-3:]
        wait_until(lambda: re.search(r'reason="wrong_width".*} 1.0', shell(look)), "a row that was rejected")
        lines = shell(look).splitlines()

    assert any(line.startswith("request_count{") and line.endswith(" 1.0") for line in lines)
    assert any(line.startswith("driftgauge_unauthorized_requests_total{") and line.endswith(" 1.0") for line in lines)


def test_commands(authority: Authority) -> None:
    """The health checks and the doctor find out that the process speaks TLS; the doctor needs the token."""
    with Secured("logger", authority, env={"DRIFTGAUGE_ADMIN_TOKEN": "reader"}) as logger:
        logger.await_ready()
        assert [401, 200] == [logger.status(logger.admin_port, "/metrics", token=token) for token in (None, "reader")]
        port = str(logger.admin_port)
        assert 0 == run("healthcheck", "--admin-port", port).returncode
        doctor = ("doctor", "--admin-port", port, "--format=json")
        sentences = [
            [finding["sentence"] for finding in json.loads(run(*doctor, **env).stdout)["findings"]]
            for env in ({}, {"DRIFTGAUGE_ADMIN_TOKEN": "reader"})
        ]
        assert any("asks for a token: set DRIFTGAUGE_ADMIN_TOKEN" in sentence for sentence in sentences[0])
        assert any("(logger) at https://127.0.0.1" in sentence for sentence in sentences[1])
        assert "the process is ready" in sentences[1]


def test_script_of_the_image(authority: Authority, tmp_path: Path) -> None:
    """The health check of the image starts `driftgauge healthcheck` where the variable asks for TLS."""
    (tmp_path / "driftgauge").write_text(f'#!/bin/bash\nexec {sys.executable} -m driftgauge "$@"\n')
    (tmp_path / "driftgauge").chmod(0o755)
    with Secured("logger", authority) as logger:
        logger.await_ready()
        env = os.environ | {
            "PATH": f"{tmp_path}:{os.environ['PATH']}",
            "DRIFTGAUGE_ADMIN_PORT": str(logger.admin_port),
            "DRIFTGAUGE_TLS_CERT_FILE": str(authority.directory / "server.pem"),
            "DRIFTGAUGE_TLS_KEY_FILE": str(authority.directory / "server.key"),
        }
        assert 0 == subprocess.run(["bash", str(SCRIPT)], env=env, check=False, timeout=30).returncode


def test_new_certificate(authority: Authority, tmp_path: Path) -> None:
    """A certificate that was replaced is used for new connections, without a restart."""
    first, second = (authority.sign(name) for name in ("first", "second"))
    for source, name in zip(first, ("server.pem", "server.key"), strict=True):
        (tmp_path / name).write_bytes(source.read_bytes())
    own = Authority(tmp_path)
    (tmp_path / "ca.pem").write_bytes(authority.file.read_bytes())
    with Secured("logger", own, "--reference-poll-seconds=0.05") as logger:
        logger.await_ready()
        before = ssl.get_server_certificate(("127.0.0.1", logger.port))
        for source, name in zip(second, ("server.pem", "server.key"), strict=True):
            (tmp_path / name).write_bytes(source.read_bytes())
        wait_until(lambda: ssl.get_server_certificate(("127.0.0.1", logger.port)) != before, "the new certificate")
        wait_until(lambda: ssl.get_server_certificate(("127.0.0.1", logger.admin_port)) != before, "it on both ports")


@pytest.mark.parametrize(
    ("flags", "sentence"),
    [
        (["--tls-cert-file={ca}"], "tls_key_file: give tls_cert_file and tls_key_file together"),
        (["--tls-key-file={ca}"], "tls_key_file: give tls_cert_file and tls_key_file together"),
        (["--tls-client-ca-file={ca}"], "tls_client_ca_file: needs tls_cert_file and tls_key_file"),
        (["--tls-cert-file=/nowhere", "--tls-key-file={ca}"], "/nowhere cannot be read (No such file or directory)"),
        (["--tls-cert-file={ca}", "--tls-key-file={ca}"], "are no certificate and key in PEM form"),
        (["--tls-cert-file={cert}", "--tls-key-file={other}"], "is not the key of"),
        (
            ["--tls-cert-file={cert}", "--tls-key-file={key}", "--tls-client-ca-file={key}"],
            "has no certificate in PEM form",
        ),
        (["--token-file=/nowhere"], "token_file: /nowhere cannot be read"),
        (["--admin-token-file={empty}"], "has no token"),
    ],
)
def test_files_that_cannot_be_used(authority: Authority, tmp_path: Path, flags: list[str], sentence: str) -> None:
    """One clear sentence, exit code 2, and nothing listens."""
    empty = tmp_path / "empty"
    empty.touch()
    places = {
        "ca": authority.file,
        "cert": authority.directory / "server.pem",
        "key": authority.directory / "server.key",
        "other": authority.directory / "ca.key",
        "empty": empty,
    }
    done = run("logger", *[flag.format(**places) for flag in flags])
    assert (2, 1) == (done.returncode, len(done.stderr.splitlines()))
    assert sentence in done.stderr


def test_exchange_of_tokens(tmp_path: Path) -> None:
    """A new token beside the old one is valid without a restart, and the old one is not once it is gone."""
    tokens = tmp_path / "tokens"
    tokens.write_text("old")
    with Driftgauge("logger", "--token-file", tokens, "--reference-poll-seconds=0.05") as logger:

        def status(token: str) -> int:
            """The status code of a request that is no event."""
            headers = {"Authorization": f"Bearer {token}"}
            try:
                with urllib.request.urlopen(urllib.request.Request(logger.url, b"{}", headers)) as response:  # noqa: S310
                    return int(response.status)
            except HTTPError as error:
                with error:
                    return error.code

        assert [400, 401] == [status(token) for token in ("old", "new")]
        tokens.write_text("old\nnew\n")
        wait_until(lambda: status("new") == 400, "the new token")
        assert 400 == status("old")
        tokens.write_text("new")
        wait_until(lambda: status("old") == 401, "the end of the old token")
        assert 400 == status("new")
