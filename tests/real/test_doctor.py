"""`driftgauge doctor` in front of real model servers."""

import pytest

from driftgauge.cli.doctor.check_model_server import check_model_server
from driftgauge.cli.doctor.finding import Level
from driftgauge.config.load import load
from driftgauge.config.options import ProxyConfig

pytestmark = [pytest.mark.real_server, pytest.mark.timeout(300)]


@pytest.mark.parametrize(
    ("server", "protocols"), [("kserve_url", "V1 and V2 (kserve "), ("mlserver_url", "V2 (mlserver ")]
)
async def test_the_protocols_of_real_servers(server: str, protocols: str, request: pytest.FixtureRequest) -> None:
    """Each is named with its version, and its model is ready."""
    url = request.getfixturevalue(server)
    config = load("proxy", {"upstream_url": url, "inference_service": "wine"})
    assert isinstance(config, ProxyConfig)
    found = await check_model_server(config)

    assert [Level.OK, Level.OK] == [finding.level for finding in found]
    assert found[0].sentence.startswith(f"{url} speaks {protocols}")
