"""What the first load of the queue costs: at most 300 kB on the wire, all of it from the hub."""

from urllib.parse import urlsplit

from playwright.sync_api import CDPSession, Page

from tests.e2e.api import Api
from tests.e2e.browser import wait_live
from tests.e2e.conftest import SignedIn
from tests.stack import Stack

BUDGET = 300_000


class Wire:
    """Counts what the browser receives for its requests, as it comes over the wire (compressed, with headers)."""

    def __init__(self, page: Page) -> None:
        self.urls: dict[str, str] = {}
        self.sizes: dict[str, int] = {}
        self._session: CDPSession = page.context.new_cdp_session(page)
        self._session.on("Network.requestWillBeSent", self._asked)
        self._session.on("Network.loadingFinished", self._received)
        self._session.send("Network.enable")
        self._session.send("Network.setCacheDisabled", {"cacheDisabled": True})

    def _asked(self, event: dict[str, object]) -> None:
        request = event["request"]
        assert isinstance(request, dict)
        self.urls[str(event["requestId"])] = str(request["url"])

    def _received(self, event: dict[str, object]) -> None:
        size = event["encodedDataLength"]
        assert isinstance(size, int | float)
        self.sizes[str(event["requestId"])] = int(size)

    def table(self) -> str:
        lines = sorted(((self.sizes.get(name, 0), url) for name, url in self.urls.items()), reverse=True)
        return "\n".join(f"{size:>8} {url}" for size, url in lines)


def test_the_first_load_of_a_full_queue_keeps_the_budget(hub: Stack, api: Api, signed_in: SignedIn) -> None:
    for number in range(50 - min(50, len(api.tickets(board="office")))):
        api.open(f"One of a full page of tickets, number {number}", board="office")
    page = signed_in()
    wire = Wire(page)
    page.goto("/?view=all", wait_until="networkidle")
    wait_live(page)
    assert page.locator(".row-line").count() == 50
    hosts = {urlsplit(url).netloc for url in wire.urls.values() if not url.startswith("data:")}
    assert hosts == {urlsplit(hub.url).netloc}
    total = sum(wire.sizes.values())
    assert len(wire.sizes) > 10
    assert total <= BUDGET, f"{total} bytes:\n{wire.table()}"


def test_text_is_sent_compressed(hub: Stack, signed_in: SignedIn) -> None:
    page = signed_in()
    sent: dict[str, str] = {}
    page.on(
        "response", lambda answer: sent.update({answer.url: answer.headers.get("content-encoding", "")})
    )  # fmt: skip
    page.goto("/", wait_until="networkidle")
    large = ("tabler.min.css", "htmx.min.js", "queue.js", "frame.css")
    plain = [url for url, encoding in sent.items() if url.endswith(large) and encoding not in {"gzip", "br", "zstd"}]
    assert not plain
    assert sent[f"{hub.url}/"] in {"gzip", "br", "zstd"}
