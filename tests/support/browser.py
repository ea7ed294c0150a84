"""A real, headless Chromium, controlled by its DevTools protocol.

Source: https://chromedevtools.github.io/devtools-protocol/
"""

import asyncio
import base64
import contextlib
import itertools
import json
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from aiohttp import ClientSession, ClientWebSocketResponse, WSMsgType

from tests.support.parts import program
from tests.support.waiting import wait_until

_FLAGS = (
    "--headless",
    "--no-sandbox",
    "--hide-scrollbars",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--remote-debugging-port=0",
)
"""Root in a container has no sandbox, and a test needs no background services."""

_START_SECONDS = 30
_RESPONSE_SECONDS = 30


class Tab:
    """One page of a browser.

    Args:
        socket: The connection to it.
    """

    def __init__(self, socket: ClientWebSocketResponse) -> None:
        self._socket = socket
        self._numbers = itertools.count(1)
        self.events: list[dict[str, Any]] = []

    async def call(self, method: str, **parameters: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
        """Call a method; events until its result are appended to `events`."""
        number = next(self._numbers)
        await self._socket.send_json({"id": number, "method": method, "params": parameters})
        while True:
            message = await self._next()
            if message.get("id") == number:
                assert "error" not in message, message
                result: dict[str, Any] = message["result"]
                return result
            self.events.append(message)

    async def open(self, address: Path | str) -> None:
        """Open a file or a URL, and wait until it is loaded."""
        for domain in ("Page", "Network", "Log", "Runtime"):
            await self.call(f"{domain}.enable")
        self.events.clear()
        await self.call("Page.navigate", url=address.as_uri() if isinstance(address, Path) else address)
        while not any(event["method"] == "Page.loadEventFired" for event in self.events):
            self.events.append(await self._next())

    async def show(self, width: int, scheme: str = "light") -> None:
        """Emulate a screen of this width in pixels, with a light or dark colour scheme."""
        await self.call(
            "Emulation.setDeviceMetricsOverride", width=width, height=800, deviceScaleFactor=1, mobile=False
        )
        await self.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])

    async def ask(self, expression: str, *, wait: bool = False) -> Any:  # noqa: ANN401 - JSON
        """Evaluate a JavaScript expression; returns its value, or with `wait` that of the promise that it is."""
        response = await self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=wait)
        assert "exceptionDetails" not in response, response
        return response["result"].get("value")

    def requested(self) -> list[str]:
        """The URLs that were requested since the page was opened."""
        sent = [event for event in self.events if event["method"] == "Network.requestWillBeSent"]
        return [event["params"]["request"]["url"] for event in sent]

    def log_entries(self) -> list[str]:
        """The entries of the browser's log since then, and the script's errors."""
        logged = [event["params"]["entry"]["text"] for event in self.events if event["method"] == "Log.entryAdded"]
        thrown = [event["params"] for event in self.events if event["method"] == "Runtime.exceptionThrown"]
        return logged + [one["exceptionDetails"]["text"] for one in thrown]

    async def picture(self, width: int, height: int) -> bytes:
        """Take a picture of the top of the page, as PNG; the page may be shorter."""
        whole = await self.ask("document.documentElement.scrollHeight")
        clip = {"x": 0, "y": 0, "width": width, "height": min(height, whole), "scale": 1}
        taken = await self.call("Page.captureScreenshot", format="png", captureBeyondViewport=True, clip=clip)
        return base64.b64decode(taken["data"])

    async def _next(self) -> dict[str, Any]:
        message = await asyncio.wait_for(self._socket.receive(), _RESPONSE_SECONDS)
        assert message.type is WSMsgType.TEXT, message
        content: dict[str, Any] = json.loads(message.data)
        return content


@contextlib.asynccontextmanager
async def browser(directory: Path) -> AsyncIterator[Tab]:
    """Start a browser for the length of the block, and yield a tab; skip the test if none is installed.

    Args:
        directory: The directory of its profile.
    """
    command = [program("chromium"), *_FLAGS, f"--user-data-dir={directory}", "about:blank"]
    with subprocess.Popen(  # noqa: ASYNC220 - starting it takes no time
        command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as child:
        try:
            port = await asyncio.to_thread(_port, directory / "DevToolsActivePort", child)
            async with ClientSession() as session:
                async with session.get(f"http://127.0.0.1:{port}/json/list") as response:
                    tabs = await response.json(content_type=None)
                address = next(tab["webSocketDebuggerUrl"] for tab in tabs if tab["type"] == "page")
                async with session.ws_connect(address, max_msg_size=0) as socket:
                    yield Tab(socket)
        finally:
            child.terminate()


def _port(file: Path, child: "subprocess.Popen[bytes]") -> int:
    """Wait for the port that it has chosen and written into its profile."""

    def port_lines() -> list[str]:
        assert child.poll() is None, "Chromium ended before it wrote its port"
        return file.read_text().splitlines()[:-1]

    return int(wait_until(port_lines, "Chromium's port", _START_SECONDS)[0])
