"""A real browser on the hub's pages, and a guard that notices what a page must never do."""

import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Playwright, WebError, expect

CANDIDATES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
ARGUMENTS = ["--no-sandbox", "--disable-dev-shm-usage", "--disable-background-networking", "--disable-gpu"]
WAIT_MS = 30_000  # the machine may be busy; every wait ends as soon as its condition holds
WIDE = {"width": 1440, "height": 900}
# Says every violation of the content security policy in the console, where the guard hears it.
_TELL_VIOLATIONS = """
addEventListener("securitypolicyviolation", (event) =>
  console.error(`CSP: ${event.violatedDirective} refused ${event.blockedURI} in ${event.sourceFile}`));
"""


def find_browser() -> str:
    """Return the browser's path: what CHROMIUM names, else the first that PATH has; RuntimeError without one."""
    for name in (os.environ.get("CHROMIUM") or "", *CANDIDATES):
        if name and (path := shutil.which(name)):
            return path
    raise RuntimeError("no browser for the browser tests: install chromium, or name one with CHROMIUM=")


@contextmanager
def launched(playwright: Playwright) -> Iterator[Browser]:
    """A headless browser."""
    expect.set_options(timeout=WAIT_MS)
    browser = playwright.chromium.launch(executable_path=find_browser(), args=ARGUMENTS)
    try:
        yield browser
    finally:
        browser.close()


class Guard:
    """Hears every page of the contexts it watches: errors in the console, exceptions, requests to other hosts.

    `expect` names errors that a test causes on purpose.
    """

    def __init__(self, origin: str) -> None:
        self._host = urlsplit(origin).netloc
        self._expected: list[re.Pattern[str]] = []
        self.faults: list[str] = []

    def watch(self, context: BrowserContext) -> None:
        context.add_init_script(_TELL_VIOLATIONS)
        context.on("console", self._console)
        context.on("weberror", self._exception)
        context.on("request", lambda request: self._address(request.url))
        context.on("page", lambda page: page.on("websocket", lambda socket: self._address(socket.url)))

    def expect(self, *patterns: str) -> None:
        """Errors that match one of these are no fault in this test."""
        self._expected.extend(re.compile(pattern) for pattern in patterns)

    def expect_status(self, *codes: int) -> None:
        """Answers with these codes are no fault: a browser says each in the console, and htmx says it once more."""
        for code in codes:
            self.expect(rf"status of {code}\b", rf"Status Error Code {code}\b")

    def expect_outage(self) -> None:
        """Web or Redis are taken away: a browser says in the console what it cannot reach."""
        self.expect(r"ERR_CONNECTION_REFUSED", r"ERR_CONNECTION_RESET", r"ERR_EMPTY_RESPONSE", r"WebSocket connection",
                    r"ERR_SOCKET_NOT_CONNECTED", r"ERR_INCOMPLETE_CHUNKED", r"status of 50[023]")  # fmt: skip

    def unexpected(self) -> list[str]:
        """The faults that no test asked for."""
        return [fault for fault in self.faults if not any(pattern.search(fault) for pattern in self._expected)]

    def _console(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            where = message.location.get("url", "")
            self.faults.append(f"console: {message.text} ({where})")

    def _exception(self, error: WebError) -> None:
        self.faults.append(f"exception: {error.error}")

    def _address(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme not in {"data", "blob", "about"} and parts.netloc != self._host:
            self.faults.append(f"another host: {url}")


def wait_live(page: Page) -> None:
    """Wait until the page's socket is open."""
    expect(page.locator("#live")).to_have_attribute("data-state", "live")


def mark(page: Page) -> None:
    """Leave a sign that a reload would wipe away; `is_marked` looks for it."""
    page.evaluate("window.notReloaded = true")


def is_marked(page: Page) -> bool:
    return bool(page.evaluate("window.notReloaded === true"))
