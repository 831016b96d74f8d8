"""One hub for the whole run, a browser for each test, and a picture of what failed.

The hub's data is made through its API and through `manage.py shell`: no test here opens the database of this process.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from tests.e2e.api import Api
from tests.e2e.browser import WAIT_MS, WIDE, Guard, launched
from tests.stack import ADMIN, PASSWORD, Stack

FAILURES = Path(__file__).parent / "failures"
TIME_SCALE = "0.05"
_FOLDER = Path(__file__).parent
# These want a hub that nobody has used yet, or leave one behind that has been through a lot.
_FIRST, _LAST = "test_main_job.py", "test_live_convergence.py"
_OUTCOME = pytest.StashKey[bool]()


@dataclass(frozen=True)
class Somebody:
    """A user of the hub; all have the same password."""

    email: str
    name: str
    role: str = ""

    @property
    def password(self) -> str:
        return PASSWORD


ADMIN_USER = Somebody(ADMIN, "First Admin")
LEAD = Somebody("lena@hub.example", "Lena Vogt", "lead")
BEN = Somebody("ben@hub.example", "Ben Carter", "technician")
IDA = Somebody("ida@hub.example", "Ida Holm", "technician")
LEAVER = Somebody("leo@hub.example", "Leo Maas", "technician")
LOCKED = Somebody("lou@hub.example", "Lou Brandt", "technician")
SWITCHED_OFF = Somebody("sam@hub.example", "Sam Okoye", "technician")
_MADE = (LEAD, BEN, IDA, LEAVER, LOCKED, SWITCHED_OFF)

_MAKE_USERS = """
from accounts.models import RoleGrant, User
for email, name, role in {people!r}:
    user, _made = User.objects.get_or_create(email=email, defaults={{"name": name}})
    user.set_password({password!r})
    user.save()
    RoleGrant.objects.get_or_create(user=user, role=role, organisation=None)
"""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what is in this folder, and give it its order and its time: the hub's start counts for the first test."""
    ours = [item for item in items if _FOLDER in item.path.parents]
    for item in ours:
        item.add_marker(pytest.mark.browser)
        item.add_marker(pytest.mark.timeout(400))
    places = {_FIRST: -1, _LAST: 1}
    items.sort(key=lambda item: places.get(item.path.name, 0) if _FOLDER in item.path.parents else 0)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    report: pytest.TestReport = yield  # type: ignore[assignment]  # a hook wrapper gets what the others made
    if report.when == "call":
        item.stash[_OUTCOME] = report.failed
    return report  # type: ignore[return-value]  # as above


@pytest.fixture(scope="session")
def hub() -> Iterator[Stack]:
    """The hub, with somebody of every role. Its folder with all logs stays when it did not start."""
    with Stack({"DELIVERY_TIME_SCALE": TIME_SCALE}) as stack:
        people = [(one.email, one.name, one.role) for one in _MADE]
        stack.shell(_MAKE_USERS.format(people=people, password=PASSWORD))
        yield stack


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright, launched(playwright) as browser:
        yield browser


@pytest.fixture(scope="session")
def api(hub: Stack) -> Iterator[Api]:
    """The API as the admin."""
    with Api(hub) as client:
        yield client


@pytest.fixture(autouse=True)
def _no_faults_left(hub: Stack) -> Iterator[None]:
    """What a test breaks in the played Jira does not reach into the next one."""
    yield
    hub.control.clear_faults()
    with hub.connect() as database:
        # Its limits are back to normal at once, instead of after the pause that a fault made it ask for.
        database.execute("UPDATE tickets_tracker SET resting_until = NULL, paused = false")


@pytest.fixture
def guard(hub: Stack) -> Guard:
    return Guard(hub.url)


Contexts = Callable[..., BrowserContext]


@pytest.fixture
def contexts(request: pytest.FixtureRequest, chromium: Browser, hub: Stack, guard: Guard) -> Iterator[Contexts]:
    """Make browsers that share nothing. What the guard heard fails the test; a failure leaves pictures of its pages."""
    made: list[BrowserContext] = []

    def make(**options: Any) -> BrowserContext:
        context = chromium.new_context(base_url=hub.url, **{"viewport": WIDE, "locale": "en-GB", **options})
        context.set_default_timeout(WAIT_MS)
        guard.watch(context)
        made.append(context)
        return context

    yield make
    faults = guard.unexpected()
    if faults or request.node.stash.get(_OUTCOME, True):
        _take_pictures(request.node.name, made)
    for context in made:
        context.close()
    assert not faults, "what the pages must not do:\n" + "\n".join(faults)


_states: dict[tuple[str, str], Any] = {}

SignedIn = Callable[..., Page]


@pytest.fixture
def signed_in(contexts: Contexts, hub: Stack) -> SignedIn:
    """Return a page in a browser of its own in which somebody is signed in; `options` are the context's."""

    def open_page(who: Somebody = BEN, **options: Any) -> Page:
        state = _states.get((hub.url, who.email))
        context = contexts(storage_state=state, **options)
        page = context.new_page()
        if state is None:
            sign_in(page, who)
            _states[hub.url, who.email] = context.storage_state()
        return page

    return open_page


def sign_in(page: Page, who: Somebody, password: str = PASSWORD) -> None:
    """Sign in by the form, and arrive at the queue."""
    page.goto("/sign-in/")
    page.get_by_label("E-mail").fill(who.email)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/")


def _take_pictures(name: str, contexts: list[BrowserContext]) -> None:
    FAILURES.mkdir(exist_ok=True)
    safe = "".join(letter if letter.isalnum() or letter in "-_" else "-" for letter in name)
    for number, page in enumerate((page for context in contexts for page in context.pages), 1):
        if not page.is_closed():
            page.screenshot(path=FAILURES / f"{safe}-{number}.png")
