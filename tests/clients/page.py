"""Looks at codec-proxy's page in a real browser: page.py BROWSER URL [FOLDER]

At the width of a phone, of a tablet and of a desk, in light and dark: nothing is to scroll
sideways, no text is to be cut, the console of the browser is to have no error, and the page is to
come again by itself. With a folder, pictures are left there.
"""

import base64
import json
import os
import signal
import subprocess
import sys
import tempfile
import time

browser, url, *folder = sys.argv[1:]


class Browser:
    """Chromium, spoken to over a pair of pipes (file descriptors 3 and 4)."""

    def __init__(self, home):
        read, self.to = os.pipe()
        self.come, write = os.pipe()
        command = [
            "sh", "-c", f'exec "$@" 3<&{read} 4>&{write}', "sh", browser,
            "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
            "--no-first-run", "--remote-debugging-pipe", f"--user-data-dir={home}", "about:blank",
        ]
        self.process = subprocess.Popen(
            command, pass_fds=(read, write), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        os.close(read)
        os.close(write)
        self.rest, self.count, self.session, self.events = b"", 0, None, []

    def message(self):
        while b"\0" not in self.rest:
            more = os.read(self.come, 1 << 16)
            assert more, "the browser has ended"
            self.rest += more
        one, self.rest = self.rest.split(b"\0", 1)
        return json.loads(one)

    def ask(self, method, **params):
        self.count += 1
        message = {"id": self.count, "method": method, "params": params}
        if self.session:
            message["sessionId"] = self.session
        os.write(self.to, json.dumps(message).encode() + b"\0")
        while True:
            answer = self.message()
            if answer.get("id") == self.count:
                assert "error" not in answer, answer
                return answer["result"]
            self.events.append(answer)

    def value(self, expression):
        result = self.ask("Runtime.evaluate", expression=expression, returnByValue=True)
        assert "exceptionDetails" not in result, result
        return result["result"].get("value")

    def wait(self, expression):
        end = time.time() + 20
        while not self.value(expression):
            assert time.time() < end, expression
            time.sleep(0.05)


# Elements whose text is wider than they are, or that reach over the edge of the window.
CUT = """[...document.body.querySelectorAll('*')].filter(e => e.scrollWidth > e.clientWidth + 1
    && e.clientWidth > 0 && getComputedStyle(e).display !== 'inline'
    || e.getBoundingClientRect().right > innerWidth + 1).map(e => e.outerHTML.slice(0, 80))"""

# The last of them may be there for another moment.
with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as home:
    at = Browser(home)
    try:
        target = at.ask("Target.createTarget", url="about:blank")["targetId"]
        at.session = at.ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            at.ask(f"{domain}.enable")
        for width in (320, 390, 768, 1280):
            for scheme in ("light", "dark"):
                at.ask(
                    "Emulation.setDeviceMetricsOverride",
                    width=width, height=900, deviceScaleFactor=1, mobile=width < 700,
                )
                at.ask(
                    "Emulation.setEmulatedMedia",
                    features=[{"name": "prefers-color-scheme", "value": scheme}],
                )
                at.ask("Page.navigate", url=url)
                at.wait("document.readyState === 'complete' && document.title === 'codec-proxy'")
                at.wait("document.querySelectorAll('td').length > 20")
                assert at.value("innerWidth") == width
                scroll = at.value("document.documentElement.scrollWidth")
                assert scroll <= width, f"{width}: the page is {scroll} wide"
                cut = at.value(CUT)
                assert not cut, f"{width}: {cut}"
                size = at.value("parseFloat(getComputedStyle(document.querySelector('td')).fontSize)")
                assert size >= 12, f"text of {size} px"
                light = at.value("getComputedStyle(document.body).backgroundColor")
                bright = sum(map(int, light[4:-1].split(","))) > 384
                assert bright == (scheme == "light"), light
                if folder:
                    picture = at.ask("Page.captureScreenshot", captureBeyondViewport=True)["data"]
                    name = os.path.join(folder[0], f"page-{width}-{scheme}.png")
                    with open(name, "wb") as file:
                        file.write(base64.b64decode(picture))
        at.value("window.mark = 1")
        at.wait("window.mark === undefined && document.title === 'codec-proxy'")
        for event in at.events:
            name, params = event.get("method"), event.get("params", {})
            assert name != "Runtime.exceptionThrown", params
            if name == "Log.entryAdded":
                assert params["entry"]["level"] not in ("error", "warning"), params
            if name == "Network.requestWillBeSent":
                assert params["request"]["url"].startswith(url), params
    finally:
        # All of its processes write to the folder.
        os.killpg(at.process.pid, signal.SIGKILL)
        at.process.wait()
