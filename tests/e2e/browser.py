"""A real browser without a window, spoken to over its debugging pipe: messages of JSON, each ended by a NUL."""

import base64
import contextlib
import json
import os
import select
import shutil
import signal
import subprocess
import tempfile
import time

import programs

#: The browser of the distribution; another one by this variable.
PROGRAM = os.environ.get("FAIRLEAD_BROWSER") or shutil.which("chromium")

#: Seconds after which an answer counts as hung. A browser's first start on a busy machine is slow.
LIMIT = 60 * programs.SLOW

# Nothing of its own accord: no updates, no statistics, no look for names.
_QUIET = (
    "--headless=new --no-sandbox --disable-gpu --disable-dev-shm-usage --no-first-run --no-default-browser-check "
    "--disable-background-networking --disable-component-update --disable-sync --disable-default-apps "
    "--disable-extensions --hide-scrollbars --force-color-profile=srgb"
).split()


class Browser:
    def __init__(self):
        self._folder = tempfile.mkdtemp(prefix="fairlead-browser-")
        theirs_in, self._out = os.pipe()
        self._in, theirs_out = os.pipe()
        # It reads descriptor 3 and writes 4; the shell puts them there, whatever they are here.
        command = f'exec "$@" 3<&{theirs_in} 4>&{theirs_out}'
        self._child = subprocess.Popen(
            ["bash", "-c", command, "bash", PROGRAM, *_QUIET, "--remote-debugging-pipe",
             f"--user-data-dir={self._folder}", "about:blank"],
            pass_fds=(theirs_in, theirs_out),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            preexec_fn=programs.die_with_parent,
        )
        os.close(theirs_in)
        os.close(theirs_out)
        self._bytes = b""
        self._number = 0
        self.events = []

    def call(self, method, session=None, **parameters):
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters}
        if session:
            message["sessionId"] = session
        os.write(self._out, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._read()
            if answer.get("id") == self._number:
                assert "error" not in answer, f"{method}: {answer['error']}"
                return answer["result"]
            self.events.append(answer)

    def wait(self, event):
        """The first of these events, seen already or not."""
        while True:
            for seen in self.events:
                if seen["method"] == event:
                    return seen
            self.events.append(self._read())

    def _read(self):
        deadline = time.monotonic() + LIMIT
        while b"\0" not in self._bytes:
            left = deadline - time.monotonic()
            ready, _, _ = select.select([self._in], [], [], max(left, 0))
            assert ready, "the browser does not answer"
            more = os.read(self._in, 1 << 20)
            assert more, "the browser ended"
            self._bytes += more
        message, self._bytes = self._bytes.split(b"\0", 1)
        return json.loads(message)

    def close(self):
        try:
            with contextlib.suppress(AssertionError, OSError):
                self.call("Browser.close")
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._child.wait(10)
        finally:
            # Its children are in the session that was made for it.
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._child.pid, signal.SIGKILL)
            self._child.wait(10)
            os.close(self._in)
            os.close(self._out)
            shutil.rmtree(self._folder, ignore_errors=True)


class Page:
    """A file in a tab of its own, of this width, in this scheme ("light", "dark") and medium."""

    def __init__(self, browser, file, width=1200, scheme="light", medium="screen", script=True):
        self._browser = browser
        browser.events.clear()
        self._target = browser.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = browser.call("Target.attachToTarget", targetId=self._target, flatten=True)["sessionId"]
        for domain in ("Page", "Network", "Log", "Runtime"):
            self.call(domain + ".enable")
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=width < 500)
        self.call("Emulation.setEmulatedMedia", media=medium,
                  features=[{"name": "prefers-color-scheme", "value": scheme}])
        self.call("Emulation.setScriptExecutionDisabled", value=not script)
        self.call("Page.navigate", url=file.as_uri())
        browser.wait("Page.loadEventFired")

    def call(self, method, **parameters):
        return self._browser.call(method, self._session, **parameters)

    def value(self, expression):
        result = self.call("Runtime.evaluate", expression=expression, returnByValue=True)
        assert "exceptionDetails" not in result, result["exceptionDetails"]
        return result["result"].get("value")

    def requests(self):
        return [event["params"]["request"]["url"] for event in self._browser.events
                if event["method"] == "Network.requestWillBeSent"]

    def complaints(self):
        """What the browser would write to its console."""
        return [event["params"] for event in self._browser.events
                if event["method"] in ("Log.entryAdded", "Runtime.exceptionThrown", "Runtime.consoleAPICalled")]

    def picture(self):
        return base64.b64decode(self.call("Page.captureScreenshot")["data"])

    def paper(self):
        return base64.b64decode(self.call("Page.printToPDF", printBackground=True)["data"])

    def close(self):
        self._browser.call("Target.closeTarget", targetId=self._target)
