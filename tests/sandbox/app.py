"""The program put together: Jira below ``/jira``, Entra below ``/entra``, control calls below ``/_control``, a page."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Mount, Route

from tests.sandbox.control import Control, Guard
from tests.sandbox.entra.controls import EntraControl
from tests.sandbox.entra.keys import Keys
from tests.sandbox.entra.pages import EntraPages
from tests.sandbox.entra.schema import SCHEMA as ENTRA_SCHEMA
from tests.sandbox.entra.seeds import seed as seed_entra
from tests.sandbox.entra.site import ROOT as ENTRA_ROOT
from tests.sandbox.entra.site import EntraSite
from tests.sandbox.entra.system import EntraSystem
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
    store = Store(options.data / "sandbox.sqlite3", [(SCHEMA, seed), (ENTRA_SCHEMA, seed_entra)])
    rules = RuleBook(store)
    guard = Guard(options.secret)
    site = Site(store, options)
    jira_pages = JiraPages(site)
    entra = EntraSite(store, options, Keys(store))
    page = Page(store, rules, guard, [jira_pages, EntraPages(entra)])

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        yield
        store.close()

    routes = [
        *page.routes(),
        Route("/_control/ready", _ready),
        *Control(store, rules).routes(guard),
        *JiraControl(site).routes(guard),
        *EntraControl(entra).routes(guard),
        *jira_pages.routes(),
        Mount(ROOT, app=Gateway(store, rules, JiraSystem(site))),
        Mount(ENTRA_ROOT, app=Gateway(store, rules, EntraSystem(entra))),
    ]
    return Starlette(routes=routes, lifespan=lifespan)


async def _ready(_request: object) -> PlainTextResponse:
    return PlainTextResponse("ready")
