"""TLS, tokens and other loggers in the chart: what is mounted, who presents what, and that the logger runs with it."""

import json
import ssl
import urllib.request
from pathlib import Path
from urllib.error import HTTPError

import pytest

from tests.support.agent import Event
from tests.support.certificates import Authority
from tests.support.helm import RefusedError, Values, render, scenario
from tests.support.kubelet import Container, pod_of
from tests.support.waiting import wait_until

TLS: Values = {"tls": {"secret": "certificate"}}


def test_probes_speak_tls() -> None:
    """The kubelet asks by HTTPS, and checks no certificate."""
    logger = scenario("trust").logger
    schemes = [logger[probe]["httpGet"].get("scheme") for probe in ("startupProbe", "livenessProbe", "readinessProbe")]
    assert ["HTTPS"] * 3 == schemes
    assert "scheme" not in scenario("minimal").logger["readinessProbe"]["httpGet"]


def test_secrets_are_mounted_whole() -> None:
    """Each has a directory of its own, which the kubelet writes again when the Secret changes; none is a subPath."""
    release = scenario("trust")
    volumes = {one["name"]: one["secret"]["secretName"] for one in pod_of(release)["volumes"]}
    mounts = {one["name"]: one for one in release.logger["volumeMounts"]}
    assert {"tls": "driftgauge-tls", "token": "driftgauge-tokens", "admin-token": "driftgauge-tokens"} == volumes
    assert all(one["readOnly"] and "subPath" not in one for one in mounts.values())
    assert "/etc/driftgauge/admin-token/admin" == release.variables["DRIFTGAUGE_ADMIN_TOKEN_FILE"]


def test_prometheus_trusts_the_authority_and_presents_one_token() -> None:
    """The name in the certificate is that of the Service; the key of the token is one with a single token."""
    (endpoint,) = scenario("trust").one("ServiceMonitor")["spec"]["endpoints"]
    assert "https" == endpoint["scheme"]
    trusted = {"ca": {"secret": {"name": "driftgauge-tls", "key": "ca.crt"}}}
    assert trusted | {"serverName": "drift-driftgauge.monitoring.svc"} == endpoint["tlsConfig"]
    assert {"credentials": {"name": "driftgauge-tokens", "key": "prometheus"}} == endpoint["authorization"]


def test_prometheus_may_trust_another_authority() -> None:
    """`tlsConfig` replaces that of the chart."""
    monitor = {"enabled": True, "tlsConfig": {"insecureSkipVerify": True}}
    (endpoint,) = render({**TLS, "serviceMonitor": monitor}).one("ServiceMonitor")["spec"]["endpoints"]
    assert {"insecureSkipVerify": True} == endpoint["tlsConfig"]


def test_proxies_with_tls() -> None:
    """The PodMonitor has what the InferenceServices of the proxies need."""
    given = {
        "scheme": "https",
        "tlsConfig": {"insecureSkipVerify": True},
        "authorization": {"credentials": {"name": "a", "key": "b"}},
    }
    (endpoint,) = render({"podMonitor": {"enabled": True, **given}}).one("PodMonitor")["spec"]["podMetricsEndpoints"]
    assert given == {name: endpoint[name] for name in given}


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({}, "http://drift-driftgauge.monitoring.svc.cluster.local/"),
        (TLS, "https://drift-driftgauge.monitoring.svc.cluster.local:80/"),
        ({**TLS, "service": {"port": 443}}, "https://drift-driftgauge.monitoring.svc.cluster.local/"),
    ],
)
def test_notes_have_the_url(values: Values, expected: str) -> None:
    """The address for `logger.url` has the scheme and the port."""
    assert f"url: {expected}\n" in render(values).notes


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"tls": {"clientCaSecret": "a"}}, "tls.clientCaSecret: needs tls.secret"),
        ({"tokens": {"admin": {"scrapeKey": "a"}}}, "tokens.admin.scrapeKey: needs tokens.admin.secret"),
        ({"serviceMonitor": {"tlsConfig": {"insecureSkipVerify": True}}}, "serviceMonitor.tlsConfig: needs tls.secret"),
        ({"config": {"event_url": "http://a"}}, "event_url: needs networkPolicy.egress"),
        ({"config": {"event_url": "http://u:s3cret@a"}}, "config.event_url: must hold no password"),
        ({"extraEnv": [{"name": "K_SINK", "value": "a"}]}, "event_url: needs networkPolicy.egress"),
        ({"config": {"forward_url": "http://a"}}, "forward_url: needs networkPolicy.egress"),
        ({"config": {"forward_url": ["http://a", "http://b"]}}, "forward_url: needs networkPolicy.egress"),
        ({"config": {"forward_url": "http://u:s3cret@a"}}, "config.forward_url: must hold no password"),
        (
            {"config": {"forward_url": ["http://a", "http://a?token=s3cret"]}},
            "config.forward_url: must hold no password",
        ),
        ({"extraEnv": [{"name": "DRIFTGAUGE_FORWARD_URL", "value": "a"}]}, "forward_url: needs networkPolicy.egress"),
        ({"logger": {"enabled": False}, **TLS}, "tls.secret: needs logger.enabled"),
    ],
)
def test_impossible_values(values: Values, sentence: str) -> None:
    """Values that would break after the install are refused with one sentence."""
    with pytest.raises(RefusedError) as caught:
        render(values)
    assert sentence in str(caught.value)


def test_it_runs(tmp_path: Path) -> None:
    """The rendered logger asks for tokens on both ports, speaks TLS, and knows both other loggers."""
    authority = Authority.make(tmp_path / "authority")
    cert, key = authority.sign("logger")
    files = {"tls/tls.crt": cert.read_text(), "tls/tls.key": key.read_text()}
    for name, text in {**files, "token/events": "sender-token\n", "admin-token/admin": "a\nreader-token\n"}.items():
        path = tmp_path / "mounted" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    trusted = authority.client_context()
    with Container(scenario("trust").logger, {"/etc/driftgauge": str(tmp_path / "mounted")}) as logger:
        admin, data = (f"https://127.0.0.1:{logger.ports[name]}" for name in ("metrics", "http"))
        wait_until(lambda: status(f"{admin}/readyz", trusted) == 200, "a ready logger")
        assert [401, 200] == [status(f"{admin}/metrics", trusted, token) for token in (None, "reader-token")]
        assert [401, 200] == [
            status(f"{data}/{query}", trusted, body=True) for query in ("", "?access_token=sender-token")
        ]
        page = json.loads(urllib.request.urlopen(_request(f"{admin}/status", "a"), context=trusted).read())  # noqa: S310
        assert "logger" == page["mode"]


def status(url: str, trusted: ssl.SSLContext, token: str | None = None, *, body: bool = False) -> int:
    """The status code of a GET, or of an event."""
    try:
        with urllib.request.urlopen(_request(url, token, body=body), timeout=10, context=trusted) as response:  # noqa: S310
            return int(response.status)
    except HTTPError as error:
        with error:
            return error.code


def _request(url: str, token: str | None, *, body: bool = False) -> urllib.request.Request:
    event = Event("request", b'{"instances": [[9.4, 3.51]]}')
    more = {} if token is None else {"Authorization": f"Bearer {token}"}
    headers = {**event.headers(), **more} if body else more
    return urllib.request.Request(url, event.body if body else None, headers)  # noqa: S310 - loopback
