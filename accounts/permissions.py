"""The one policy: what a principal may do, and where.

A principal is a snapshot of a user's grants. It is pure and hashable by `key`, so that live updates can judge an event
once for everybody with the same rights.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Literal

from django.contrib.auth.models import AnonymousUser
from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Model, OuterRef, QuerySet
from django.db.models.functions import JSONObject
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.choices import ALLOWED, SCOPES, Action, ClientScope, Role
from accounts.models import ApiClient, Organisation, RoleGrant, User
from supporthub.core.compiled import Select
from supporthub.core.errors import NotAllowed


class ScopeMissing(NotAllowed):
    """An API client's key does not open this call; `errors["scope"]` names the scopes of which one would."""

    code = "scope_missing"


@dataclass(frozen=True, slots=True)
class Grant:
    """A person's role or an API client's scope: on one organisation or one board, or, with neither, everywhere."""

    role: str
    organisation: int | None = None
    board: int | None = None

    def covers(self, action: Action, organisation: int | None, board: int | None) -> bool:
        if action not in ALLOWED[self.role]:
            return False
        if self.organisation is not None:
            return self.organisation == organisation
        return self.board is None or self.board == board


@dataclass(frozen=True, slots=True)
class Principal:
    """Who is acting, with everything that a decision needs; no queries behind it.

    An API client has the id of the user row that acts for it; `client_id` is 0 for people. `home` is the short name of
    the one organisation that a client is limited to.
    """

    user_id: int
    name: str
    is_active: bool
    grants: frozenset[Grant] = field(default_factory=frozenset)
    client_id: int = 0
    home: str = ""

    @property
    def identity(self) -> str:
        """Who this is among people and API clients, for example to tell whose Idempotency-Key it is."""
        return f"client:{self.client_id}" if self.client_id else f"user:{self.user_id}"

    @property
    def key(self) -> frozenset[Grant]:
        """Principals with equal keys may see and do the same."""
        return self.grants if self.is_active else frozenset()

    def may(self, action: Action, *, organisation: int | None = None, board: int | None = None) -> bool:
        """Return whether `action` is allowed on an object of this organisation and board."""
        return self.is_active and any(grant.covers(action, organisation, board) for grant in self.grants)

    def may_anywhere(self, action: Action) -> bool:
        """Return whether there is any place where `action` is allowed: for menus and empty pages."""
        return self.is_active and any(action in ALLOWED[grant.role] for grant in self.grants)

    def scope(self, action: Action) -> "Scope":
        """Return where `action` is allowed, for queries."""
        grants = [grant for grant in self.grants if self.is_active and action in ALLOWED[grant.role]]
        owns = self.client_id and action is Action.VIEW_TICKET and self.may_anywhere(Action.VIEW_OWN_TICKET)
        return Scope(
            everywhere=any(grant.organisation is None and grant.board is None for grant in grants),
            organisations=frozenset(grant.organisation for grant in grants if grant.organisation is not None),
            boards=frozenset(grant.board for grant in grants if grant.board is not None),
            own_of=self.user_id if owns else None,
        )


@dataclass(frozen=True, slots=True)
class Scope:
    everywhere: bool
    organisations: frozenset[int]
    boards: frozenset[int]
    own_of: int | None = None  # and what this user opened, wherever it is

    @property
    def nowhere(self) -> bool:
        return not (self.everywhere or self.organisations or self.boards or self.own_of)


# Tables of grants: rows with `user` and `role`, and the column that says where it holds.
_tables: dict[type[Model], str] = {RoleGrant: "organisation"}


def register_grants(table: type[Model], place: Literal["organisation", "board"]) -> None:
    """Let an app above add grants of its own (tickets: roles on boards)."""
    _tables[table] = place


def grant_columns(owner: str) -> dict[str, ArraySubquery]:
    """Return annotations that read a user's grants with a row; `owner` is the row's column with the user's number."""
    return {
        f"grants_by_{place}": ArraySubquery(
            table._default_manager.filter(user=OuterRef(owner)).values_list(JSONObject(role="role", place=place))
        )
        for table, place in _tables.items()
    }


@Select
def _grants_of(number: int) -> QuerySet[User]:
    return User.objects.filter(pk=number).annotate(**grant_columns("pk"))


def keep_grants(user: User, row: Any) -> None:
    """Remember on the user the grants that `row` was read with, so that `principal_of` reads nothing again."""
    user.known_grants = {place: getattr(row, f"grants_by_{place}", []) for place in _tables.values()}


def principal_of(user: User | AnonymousUser) -> Principal:
    """Return the user's rights: read now, unless they have just been read with the user (`keep_grants`).

    Anonymous users get a principal that may nothing.
    """
    if not isinstance(user, User):
        return Principal(user_id=0, name="", is_active=False)
    if user.is_client:
        return principal_of_client(user.api_client)
    if not hasattr(user, "known_grants"):
        keep_grants(user, _grants_of.first(number=user.pk))
    grants = {
        Grant(found["role"], **{place: found["place"]}) for place, rows in user.known_grants.items() for found in rows
    }
    if user.is_superuser:
        grants.add(Grant(Role.ADMIN))
    return Principal(user_id=user.pk, name=str(user), is_active=user.is_active, grants=frozenset(grants))


def principal_of_client(client: ApiClient) -> Principal:
    """A client's scopes as grants; inactive once it was switched off or has ended."""
    grants = frozenset(Grant(scope, client.organisation_id) for scope in client.scopes)
    return Principal(
        user_id=client.user_id, name=client.name, is_active=client.is_usable(timezone.now()), grants=grants,
        client_id=client.pk, home=client.organisation.slug if client.organisation else "",
    )  # fmt: skip


def principal_of_requester(organisation: Organisation) -> Principal:
    """Somebody who has no account here and proved who they are: may open tickets in their own, active organisation."""
    grants = frozenset({Grant(ClientScope.TICKETS_SUBMIT, organisation.pk)})
    return Principal(user_id=0, name="", is_active=organisation.is_active, grants=grants)


def principal_for(request: HttpRequest | Any) -> Principal:
    """Return the request's principal, read once a request."""
    django_request = getattr(request, "_request", request)
    cached = getattr(django_request, "hub_principal", None)
    if cached is None or cached.user_id != (request.user.pk or 0):
        cached = principal_of(request.user)
        setattr(django_request, "hub_principal", cached)  # noqa: B010  (our own note on Django's request)
    return cached


def demand(principal: Principal, action: Action, *, organisation: int | None = None, board: int | None = None) -> None:
    """Raise NotAllowed unless `action` is allowed there; ScopeMissing for a client that may do it nowhere."""
    if principal.may(action, organisation=organisation, board=board):
        return
    if principal.client_id and not principal.may_anywhere(action):
        raise scope_missing([action])
    raise NotAllowed(_("Your roles do not allow this here. A lead can change that in the admin."))


def scope_missing(actions: Iterable[Action]) -> ScopeMissing:
    """Return the refusal for a client that lacks every scope for these actions. English, as all of the API."""
    wanted = [
        scope for scope, opened in SCOPES.items() if scope != ClientScope.ADMIN and not opened.isdisjoint(actions)
    ] or [ClientScope.ADMIN.value]
    return ScopeMissing(f"This key lacks the scope {' or '.join(wanted)}.", errors={"scope": list(map(str, wanted))})
