"""`make images`: the pictures of the documentation, taken from a real hub with a realistic sample.

take_pictures.py [FOLDER] [--only PAGE …]    into docs/img/ unless FOLDER is given
"""

# ruff: noqa: E402  (run as a program, this file must first tell Python where the project is)
import argparse
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from tests.e2e.browser import launched, wait_live
from tests.e2e.gallery import TECHNICIANS, Sample, fill
from tests.stack import ADMIN, PASSWORD, Stack

SIZES = {1440: 900, 360: 740}
MOST_BYTES = 300_000
LOOKS = ((1440, "light"), (1440, "dark"), (360, "light"))
ALL_LOOKS = (*LOOKS, (360, "dark"))
TECHNICIAN = TECHNICIANS[1][0]


@dataclass(frozen=True)
class Shot:
    """A page to show: where it is, who looks (empty: nobody), and what is done there before the picture."""

    name: str
    path: str
    who: str = TECHNICIAN
    looks: tuple[tuple[int, str], ...] = LOOKS
    prepare: Callable[[Page], None] = lambda _page: None


def settled_queue(page: Page) -> None:
    """The live queue, with the preview of a row chosen by hand on a wide screen."""
    wait_live(page)
    expect(page.locator(".row-line [data-here] .face").first).to_be_attached()
    if page.viewport_size and page.viewport_size["width"] >= SIZES[1440]:
        page.locator(".row-line").filter(has_text="Outlook loses").locator(".row-link").focus()
        expect(page.locator("#pane h2")).to_contain_text("Outlook loses")
    page.mouse.move(0, 0)


def with_company(page: Page) -> None:
    """Somebody else looks at the ticket too."""
    wait_live(page)
    expect(page.locator("#part-head [data-here] .face")).to_be_visible()


def half_written(page: Page) -> None:
    """A call in progress: the caller is being looked up."""
    page.locator("#id_requester").press_sequentially("so")
    expect(page.locator("#people [role=option]").first).to_be_visible()


def shots(sample: Sample) -> tuple[Shot, ...]:
    ticket = f"/tickets/{sample.story}/"
    return (
        Shot("queue", "/?view=open", looks=ALL_LOOKS, prepare=settled_queue),
        Shot("ticket", ticket, looks=ALL_LOOKS, prepare=with_company),
        Shot("ticket-waiting", f"/tickets/{sample.waiting}/", prepare=wait_live),
        Shot("new-ticket", "/tickets/new/", prepare=half_written),
        Shot("needs-a-person", "/?view=parked", prepare=wait_live),
        Shot("sign-in", "/sign-in/", who=""),
        Shot("admin", "/admin/", who=ADMIN),
        Shot("admin-submissions", "/admin/tickets/submission/", who=ADMIN),
    )


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", type=Path, default=ROOT / "docs" / "img")
    parser.add_argument("--only", nargs="*", default=[], metavar="PAGE")
    wanted = parser.parse_args(argv)
    folder: Path = wanted.folder
    folder.mkdir(parents=True, exist_ok=True)
    with ExitStack() as everything:
        stack = everything.enter_context(Stack())
        sample = fill(stack)
        browser = everything.enter_context(launched(everything.enter_context(sync_playwright())))
        everything.enter_context(colleague_at(browser, stack, f"/tickets/{sample.story}/"))
        taken = [
            take(browser, stack, shot, look, folder)
            for shot in shots(sample)
            if not wanted.only or shot.name in wanted.only
            for look in shot.looks
        ]
    for path in taken:
        print(f"{path.stat().st_size:>7} {path}")
    too_large = [path.name for path in taken if path.stat().st_size > MOST_BYTES]
    if too_large:
        print(f"larger than {MOST_BYTES // 1000} kB: {', '.join(too_large)}", file=sys.stderr)
    return 1 if too_large or not taken else 0


def take(browser: Browser, stack: Stack, shot: Shot, look: tuple[int, str], folder: Path) -> Path:
    """Take one picture and return where it is."""
    width, theme = look
    with context_of(browser, stack, shot.who, width, theme) as context:
        page = context.new_page()
        page.goto(shot.path, wait_until="networkidle")
        shot.prepare(page)
        path = folder / f"{shot.name}-{width}-{theme}.png"
        page.screenshot(path=path, animations="disabled", caret="hide")
        return path


@contextmanager
def context_of(browser: Browser, stack: Stack, who: str, width: int, theme: str) -> Iterator[BrowserContext]:
    """A browser of this width and theme in which `who` is signed in."""
    phone = width < 600  # noqa: PLR2004
    context = browser.new_context(
        base_url=stack.url, viewport={"width": width, "height": SIZES[width]}, locale="en-GB",
        color_scheme="dark" if theme == "dark" else "light", reduced_motion="reduce", is_mobile=phone, has_touch=phone,
    )  # fmt: skip
    try:
        if who:
            sign_in(context.new_page(), who)
        yield context
    finally:
        context.close()


@contextmanager
def colleague_at(browser: Browser, stack: Stack, path: str) -> Iterator[None]:
    """A colleague who has the ticket open meanwhile."""
    with context_of(browser, stack, TECHNICIANS[2][0], 1440, "light") as context:
        page = context.pages[0]
        page.goto(path)
        wait_live(page)
        yield


def sign_in(page: Page, who: str) -> None:
    page.goto("/sign-in/")
    page.get_by_label("E-mail").fill(who)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
