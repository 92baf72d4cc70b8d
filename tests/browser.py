"""A headless Chromium, spoken to by the DevTools protocol over a pipe: no driver, no packages."""

import base64
import contextlib
import json
import os
import select
import shutil
import subprocess
import tempfile
import time

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


class Page:
    """One page. `events` holds what it reported, each a (method, parameters)."""

    def __init__(self, write, read):
        self.write, self.read, self.rest, self.sent, self.events, self.session = write, read, b"", 0, [], None
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")

    def call(self, method, **parameters):
        """Call a method of the protocol and return its result."""
        self.sent += 1
        message = {"id": self.sent, "method": method, "params": parameters}
        message |= {"sessionId": self.session} if self.session else {}
        os.write(self.write, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._receive()
            if answer.get("id") == self.sent:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']}")
                return answer["result"]

    def open(self, address):
        """Load an address and wait until it is there."""
        self.events.clear()
        self.call("Page.navigate", url=address)
        deadline = time.monotonic() + 30
        while self.run("document.readyState") != "complete" or "Page.loadEventFired" not in dict(self.events):
            assert time.monotonic() < deadline, f"{address} did not load"

    def run(self, script):
        """Return the value of a JavaScript expression."""
        found = self.call("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in found, found
        return found["result"].get("value")

    def size(self, width, height=900):
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)

    def media(self, kind="", **features):
        each = [{"name": name.replace("_", "-"), "value": value} for name, value in features.items()]
        self.call("Emulation.setEmulatedMedia", media=kind, features=each)

    def point_at(self, x, y):
        self.call("Input.dispatchMouseEvent", type="mouseMoved", x=x, y=y)

    def screenshot(self, path):
        path.write_bytes(base64.b64decode(self.call("Page.captureScreenshot")["data"]))

    def _receive(self):
        while b"\0" not in self.rest:
            assert select.select([self.read], [], [], 30)[0], "Chromium does not answer"
            news = os.read(self.read, 1 << 16)
            assert news, "Chromium has gone"
            self.rest += news
        line, self.rest = self.rest.split(b"\0", 1)
        message = json.loads(line)
        if "method" in message:
            self.events.append((message["method"], message["params"]))
        return message


@contextlib.contextmanager
def page():
    """Start Chromium and give a page of it."""
    (its_in, write), (read, its_out) = os.pipe(), os.pipe()
    options = "--headless --no-sandbox --disable-gpu --hide-scrollbars --remote-debugging-pipe"
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        script = f'exec "$0" {options} --user-data-dir="$1" 3<&{its_in} 4>&{its_out}'
        with subprocess.Popen(
            ["bash", "-c", script, CHROMIUM, profile], pass_fds=(its_in, its_out), stderr=subprocess.DEVNULL
        ) as process:
            os.close(its_in)
            os.close(its_out)
            try:
                yield Page(write, read)
            finally:
                process.kill()
                os.close(write)
                os.close(read)
