"""A real Chromium without a window, driven through its own debugging port: no driver to install."""

import asyncio
import base64
import itertools
import json
import shutil
import subprocess
import time
from pathlib import Path

from tornado.httpclient import AsyncHTTPClient
from tornado.websocket import websocket_connect

PROGRAM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
PATIENCE = 60


class Browser:
    """One page. `run` evaluates a script in it, `until` waits for one to be true."""

    def __init__(self, folder: Path) -> None:
        self._loop, self._ids = asyncio.new_event_loop(), itertools.count(1)
        self.faults: list[str] = []
        command = [PROGRAM, "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
        command += ["--remote-debugging-port=0", f"--user-data-dir={folder}", "--hide-scrollbars", "about:blank"]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self._loop.run_until_complete(self._connect(folder / "DevToolsActivePort"))
        for domain in ("Page", "Runtime", "Log"):
            self.call(f"{domain}.enable")

    async def _connect(self, file: Path) -> None:
        end = time.monotonic() + PATIENCE
        while not (file.exists() and "\n" in file.read_text()):
            assert time.monotonic() < end, "Chromium did not start"
            await asyncio.sleep(0.05)
        port = int(file.read_text().split("\n")[0])
        answer = await AsyncHTTPClient().fetch(f"http://127.0.0.1:{port}/json/list")
        place = next(one for one in json.loads(answer.body) if one["type"] == "page")["webSocketDebuggerUrl"]
        self._socket = await websocket_connect(place, max_message_size=1 << 28)

    def call(self, method: str, **parameters):
        """What a method of the debugging protocol answers."""
        return self._loop.run_until_complete(asyncio.wait_for(self._call(method, parameters), PATIENCE))

    async def _call(self, method: str, parameters: dict):
        mine = next(self._ids)
        await self._socket.write_message(json.dumps({"id": mine, "method": method, "params": parameters}))
        while True:
            message = json.loads(await self._socket.read_message())
            if message.get("id") == mine:
                assert "error" not in message, message
                return message["result"]
            self._noted(message)

    def _noted(self, message: dict) -> None:
        """What goes wrong in the page is kept, for a test to look at."""
        if message.get("method") == "Runtime.exceptionThrown":
            self.faults.append(json.dumps(message["params"]["exceptionDetails"])[:2000])
        entry = message.get("params", {}).get("entry", {})
        if message.get("method") == "Log.entryAdded" and entry.get("level") == "error":
            self.faults.append(entry["text"])

    def open(self, address: str) -> None:
        self.call("Page.navigate", url=address)

    def run(self, script: str):
        """The value of an expression; a promise is waited for."""
        found = self.call("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in found, found["exceptionDetails"]
        return found["result"].get("value")

    def until(self, script: str, seconds: float = PATIENCE) -> None:
        end = time.monotonic() + seconds
        while not self.run(script):
            assert time.monotonic() < end, f"never: {script}; {self.run('document.body.innerText')[:800]}"
            self._loop.run_until_complete(asyncio.sleep(0.05))

    def size(self, width: int, height: int, dark: bool = False) -> None:
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.call("Emulation.setEmulatedMedia", features=[scheme])

    def press(self, key: str, text: str = "") -> None:
        extra = {"text": text} if text else {}
        self.call("Input.dispatchKeyEvent", type="keyDown", key=key, code=key, **extra)
        self.call("Input.dispatchKeyEvent", type="keyUp", key=key, code=key)

    def picture(self, path: Path, whole: bool = True) -> None:
        found = self.call("Page.captureScreenshot", captureBeyondViewport=whole, format="png")
        path.write_bytes(base64.b64decode(found["data"]))

    def close(self) -> None:
        self._socket.close()
        self._process.terminate()
        self._process.wait(PATIENCE)
        self._loop.close()
