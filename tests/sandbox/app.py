"""The program put together: Jira below ``/jira``, control calls below ``/_control``, a page at ``/``."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Mount, Route

from tests.sandbox.control import Control, Guard
from tests.sandbox.gateway import Gateway
from tests.sandbox.jira.controls import JiraControl
from tests.sandbox.jira.pages import JiraPages
from tests.sandbox.jira.schema import SCHEMA
from tests.sandbox.jira.seeds import seed
from tests.sandbox.jira.site import ROOT, Site
from tests.sandbox.jira.system import JiraSystem
from tests.sandbox.options import Options
from tests.sandbox.page import Page
from tests.sandbox.rules import RuleBook
from tests.sandbox.store import Store


def build(options: Options) -> Starlette:
    """The ASGI application over the state below ``options.data``."""
    store = Store(options.data / "sandbox.sqlite3", [(SCHEMA, seed)])
    rules = RuleBook(store)
    guard = Guard(options.secret)
    site = Site(store, options)
    jira_pages = JiraPages(site)
    page = Page(store, rules, guard, [jira_pages])

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        yield
        store.close()

    routes = [
        *page.routes(),
        Route("/_control/ready", _ready),
        *Control(store, rules).routes(guard),
        *JiraControl(site).routes(guard),
        *jira_pages.routes(),
        Mount(ROOT, app=Gateway(store, rules, JiraSystem(site))),
    ]
    return Starlette(routes=routes, lifespan=lifespan)


async def _ready(_request: object) -> PlainTextResponse:
    return PlainTextResponse("ready")
