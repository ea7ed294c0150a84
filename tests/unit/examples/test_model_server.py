"""The responses of the model server, with a model that needs no training."""

from collections.abc import AsyncIterator

import numpy as np
import pytest
from aiohttp.test_utils import TestClient, TestServer
from aiohttp.web import Application, Request
from numpy.typing import NDArray

from examples.demo import data, traffic
from examples.demo.model_server import application

Client = TestClient[Request, Application]


def mean_alcohol(rows: data.Rows) -> NDArray[np.float64]:
    """A model that returns the last column; like the forest it refuses NaN."""
    if np.isnan(rows).any():
        raise ValueError("Input X contains NaN.")
    return rows[:, -1]


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    """A client of the server."""
    async with TestClient(TestServer(application(mean_alcohol))) as one:
        yield one


@pytest.mark.parametrize("encode", [traffic.v1, traffic.v2_json, traffic.v2_binary])
async def test_every_protocol_gets_a_response(client: Client, encode: traffic.Encode) -> None:
    """Each of the three kinds of request that the demo sends gets 200."""
    call = encode(data.red_stream()[:2], data.columns())

    async with client.post(call.path, data=call.body, headers=call.headers) as response:
        body = await response.read()

    assert 200 == response.status
    assert body.startswith(b"{")


async def test_binary_response_has_the_length_of_its_json(client: Client) -> None:
    """A binary response has the header of the binary extension, and the grades follow the JSON."""
    rows = data.red_stream()[:2]
    call = traffic.v2_binary(rows, data.columns())

    async with client.post(call.path, data=call.body, headers=call.headers) as response:
        body = await response.read()
    length = int(response.headers["Inference-Header-Content-Length"])

    assert "application/octet-stream" == response.headers["Content-Type"]
    assert rows[:, -1].tolist() == np.frombuffer(body[length:], "<f8").tolist()


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/", {"status": "alive"}),
        ("/v1/models", {"models": ["wine"]}),
        ("/v1/models/wine", {"name": "wine", "ready": True}),
        ("/v2/health/live", {"live": True}),
        ("/v2/health/ready", {"ready": True}),
        ("/v2/models", {"models": ["wine"]}),
        ("/v2/models/wine/ready", {"name": "wine", "ready": True}),
    ],
)
async def test_health_and_lists(client: Client, path: str, expected: object) -> None:
    """The GET paths of both protocols return what KServe's server returns."""
    async with client.get(path) as response:
        returned = await response.json()

    assert (200, expected) == (response.status, returned)


async def test_metadata_names_the_inputs(client: Client) -> None:
    """The V2 metadata lists the columns in order."""
    async with client.get("/v2/models/wine") as response:
        returned = await response.json()

    assert data.columns() == tuple(one["name"] for one in returned["inputs"])
    assert "wine" == returned["name"]


async def test_another_model_is_not_found(client: Client) -> None:
    """An unknown model gets 404 with the text of KServe."""
    async with client.post("/v1/models/beer:predict", data=b"{}") as response:
        returned = await response.json()

    assert (404, {"error": "Model with name beer does not exist."}) == (response.status, returned)


@pytest.mark.parametrize("path", ["/v1/models/wine:predict", "/v2/models/wine/infer"])
async def test_bad_request_is_400(client: Client, path: str) -> None:
    """A body that cannot be decoded gets 400 with `error`."""
    async with client.post(path, data=b"{") as response:
        returned = await response.json()

    assert 400 == response.status
    assert returned["error"].startswith("Unrecognized request format")


async def test_bad_json_length_is_400(client: Client) -> None:
    """A length header that is not a number gets 400."""
    headers = {"Inference-Header-Content-Length": "-1"}

    async with client.post("/v2/models/wine/infer", data=b"{}", headers=headers) as response:
        returned = await response.json()

    assert (400, {"error": "Inference-Header-Content-Length is not a number: -1"}) == (response.status, returned)


async def test_failing_model_is_500(client: Client) -> None:
    """Rows that the model refuses get 500 with `error`."""
    async with client.post("/v1/models/wine:predict", json={"instances": [[None] * 11]}) as response:
        returned = await response.json()

    assert (500, {"error": "ValueError : Input X contains NaN."}) == (response.status, returned)
